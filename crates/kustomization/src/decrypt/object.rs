//! Objects that are encrypted, as a whole or in the values of a Secret.

use api::kustomize::v1::GROUP;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use krm::{Node, Object, Scalar};
use sops::{Format, KeyService, Options};

use crate::go_json;

/// Why an object can't be decrypted. Flux's texts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// The object as a whole.
    #[error("failed to decrypt and format '{namespace}/{name}' {kind} data")]
    Object {
        /// `metadata.namespace`.
        namespace: String,
        /// `metadata.name`.
        name: String,
        /// `kind`.
        kind: String,
        /// Why.
        source: Box<sops::Error>,
    },
    /// A value of a Secret.
    #[error("failed to decrypt and format '{namespace}/{name}' Secret field '{key}'")]
    Value {
        /// `metadata.namespace`.
        namespace: String,
        /// `metadata.name`.
        name: String,
        /// The key in `data`.
        key: String,
        /// Why.
        source: Box<sops::Error>,
    },
}

/// Decrypts an object, whatever its kind, or the values of a Secret; returns whether it was encrypted.
///
/// The MAC can't be verified: kustomize has changed the object.
pub(crate) fn object(object: &mut Object, keys: &dyn KeyService) -> Result<bool, FieldError> {
    if is_disabled(object) {
        return Ok(false);
    }
    if object.node().at(&["sops", "mac"]).is_some_and(|mac| !mac.is_null()) {
        *object = whole(object, keys)?;
        return Ok(true);
    }
    if object.kind() == "Secret" { values(object, keys) } else { Ok(false) }
}

/// Whether the object asks to be left alone.
pub(crate) fn is_disabled(object: &Object) -> bool {
    let value = object.annotation(&format!("{GROUP}/decrypt"));
    value.is_some_and(|value| value.eq_ignore_ascii_case("disabled"))
}

fn whole(object: &Object, keys: &dyn KeyService) -> Result<Object, FieldError> {
    let (namespace, name) = (object.namespace().to_owned(), object.name().to_owned());
    let plain = sops::decrypt_object(&object.to_json(), keys, &Options::without_mac());
    let failed = |source| FieldError::Object {
        namespace,
        name,
        kind: object.kind().to_owned(),
        source: Box::new(source),
    };
    let plain = plain.map_err(failed)?;
    let mut node = Node::from(plain);
    go_json::round(&mut node);
    Ok(Object::from_node_unchecked(node))
}

fn values(object: &mut Object, keys: &dyn KeyService) -> Result<bool, FieldError> {
    let (namespace, name) = (object.namespace().to_owned(), object.name().to_owned());
    let data = object.node_mut().get_mut("data").and_then(Node::as_map_mut);
    let mut changed = false;
    for (key, value) in data.into_iter().flat_map(krm::Mapping::iter_mut) {
        let Some(bytes) = value.as_str().and_then(decoded) else { continue };
        let Some(format) = format_of(&bytes, &key.text) else { continue };
        let plain = sops::decrypt(&bytes, format, Format::of_name(&key.text), keys, &Options::without_mac());
        let plain = plain.map_err(|source| FieldError::Value {
            namespace: namespace.clone(),
            name: name.clone(),
            key: key.text.clone(),
            source: Box::new(source),
        })?;
        *value = Node::Scalar(Scalar::string(BASE64.encode(&*plain)));
        changed = true;
    }
    Ok(changed)
}

/// The bytes of a value; what isn't base64 is the API server's to refuse. Go skips line breaks.
pub(crate) fn decoded(value: &str) -> Option<Vec<u8>> {
    if value.contains(['\n', '\r']) {
        return BASE64.decode(value.replace(['\n', '\r'], "")).ok();
    }
    BASE64.decode(value).ok()
}

/// The format that bytes are encrypted in. Flux takes any whose marker is there; only envelopes can be told from JSON
/// by what is in them.
fn format_of(bytes: &[u8], key: &str) -> Option<Format> {
    let found = [Format::Json, Format::Dotenv, Format::Yaml, Format::Ini];
    let format = found.into_iter().find(|format| sops::is_encrypted(bytes, *format))?;
    let is_envelope = || {
        let json: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
        json.is_some_and(|json| json["data"].is_string()) && Format::of_name(key) != Format::Json
    };
    Some(if format == Format::Json && is_envelope() { Format::Binary } else { format })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_told_from_what_is_in_it() {
        let check = |text: &str, key: &str, expected: Option<Format>| {
            assert_eq!(format_of(text.as_bytes(), key), expected, "{text}");
        };
        check("plain", "a", None);
        check("a: b\nsops:\n  mac: ENC[x]\n", "a", Some(Format::Yaml));
        check("a=b\nsops_mac=ENC[x]\n", "a", Some(Format::Dotenv));
        check("[a]\n[sops]\nmac = ENC[x]\n", "a", Some(Format::Ini));
        let envelope = r#"{"data": "ENC[x]", "sops": {"mac": "ENC[y]"}}"#;
        check(envelope, "a", Some(Format::Binary));
        check(envelope, "a.json", Some(Format::Json));
        check(r#"{"a": "ENC[x]", "sops": {"mac": "ENC[y]"}}"#, "a", Some(Format::Json));
    }

    #[test]
    fn line_breaks_in_base64_are_skipped() {
        assert_eq!(decoded("aGVs\nbG8=\n").as_deref(), Some(&b"hello"[..]));
        assert_eq!(decoded("not base64"), None);
    }
}
