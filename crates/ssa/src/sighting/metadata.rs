//! What is read of an object's metadata, from the wire or from a value alike.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use sha2::{Digest as _, Sha256};

use super::{Fingerprint, half};

/// What is read of an object's metadata.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    #[serde(default)]
    pub(crate) namespace: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(super) uid: String,
    #[serde(default)]
    pub(crate) resource_version: String,
    pub(super) generation: Option<i64>,
    deletion_timestamp: Option<IgnoredAny>,
    pub(super) labels: Option<BTreeMap<String, String>>,
    pub(super) annotations: Option<BTreeMap<String, String>>,
    pub(super) managed_fields: Option<Vec<Managed>>,
}

impl Metadata {
    pub(crate) fn is_deleted(&self) -> bool {
        self.deletion_timestamp.is_some()
    }

    pub(crate) fn label(&self, key: &str) -> Option<&str> {
        self.labels.as_ref()?.get(key).map(String::as_str)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Managed {
    pub(super) manager: Option<String>,
    pub(super) operation: Option<String>,
    pub(super) time: Option<String>,
    pub(super) subresource: Option<String>,
    #[serde(default, rename = "fieldsV1")]
    pub(super) fields: Digested,
}

/// The fingerprint of a value that isn't kept, with its keys in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Digested(pub(super) Fingerprint);

impl<'de> Deserialize<'de> for Digested {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut hasher = Sha256::new();
        Hashing(&mut hasher).deserialize(deserializer)?;
        Ok(Self(half(hasher)))
    }
}

struct Hashing<'a>(&'a mut Sha256);

impl Hashing<'_> {
    fn add(&mut self, kind: u8, bytes: &[u8]) {
        self.0.update([kind]);
        self.0.update(bytes.len().to_le_bytes());
        self.0.update(bytes);
    }
}

impl<'de> DeserializeSeed<'de> for Hashing<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Hashing<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(mut self) -> Result<(), E> {
        self.add(b'0', b"");
        Ok(())
    }

    fn visit_bool<E>(mut self, value: bool) -> Result<(), E> {
        self.add(b'b', &[value.into()]);
        Ok(())
    }

    fn visit_i64<E>(mut self, value: i64) -> Result<(), E> {
        self.add(b'n', &value.to_le_bytes());
        Ok(())
    }

    fn visit_u64<E>(mut self, value: u64) -> Result<(), E> {
        self.add(b'n', &value.to_le_bytes());
        Ok(())
    }

    fn visit_f64<E>(mut self, value: f64) -> Result<(), E> {
        self.add(b'f', &value.to_le_bytes());
        Ok(())
    }

    fn visit_str<E>(mut self, value: &str) -> Result<(), E> {
        self.add(b's', value.as_bytes());
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        self.add(b'[', b"");
        while items.next_element_seed(Hashing(self.0))?.is_some() {}
        self.add(b']', b"");
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        self.add(b'{', b"");
        while let Some(key) = fields.next_key::<String>()? {
            self.add(b'k', key.as_bytes());
            fields.next_value_seed(Hashing(self.0))?;
        }
        self.add(b'}', b"");
        Ok(())
    }
}
