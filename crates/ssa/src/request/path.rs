use std::fmt::Write as _;

use super::RequestError;
use crate::mapper::Mapping;

/// The path of one object on the API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    collection: String,
    object: String,
}

impl Path {
    /// Where objects of this kind and namespace are created.
    pub(crate) fn collection(&self) -> &str {
        &self.collection
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.object
    }
}

/// The path of an object; the namespace is left out where the kind has none.
pub(crate) fn object_path(mapping: &Mapping, namespace: &str, name: &str) -> Result<Path, RequestError> {
    let collection = collection_path(mapping, namespace)?;
    let object = format!("{collection}/{}", segment("resource name", name)?);
    Ok(Path { collection, object })
}

/// The path of all objects of a kind, in one namespace where the kind has namespaces.
pub(crate) fn collection_path(mapping: &Mapping, namespace: &str) -> Result<String, RequestError> {
    if !mapping.namespaced {
        return Ok(kind_path(mapping));
    }
    let namespace = segment("namespace", namespace)?;
    Ok(format!("{}/namespaces/{namespace}/{}", root(mapping), encode(&mapping.plural)))
}

/// The path of all objects of a kind, in all namespaces.
pub(crate) fn kind_path(mapping: &Mapping) -> String {
    format!("{}/{}", root(mapping), encode(&mapping.plural))
}

fn root(mapping: &Mapping) -> String {
    if mapping.group.is_empty() {
        format!("/api/{}", encode(&mapping.version))
    } else {
        format!("/apis/{}/{}", encode(&mapping.group), encode(&mapping.version))
    }
}

// The server refuses these too, but only after its router has resolved them to another path.
fn segment(what: &'static str, text: &str) -> Result<String, RequestError> {
    let offence = match text {
        "" => Some("may not be empty".to_owned()),
        "." | ".." => Some(format!("may not be '{text}'")),
        _ => text.chars().find(|c| matches!(c, '/' | '%')).map(|c| format!("may not contain '{c}'")),
    };
    match offence {
        Some(offence) => Err(RequestError::InvalidName { what, text: text.to_owned(), offence }),
        None => Ok(encode(text)),
    }
}

pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            encoded.push(byte.into());
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to a String does not fail");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(group: &str, namespaced: bool, namespace: &str, name: &str, expected: Result<&str, &str>) {
        let mapping =
            Mapping { group: group.into(), version: "v1".into(), plural: "things".into(), namespaced };
        let actual = object_path(&mapping, namespace, name);
        assert_eq!(
            actual.as_ref().map(|path| path.as_str().to_owned()).map_err(ToString::to_string),
            expected.map(str::to_owned).map_err(str::to_owned)
        );
    }

    #[test]
    fn core_and_other_groups_have_their_own_root() {
        check("", true, "ns", "a", Ok("/api/v1/namespaces/ns/things/a"));
        check("apps", true, "ns", "a", Ok("/apis/apps/v1/namespaces/ns/things/a"));
    }

    #[test]
    fn cluster_scoped_kinds_have_no_namespace() {
        check(
            "rbac.authorization.k8s.io",
            false,
            "ns",
            "system:a",
            Ok("/apis/rbac.authorization.k8s.io/v1/things/system:a"),
        );
    }

    #[test]
    fn names_cannot_leave_their_place() {
        check("", true, "ns", "..", Err("invalid resource name \"..\": [may not be '..']"));
        check("", true, "ns", "a/b", Err("invalid resource name \"a/b\": [may not contain '/']"));
        check("", true, "a%2f", "b", Err("invalid namespace \"a%2f\": [may not contain '%']"));
        check("", true, "ns", "a?b#c d", Ok("/api/v1/namespaces/ns/things/a%3Fb%23c%20d"));
    }

    #[test]
    fn the_collection_is_the_path_without_the_name() {
        let mapping =
            Mapping { group: String::new(), version: "v1".into(), plural: "pods".into(), namespaced: true };
        assert_eq!(object_path(&mapping, "ns", "a").unwrap().collection(), "/api/v1/namespaces/ns/pods");
    }
}
