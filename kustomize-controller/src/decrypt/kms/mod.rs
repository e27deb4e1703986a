//! Key services, one a file: each asks its service to decrypt a data key.

mod aws;
mod azure;
mod gcp;
mod vault;

use std::collections::HashMap;

use auth::http::HttpError;
use auth::{Identity, Tokens};
use jiff::{SignedDuration, Timestamp};
use kube::Client;
use parking_lot::Mutex;
use sops::{KeyError, MasterKey};
use zeroize::Zeroizing;

use super::Options;
use super::error::NotYaml;
use super::import::Imported;

/// For how long a key isn't asked for again after its service gave no answer: a Kustomization may have hundreds of
/// files, and each wait takes half a minute.
const SILENCE: SignedDuration = SignedDuration::from_secs(60);

/// Why a key service didn't decrypt a data key.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// A step failed; the source says why.
    #[error("{doing}")]
    While {
        /// What was being done, to what.
        doing: String,
        source: Cause,
    },
    /// The document, or the configuration, is at fault.
    #[error("{0}")]
    Invalid(String),
    #[error(transparent)]
    Auth(#[from] auth::Error),
}

/// What made a step fail.
#[derive(Debug, thiserror::Error)]
pub(super) enum Cause {
    #[error(transparent)]
    Step(#[from] Box<Error>),
    #[error(transparent)]
    Auth(#[from] auth::Error),
    #[error(transparent)]
    Kube(#[from] Box<kube::Error>),
    #[error(transparent)]
    File(#[from] std::io::Error),
    #[error(transparent)]
    Config(#[from] NotYaml),
}

impl Error {
    /// Whether a service gave no answer.
    fn is_silence(&self) -> bool {
        match self {
            Self::Auth(error) | Self::While { source: Cause::Auth(error), .. } => error.is_silence(),
            Self::While { source: Cause::Step(error), .. } => error.is_silence(),
            _ => false,
        }
    }
}

impl From<HttpError> for Error {
    fn from(error: HttpError) -> Self {
        Self::Auth(error.into())
    }
}

impl From<HttpError> for Cause {
    fn from(error: HttpError) -> Self {
        Self::Auth(error.into())
    }
}

impl From<Error> for Cause {
    fn from(error: Error) -> Self {
        Self::Step(Box::new(error))
    }
}

impl From<kube::Error> for Cause {
    fn from(error: kube::Error) -> Self {
        Self::Kube(Box::new(error))
    }
}

/// Says what was being done when an error came.
trait Doing<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T, E: Into<Cause>> Doing<T> for Result<T, E> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|e| Error::While { doing: what(), source: e.into() })
    }
}

/// The plaintext of a data key.
type DataKey = Zeroizing<Vec<u8>>;

/// Who asks the key services, and what they answered meanwhile.
pub(super) struct Services {
    tokens: Tokens,
    who: Identity,
    aws: aws::Memory,
    azure: azure::Memory,
    gcp: gcp::Memory,
    vault: vault::Vault,
    /// Keys whose service gave no answer, until when that counts.
    silent: Mutex<HashMap<String, (KeyError, Timestamp)>>,
}

impl Services {
    pub(super) fn new(client: &Client, who: Identity, options: &Options) -> Self {
        Self {
            tokens: options.tokens.clone(),
            vault: vault::Vault::new(client, options),
            silent: Mutex::default(),
            who,
            aws: aws::Memory::default(),
            azure: azure::Memory::default(),
            gcp: gcp::Memory::default(),
        }
    }

    pub(super) async fn decrypt(&self, imported: &Imported, key: &MasterKey) -> Result<DataKey, KeyError> {
        let (name, now) = (key.name(), self.tokens.now());
        if let Some((error, until)) = self.silent.lock().get(&name)
            && *until > now
        {
            return Err(error.clone());
        }
        // A key's error is shown as it is, in one text with those of other keys.
        self.ask(imported, key).await.map_err(|error| {
            let text = KeyError::new(toolkit::logging::chain(&error));
            if error.is_silence() {
                self.silent.lock().insert(name, (text.clone(), now + SILENCE));
            }
            text
        })
    }

    async fn ask(&self, imported: &Imported, key: &MasterKey) -> Result<DataKey, Error> {
        match key {
            MasterKey::AwsKms { arn, role, context, encrypted, .. } => {
                aws::decrypt(self, imported.aws.as_ref(), &aws::Key { arn, role, context, encrypted }).await
            }
            MasterKey::GcpKms { resource_id, encrypted } => {
                gcp::decrypt(self, imported.gcp.as_ref(), resource_id, encrypted).await
            }
            MasterKey::AzureKeyVault { vault_url, name, version, encrypted } => {
                let key = azure::Key { vault_url, name, version, encrypted };
                azure::decrypt(self, imported.azure.as_ref(), &key).await
            }
            MasterKey::HcVault { address, engine_path, key_name, encrypted } => {
                let key = vault::Key { address, engine_path, key_name, encrypted };
                vault::decrypt(self, imported.vault.as_ref(), &key).await
            }
            MasterKey::HuaweiKms { .. } => {
                Err(Error::Invalid("decryption with Huawei Cloud KMS is not supported".into()))
            }
            MasterKey::Age { .. } | MasterKey::Pgp { .. } => {
                Err(Error::Invalid(format!("{} keys are in no key service", key.kind().name())))
            }
        }
    }
}
