//! Fields of metadata, read as leniently as sops does: formats without types have only text.

use crate::error::LoadError;
use crate::keys::MasterKey;
use crate::tree::{Branch, Entry, Item, Value, fixed_float};
use std::collections::BTreeMap;

/// Reads a master key of one kind.
type ReadKey<'a> = fn(&Fields<'a>) -> Result<MasterKey, LoadError>;

/// The fields of a map.
pub(super) struct Fields<'a>(BTreeMap<&'a str, &'a Value>);

impl<'a> Fields<'a> {
    pub(super) fn of(branch: &'a Branch) -> Self {
        Self(
            branch
                .iter()
                .filter_map(|entry| match entry {
                    Entry::Pair(key, value) => Some((key.as_str(), value)),
                    Entry::Comment(_) => None,
                })
                .collect(),
        )
    }

    /// A text; empty if it isn't there.
    pub(super) fn text(&self, field: &str) -> Result<String, LoadError> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(value) => text(value).ok_or_else(|| wrong(field, "text")),
        }
    }

    /// A number of things; 0 if it isn't there.
    pub(super) fn number(&self, field: &str) -> Result<usize, LoadError> {
        let number = match self.0.get(field) {
            None | Some(Value::Null) => Some(0),
            Some(Value::Int(int)) => usize::try_from(*int).ok(),
            Some(Value::Str(text)) if text.is_empty() => Some(0),
            Some(Value::Str(text)) => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()),
            Some(_) => None,
        };
        number.ok_or_else(|| wrong(field, "a number of groups"))
    }

    /// Yes or no; no if it isn't there.
    pub(super) fn boolean(&self, field: &str) -> Result<bool, LoadError> {
        let boolean = match self.0.get(field) {
            None | Some(Value::Null) => Some(false),
            Some(Value::Bool(bool)) => Some(*bool),
            Some(Value::Int(int)) => Some(*int != 0),
            Some(Value::Str(text)) => match text.as_slice() {
                b"" | b"0" | b"f" | b"F" | b"false" | b"False" | b"FALSE" => Some(false),
                b"1" | b"t" | b"T" | b"true" | b"True" | b"TRUE" => Some(true),
                _ => None,
            },
            Some(_) => None,
        };
        boolean.ok_or_else(|| wrong(field, "true or false"))
    }

    /// A list of maps; one map alone counts as a list of it.
    pub(super) fn list(&self, field: &str) -> Result<Vec<Self>, LoadError> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Str(text)) if text.is_empty() => Ok(Vec::new()),
            Some(Value::Map(branch)) if branch.is_empty() => Ok(Vec::new()),
            Some(Value::Map(branch)) => Ok(vec![Self::of(branch)]),
            Some(Value::List(items)) => {
                let values = items.iter().filter_map(|item| match item {
                    Item::Value(value) => Some(value),
                    Item::Comment(_) => None,
                });
                values.map(|value| Self::of_value(field, value)).collect()
            }
            Some(_) => Err(wrong(field, "a list")),
        }
    }

    fn of_value(field: &str, value: &'a Value) -> Result<Self, LoadError> {
        match value {
            Value::Map(branch) => Ok(Self::of(branch)),
            Value::Null => Ok(Self(BTreeMap::new())),
            _ => Err(wrong(field, "a list of maps")),
        }
    }

    fn texts(&self, field: &str) -> Result<BTreeMap<String, String>, LoadError> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(BTreeMap::new()),
            Some(Value::Map(branch)) => {
                let fields = Self::of(branch);
                fields.0.keys().map(|key| Ok(((*key).to_owned(), fields.text(key)?))).collect()
            }
            Some(_) => Err(wrong(field, "a map")),
        }
    }

    /// The master keys of a group, in the order of sops: by kind, each as they stand.
    ///
    /// Source: sops `stores.internalGroupFrom`.
    pub(super) fn master_keys(&self) -> Result<Vec<MasterKey>, LoadError> {
        let kinds: [(&str, ReadKey<'_>); 7] = [
            ("kms", Self::aws),
            ("gcp_kms", Self::gcp),
            ("hckms", Self::huawei),
            ("azure_kv", Self::azure),
            ("hc_vault", Self::vault),
            ("pgp", Self::pgp),
            ("age", Self::age),
        ];
        let mut keys = Vec::new();
        for (field, read) in kinds {
            for fields in self.list(field)? {
                keys.push(read(&fields)?);
            }
        }
        Ok(keys)
    }

    fn aws(&self) -> Result<MasterKey, LoadError> {
        Ok(MasterKey::AwsKms {
            arn: self.text("arn")?,
            role: self.text("role")?,
            context: self.texts("context")?,
            profile: self.text("aws_profile")?,
            encrypted: self.text("enc")?,
        })
    }

    fn gcp(&self) -> Result<MasterKey, LoadError> {
        Ok(MasterKey::GcpKms { resource_id: self.text("resource_id")?, encrypted: self.text("enc")? })
    }

    fn huawei(&self) -> Result<MasterKey, LoadError> {
        Ok(MasterKey::HuaweiKms { key_id: self.text("key_id")?, encrypted: self.text("enc")? })
    }

    fn azure(&self) -> Result<MasterKey, LoadError> {
        Ok(MasterKey::AzureKeyVault {
            vault_url: self.text("vault_url")?,
            name: self.text("name")?,
            version: self.text("version")?,
            encrypted: self.text("enc")?,
        })
    }

    fn vault(&self) -> Result<MasterKey, LoadError> {
        Ok(MasterKey::HcVault {
            address: self.text("vault_address")?,
            engine_path: self.text("engine_path")?,
            key_name: self.text("key_name")?,
            encrypted: self.text("enc")?,
        })
    }

    fn pgp(&self) -> Result<MasterKey, LoadError> {
        Ok(MasterKey::Pgp { fingerprint: self.text("fp")?, encrypted: self.text("enc")? })
    }

    fn age(&self) -> Result<MasterKey, LoadError> {
        Ok(MasterKey::Age { recipient: self.text("recipient")?, encrypted: self.text("enc")? })
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Str(text) => String::from_utf8(text.to_vec()).ok(),
        Value::Int(int) => Some(int.to_string()),
        Value::Float(float) => Some(fixed_float(*float)),
        Value::Bool(bool) => Some(u8::from(*bool).to_string()),
        Value::Time(time) => Some(time.to_string()),
        Value::Null | Value::Bytes(_) | Value::List(_) | Value::Map(_) => None,
    }
}

fn wrong(field: &str, wanted: &str) -> LoadError {
    LoadError::metadata(format!("{field} isn't {wanted}"))
}
