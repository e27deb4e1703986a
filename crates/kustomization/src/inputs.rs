use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use kustomize::RemoteLoader;
use sops::KeyService;

/// What a build needs beside the tree and the spec.
#[derive(Clone)]
pub struct Inputs {
    /// Set by the caller to make a running build stop.
    pub cancelled: Option<Arc<AtomicBool>>,
    /// The variables of `spec.postBuild.substituteFrom`; those of `spec.postBuild.substitute` are laid over them, and
    /// line breaks are taken out of all. Without `spec.postBuild` they are of no use.
    pub variables: Variables,
    /// Whether a variable that isn't set is an error, rather than empty. Flux's default.
    pub strict: bool,
    /// Who decrypts the keys of what is encrypted, if `spec.decryption` is set; `None` leaves it encrypted.
    pub decryption: Option<Arc<dyn KeyService>>,
    /// Whether the MAC of encrypted files must be that of their content. Flux doesn't look.
    ///
    /// Never looked at is the MAC of objects that are decrypted after the build: kustomize has changed them.
    pub verify_mac: bool,
    /// Who fetches remote bases and files; `None` refuses them, as `--no-remote-bases` does.
    pub remote: Option<Arc<dyn RemoteLoader>>,
}

impl Default for Inputs {
    fn default() -> Self {
        Self {
            cancelled: None,
            variables: Variables::default(),
            strict: true,
            decryption: None,
            verify_mac: true,
            remote: None,
        }
    }
}

/// Says nothing of variables and keys.
impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inputs")
            .field("strict", &self.strict)
            .field("verify_mac", &self.verify_mac)
            .finish_non_exhaustive()
    }
}

/// Variables by name, or why there are none.
#[derive(Clone)]
pub enum Variables {
    /// What was read.
    Read(BTreeMap<String, String>),
    /// Something couldn't be read. Flux reads for each object, so its message names the first object that is
    /// substituted; a build that has none doesn't fail.
    Unreadable(Arc<dyn StdError + Send + Sync>),
}

impl Default for Variables {
    fn default() -> Self {
        Self::Read(BTreeMap::new())
    }
}

/// Says nothing of the values.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(variables) => f.debug_set().entries(variables.keys()).finish(),
            Self::Unreadable(error) => f.debug_tuple("Unreadable").field(error).finish(),
        }
    }
}
