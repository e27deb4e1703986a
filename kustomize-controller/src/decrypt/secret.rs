//! Reads the Secret, uncached.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client, ResourceExt};
use zeroize::Zeroizing;

use super::Error;

/// The words by which messages call the Secret of a Kustomization, and that of the operator.
const OWN: &str = "decryption Secret";
const AGE: &str = "SOPS age decryption Secret";

/// The values of a Secret, wiped when dropped.
pub(super) struct Material {
    /// Which of the Secrets it is, in the words of messages.
    pub what: &'static str,
    /// `namespace/name`.
    pub name: String,
    /// Changes when the Secret does.
    pub version: String,
    /// The values by their keys.
    pub values: BTreeMap<String, Zeroizing<Vec<u8>>>,
}

impl Material {
    /// The Secret that a Kustomization names.
    pub(super) async fn named(client: &Client, namespace: &str, name: &str) -> Result<Self, Error> {
        Self::read(client, namespace, name, OWN).await
    }

    /// The operator's Secret, without all that isn't an age key: cloud credentials in it would take the place of
    /// the Kustomization's own identity.
    pub(super) async fn age_only(client: &Client, namespace: &str, name: &str) -> Result<Self, Error> {
        let mut material = Self::read(client, namespace, name, AGE).await?;
        material.values.retain(|key, _| extension(key) == ".agekey");
        Ok(material)
    }

    async fn read(client: &Client, namespace: &str, name: &str, what: &'static str) -> Result<Self, Error> {
        let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
        let full = format!("{namespace}/{name}");
        let mut secret = match api.get(name).await {
            Ok(secret) => secret,
            Err(kube::Error::Api(status)) if status.code == 404 => {
                let text = Some(status.message).filter(|message| !message.is_empty());
                return Err(Error::NotFound(text.unwrap_or_else(|| format!("secrets \"{name}\" not found"))));
            }
            Err(e) => return Err(Error::Get { what, name: full, source: Box::new(unquoting(e)) }),
        };
        let values = std::mem::take(&mut secret.data).unwrap_or_default();
        let values = values.into_iter().map(|(key, value)| (key, Zeroizing::new(value.0))).collect();
        let version = [secret.uid(), secret.resource_version()].map(Option::unwrap_or_default).join("/");
        Ok(Self { what, name: full, version, values })
    }
}

/// The end of a name from its last dot on, the dot included; empty when there is none (Go's `filepath.Ext`).
pub(super) fn extension(name: &str) -> &str {
    name.rfind('.').map_or("", |at| &name[at..])
}

/// Without what a decoding error might quote of the Secret.
fn unquoting(error: kube::Error) -> kube::Error {
    match error {
        kube::Error::SerdeError(_) => {
            kube::Error::SerdeError(serde::de::Error::custom("the answer is not a Secret"))
        }
        other => other,
    }
}
