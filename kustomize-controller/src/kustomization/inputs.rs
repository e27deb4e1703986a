//! What goes into a build beside the tree: variables and keys.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api::kustomize::v1::Kustomization;
use kustomization::Variables;
use kustomize::RemoteLoader;
use remote::Fetcher;
use sha2::{Digest, Sha256};
use sops::KeyService;

use super::error::Cause;
use super::variables;
use crate::context::Context;
use crate::decrypt::Keys;

/// What goes into a build beside the tree.
pub(super) struct Inputs {
    variables: Variables,
    keys: Option<Arc<Keys>>,
}

impl Inputs {
    /// Reads them from the cluster, with the controller's own identity.
    pub(super) async fn read(object: &Kustomization, context: &Context) -> Result<Self, Cause> {
        let keys = Keys::load(&context.client, object, &context.decryption).await;
        let keys = keys.map_err(|e| Cause::Keys(Box::new(e)))?;
        let variables = match variables::read(object, &context.client).await {
            Ok(variables) => Variables::Read(variables),
            Err(e) => Variables::Unreadable(Arc::new(e)),
        };
        Ok(Self { variables, keys })
    }

    /// A digest of all that a build depends on beside the tree.
    pub(super) fn fingerprint(&self, object: &Kustomization) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut add = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        add(&serde_json::to_vec(&object.spec).unwrap_or_default());
        match &self.variables {
            Variables::Read(variables) => {
                for (name, value) in variables {
                    add(name.as_bytes());
                    add(value.as_bytes());
                }
            }
            Variables::Unreadable(why) => add(why.to_string().as_bytes()),
        }
        if let Some(keys) = &self.keys {
            add(&keys.fingerprint());
        }
        hash.finalize().into()
    }

    /// The inputs of one build; its remote bases lie in folders below the given one until it is done.
    pub(super) fn for_build(
        self,
        context: &Context,
        folder: &Path,
        timeout: Duration,
    ) -> kustomization::Inputs {
        let bounds = remote::Options::new(folder);
        let bounds = remote::Options {
            file_timeout: bounds.file_timeout.min(timeout),
            repository_timeout: bounds.repository_timeout.min(timeout),
            ..bounds
        };
        let remote = || Arc::new(Fetcher::new(bounds)) as Arc<dyn RemoteLoader>;
        kustomization::Inputs {
            cancelled: None,
            variables: self.variables,
            strict: context.options.strict_substitutions,
            decryption: self.keys.map(|keys| keys as Arc<dyn KeyService>),
            verify_mac: context.options.verify_mac,
            remote: context.options.remote_bases.then(remote),
        }
    }
}
