use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};

use artifact::{catalog::Catalog, storage::Storage};
use kube::Client;
use toolkit::features::FeatureGates;

/// What reconcilers share.
pub(crate) struct Context {
    /// For Secrets.
    pub(crate) client: Client,
    /// Where artifacts are kept.
    pub(crate) storage: Arc<Storage>,
    /// What the artifact service knows to be current.
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) features: FeatureGates,
    /// Becomes true at shutdown, to end what runs on the blocking pool.
    pub(crate) cancel: Arc<AtomicBool>,
    /// For what is fetched, until it is stored.
    pub(crate) temporary: PathBuf,
}
