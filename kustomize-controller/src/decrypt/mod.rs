//! Which keys open a Kustomization's encrypted files: those of its Secret, those of the operator, and key services
//! in the cloud, as whoever the Kustomization says.
//!
//! [`Keys::load`] reads the Secret; the key services are asked when a document needs them. Credentials of the
//! Secret come first, for each service; without, the identity is asked for, and cached by [`auth::Cache`].
//!
//! Source: kustomize-controller `internal/decryptor`. Deviations are in `COMPATIBILITY.md`.

mod accounts;
mod error;
mod import;
mod kms;
mod memo;
mod secret;
mod structured;

use std::sync::Arc;

use api::kustomize::v1::{Decryption, Kustomization};
use auth::{Identity, InvolvedObject, Operation, Tokens};
use kube::{Client, ResourceExt};
use sha2::{Digest, Sha256};
use sops::{KeyError, KeyService, MasterKey};
use tokio::runtime::Handle;
use zeroize::Zeroizing;

pub(crate) use accounts::Accounts;
pub(crate) use error::Error;

use import::Imported;
use kms::Services;
use secret::Material;

/// What the operator's flags say about decryption.
pub(crate) struct Options {
    /// `--sops-age-secret`: a Secret with age keys for who names none.
    pub age_secret: Option<String>,
    /// `--sops-vault-configmap`: a ConfigMap with the Vault instances that ServiceAccounts may log in to.
    pub vault_config_map: Option<String>,
    /// `--default-decryption-service-account`.
    pub default_service_account: Option<String>,
    /// The namespace of the Secret and the ConfigMap above.
    pub runtime_namespace: String,
    /// Issues tokens of the clouds.
    pub tokens: Tokens,
}

/// The keys of one Kustomization. Has no `Debug`.
///
/// To be used on the blocking pool: asking a key service blocks the thread.
pub(crate) struct Keys {
    imported: Imported,
    services: Services,
    runtime: Handle,
    fingerprint: [u8; 32],
}

impl Keys {
    /// Reads the keys that a Kustomization may use; `None` when it asks for no decryption.
    ///
    /// # Errors
    /// When the Secret can't be read, or a value of it can't be used; texts are Flux's and quote no value.
    pub(crate) async fn load(
        client: &Client,
        kustomization: &Kustomization,
        options: &Options,
    ) -> Result<Option<Arc<Self>>, Error> {
        let Some(decryption) = &kustomization.spec.decryption else { return Ok(None) };
        let object = InvolvedObject {
            kind: "Kustomization",
            name: kustomization.name_any(),
            namespace: kustomization.namespace().unwrap_or_default(),
            operation: Operation::DecryptWithAws,
        };
        let namespace = object.namespace.clone();
        let named = decryption.service_account_name.as_deref();
        let who = Identity::new(object, named, options.default_service_account.as_deref());
        let material = match (&decryption.secret_ref, &options.age_secret) {
            (Some(reference), _) => Some(Material::named(client, &namespace, &reference.name).await?),
            (None, Some(name)) => Some(Material::age_only(client, &options.runtime_namespace, name).await?),
            (None, None) => None,
        };
        let fingerprint = fingerprint(decryption, material.as_ref(), &who, options);
        let imported = material.as_ref().map(Imported::new).transpose()?.unwrap_or_default();
        let services = Services::new(client, who, options);
        Ok(Some(Arc::new(Self { imported, services, runtime: Handle::current(), fingerprint })))
    }

    /// Changes whenever other keys may be at hand: with the Secret's version, never with a token.
    ///
    /// Nothing of the Secret's values is in it.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }
}

impl KeyService for Keys {
    fn decrypt(&self, key: &MasterKey) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match key {
            MasterKey::Age { .. } | MasterKey::Pgp { .. } => self.imported.identities.decrypt(key),
            elsewhere => self.runtime.block_on(self.services.decrypt(&self.imported, elsewhere)),
        }
    }
}

fn fingerprint(
    decryption: &Decryption,
    material: Option<&Material>,
    who: &Identity,
    options: &Options,
) -> [u8; 32] {
    let account = who.service_account.as_ref().map(ToString::to_string);
    let secret = decryption.secret_ref.as_ref().map(|reference| reference.name.clone());
    let parts = [
        secret.or_else(|| options.age_secret.clone()),
        material.map(|material| material.version.clone()),
        account,
        options.vault_config_map.clone(),
    ];
    let mut hash = Sha256::new();
    for part in parts {
        let part = part.unwrap_or_default();
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests;
