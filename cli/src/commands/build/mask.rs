//! What is encrypted in Secrets isn't shown.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use krm::{Mapping, Node, Object};

const MASK: &str = "**SOPS**";
const DOCKER_CONFIG: &str = "kubernetes.io/dockerconfigjson";

/// Puts a mask in place of encrypted values of a Secret: of all its values if it's encrypted as a whole.
///
/// Source: flux2 `internal/build/build.go`, `maskSopsData`.
pub(super) fn mask(object: &mut Object) {
    if object.kind() != "Secret" {
        return;
    }
    let is_encrypted = object.node().at(&["sops", "mac"]).and_then(Node::text).is_some_and(is_ciphertext);
    let is_docker = object.node().get("type").and_then(Node::text) == Some(DOCKER_CONFIG);
    if is_encrypted {
        let plain = if is_docker { format!("{{\"mask\":\"{MASK}\"}}") } else { MASK.to_owned() };
        object.node_mut().as_map_mut().and_then(|fields| fields.remove("sops"));
        replace(object, "data", &BASE64.encode(&plain), |_| true);
        replace(object, "stringData", &plain, |_| true);
    } else {
        let encoded = BASE64.encode(MASK);
        replace(object, "data", &encoded, |value| {
            BASE64.decode(value).is_ok_and(|bytes| has_ciphertext(&String::from_utf8_lossy(&bytes)))
        });
        replace(object, "stringData", &encoded, has_ciphertext);
    }
}

fn is_ciphertext(text: &str) -> bool {
    text.starts_with("ENC[")
}

fn has_ciphertext(text: &str) -> bool {
    text.contains("sops") && text.contains("ENC[")
}

fn replace(object: &mut Object, field: &str, mask: &str, is_masked: impl Fn(&str) -> bool) {
    let values = object.node_mut().get_mut(field).and_then(Node::as_map_mut);
    for (_, value) in values.into_iter().flat_map(Mapping::iter_mut) {
        if value.text().is_some_and(&is_masked) {
            *value = Node::string(mask);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let mut object = Object::from_node_unchecked(krm::parse(text).unwrap().remove(0));
        mask(&mut object);
        assert_eq!(krm::emit(object.node()), expected, "{text}");
    }

    #[test]
    fn encrypted_values_are_masked() {
        check(
            "kind: Secret\ndata: {a: 'ENC[x]'}\nstringData: {b: 'ENC[y]'}\nsops: {mac: 'ENC[z]'}",
            "data:\n  a: KipTT1BTKio=\nkind: Secret\nstringData:\n  b: '**SOPS**'\n",
        );
        check(
            "kind: Secret\ntype: kubernetes.io/dockerconfigjson\nstringData: {b: 'ENC[y]'}\nsops: {mac: 'ENC[z]'}",
            "kind: Secret\nstringData:\n  b: '{\"mask\":\"**SOPS**\"}'\ntype: kubernetes.io/dockerconfigjson\n",
        );
        check(
            "kind: Secret\ndata: {a: c29wc19tYWM9RU5DW3hd, b: YWJj, c: 'no base64'}\nstringData: {d: 'sops: ENC[', e: x}",
            "data:\n  a: KipTT1BTKio=\n  b: YWJj\n  c: no base64\nkind: Secret\nstringData:\n  d: KipTT1BTKio=\n  e: x\n",
        );
        check("kind: ConfigMap\ndata: {a: 'sops ENC[x]'}", "data:\n  a: sops ENC[x]\nkind: ConfigMap\n");
    }
}
