//! Objects in which something is still encrypted after everything was done.

use std::fmt;

use krm::{Node, Object};

use crate::decrypt::{decoded, is_disabled};

/// How each encrypted value begins.
const VALUE: &str = "ENC[AES256_GCM,";

/// A value that is still encrypted, and would be applied as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encrypted {
    /// Which object, `Kind/namespace/name`.
    pub object: String,
    /// The path of its first encrypted value, dotted.
    pub field: String,
}

impl fmt::Display for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is applied with a value that is still encrypted with SOPS: {}", self.object, self.field)
    }
}

/// Looks for encrypted values in an object that hasn't asked to be left alone.
///
/// Flux applies them without a word. The values of a Secret are looked at in plain.
pub(crate) fn still(object: &Object) -> Option<Encrypted> {
    if is_disabled(object) {
        return None;
    }
    let mut path = Vec::new();
    let is_secret = object.kind() == "Secret" && object.api_version() == "v1";
    if !find(object.node(), is_secret, &mut path) {
        return None;
    }
    let object = match object.namespace() {
        "" => format!("{}/{}", object.kind(), object.name()),
        namespace => format!("{}/{namespace}/{}", object.kind(), object.name()),
    };
    Some(Encrypted { object, field: path.join(".") })
}

/// Leaves the path of the first encrypted value.
fn find<'n>(node: &'n Node, is_secret: bool, path: &mut Vec<&'n str>) -> bool {
    match node {
        Node::Scalar(scalar) => {
            scalar.text.contains(VALUE) || (is_secret && path.first() == Some(&"data") && hides(&scalar.text))
        }
        Node::Sequence(items) => items.iter().any(|item| find(item, is_secret, path)),
        Node::Mapping(map) => map.iter().any(|(key, value)| {
            path.push(&key.text);
            let found = find(value, is_secret, path);
            if !found {
                path.pop();
            }
            found
        }),
    }
}

fn hides(value: &str) -> bool {
    // An encrypted value is longer than that.
    value.len() > VALUE.len()
        && decoded(value).is_some_and(|bytes| memchr::memmem::find(&bytes, VALUE.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let object = Object::from_node_unchecked(krm::parse(text).unwrap().remove(0));
        let found = still(&object).map(|found| format!("{}: {}", found.object, found.field));
        assert_eq!(found.as_deref(), expected, "{text}");
    }

    #[test]
    fn encrypted_values_are_found_wherever_they_are() {
        check("kind: ConfigMap\nmetadata: {name: a}\ndata: {x: y}", None);
        check(
            "kind: ConfigMap\nmetadata: {name: a, namespace: n}\ndata: {x: 'k: ENC[AES256_GCM,data:x]'}",
            Some("ConfigMap/n/a: data.x"),
        );
        check("kind: A\nmetadata: {name: a}\nspec: [{b: 'ENC[AES256_GCM,data:x]'}]", Some("A/a: spec.b"));
        let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {x: eDogRU5DW0FFUzI1Nl9HQ00sZGF0YTp4XQ==}";
        check(secret, Some("Secret/a: data.x"));
        check(&secret.replace("Secret", "Other"), None);
        check(
            "kind: A\nmetadata: {name: a, annotations: {kustomize.toolkit.fluxcd.io/decrypt: Disabled}}\nb: 'ENC[AES256_GCM,'",
            None,
        );
    }
}
