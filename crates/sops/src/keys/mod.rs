//! The keys that open a document, and those who hold them.

mod age;
mod data_key;
mod identities;
mod pgp;
mod shamir;

pub use data_key::DataKey;
pub(crate) use data_key::recover;
pub use identities::{Identities, IdentityError};

use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// A key that encrypted the data key of a document, with what it made of it.
#[derive(Clone, PartialEq, Eq)]
pub enum MasterKey {
    /// age.
    Age {
        /// The recipient: an age or SSH public key.
        recipient: String,
        /// The data key as an armored age file.
        encrypted: String,
    },
    /// OpenPGP.
    Pgp {
        /// The fingerprint, in hexadecimal.
        fingerprint: String,
        /// The data key as an armored message.
        encrypted: String,
    },
    /// AWS Key Management Service.
    AwsKms {
        /// The key; the region is a part of it.
        arn: String,
        /// The role to assume; empty is none.
        role: String,
        /// The encryption context.
        context: BTreeMap<String, String>,
        /// The profile of a local configuration; empty is none.
        profile: String,
        /// The data key in base64.
        encrypted: String,
    },
    /// Google Cloud Key Management Service.
    GcpKms {
        /// `projects/…/locations/…/keyRings/…/cryptoKeys/…`
        resource_id: String,
        /// The data key in base64.
        encrypted: String,
    },
    /// Azure Key Vault.
    AzureKeyVault {
        /// The vault's address.
        vault_url: String,
        /// The key's name.
        name: String,
        /// The key's version; may be empty.
        version: String,
        /// The data key, RSA-OAEP-256, in unpadded base64 of the alphabet for URLs.
        encrypted: String,
    },
    /// HashiCorp Vault or OpenBao, transit engine.
    HcVault {
        /// The server's address.
        address: String,
        /// Where the engine is mounted.
        engine_path: String,
        /// The key's name.
        key_name: String,
        /// The data key as the server gave it: `vault:v1:…`.
        encrypted: String,
    },
    /// Huawei Cloud Key Management Service.
    HuaweiKms {
        /// `region:key-id`
        key_id: String,
        /// The data key in base64.
        encrypted: String,
    },
}

impl MasterKey {
    /// The name by which messages call the key.
    ///
    /// Source: sops `keys.MasterKey.ToString` of each kind.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Age { recipient, .. } => recipient.clone(),
            Self::Pgp { fingerprint, .. } => fingerprint.clone(),
            Self::AwsKms { arn, role, context, profile, .. } => aws_name(arn, role, context, profile),
            Self::GcpKms { resource_id, .. } => resource_id.clone(),
            Self::AzureKeyVault { vault_url, name, version, .. } => {
                format!("{vault_url}/keys/{name}/{version}")
            }
            Self::HcVault { address, engine_path, key_name, .. } => {
                format!("{address}/v1/{engine_path}/keys/{key_name}")
            }
            Self::HuaweiKms { key_id, .. } => key_id.clone(),
        }
    }

    /// What kind of key it is.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        match self {
            Self::Age { .. } => KeyKind::Age,
            Self::Pgp { .. } => KeyKind::Pgp,
            Self::AwsKms { .. } => KeyKind::AwsKms,
            Self::GcpKms { .. } => KeyKind::GcpKms,
            Self::AzureKeyVault { .. } => KeyKind::AzureKeyVault,
            Self::HcVault { .. } => KeyKind::HcVault,
            Self::HuaweiKms { .. } => KeyKind::HuaweiKms,
        }
    }

    /// The data key, or the part of it, as this key encrypted it.
    #[must_use]
    pub fn encrypted(&self) -> &str {
        match self {
            Self::Age { encrypted, .. }
            | Self::Pgp { encrypted, .. }
            | Self::AwsKms { encrypted, .. }
            | Self::GcpKms { encrypted, .. }
            | Self::AzureKeyVault { encrypted, .. }
            | Self::HcVault { encrypted, .. }
            | Self::HuaweiKms { encrypted, .. } => encrypted,
        }
    }
}

fn aws_name(arn: &str, role: &str, context: &BTreeMap<String, String>, profile: &str) -> String {
    let role = if role.is_empty() { String::new() } else { format!("+{role}") };
    let pairs: Vec<String> = context.iter().map(|(key, value)| format!("{key}:{value}")).collect();
    let context = pairs.join(",");
    match (context.is_empty(), profile.is_empty()) {
        (_, false) => format!("{arn}{role}|{context}|{profile}"),
        (false, true) => format!("{arn}{role}|{context}"),
        (true, true) => format!("{arn}{role}"),
    }
}

/// The kinds of master keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// age.
    Age,
    /// OpenPGP.
    Pgp,
    /// AWS Key Management Service.
    AwsKms,
    /// Google Cloud Key Management Service.
    GcpKms,
    /// Azure Key Vault.
    AzureKeyVault,
    /// HashiCorp Vault or OpenBao.
    HcVault,
    /// Huawei Cloud Key Management Service.
    HuaweiKms,
}

impl KeyKind {
    /// The kind's name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Pgp => "OpenPGP",
            Self::AwsKms => "AWS KMS",
            Self::GcpKms => "GCP KMS",
            Self::AzureKeyVault => "Azure Key Vault",
            Self::HcVault => "Vault",
            Self::HuaweiKms => "Huawei KMS",
        }
    }
}

/// Who can decrypt with master keys.
pub trait KeyService: Send + Sync {
    /// Decrypts the data key, or the part of it, that the master key encrypted.
    ///
    /// # Errors
    /// Why this key can't be used, in words that carry neither key nor plaintext.
    fn decrypt(&self, key: &MasterKey) -> Result<Zeroizing<Vec<u8>>, KeyError>;
}

/// Why a master key didn't decrypt a data key: a text for users.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(String);

impl KeyError {
    /// Makes an error; the text must carry no secret.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// The error of one who has nothing to do with a kind of key.
    #[must_use]
    pub fn unsupported(kind: KeyKind) -> Self {
        Self(format!("no credentials for {} are configured", kind.name()))
    }
}
