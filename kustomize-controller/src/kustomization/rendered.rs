//! What is remembered of a build, so that it need not be made again.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use kustomization::Reads;
use parking_lot::Mutex;
use toolkit::reconcile::Key;

/// The last build of a Kustomization that was applied.
///
/// It holds digests and what was read, not the objects: those are only needed when something has to be written, and a
/// build is cheap.
#[derive(Clone)]
pub(crate) struct Rendering {
    /// Of everything that goes into a build beside the tree.
    pub fingerprint: [u8; 32],
    /// Digest of the artifact that was built.
    pub artifact: String,
    /// What the build looked at in the tree.
    pub reads: Reads,
    /// Digest of what was built.
    pub digest: String,
    /// The objects whose health was awaited.
    pub targets: Option<Vec<ssa::Target>>,
    /// When everything was last compared in full.
    pub full_check: tokio::time::Instant,
}

/// The last builds of all Kustomizations. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Renderings(Arc<Mutex<HashMap<Key, Arc<Rendering>>>>);

impl Renderings {
    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Rendering>> {
        self.0.lock().get(key).cloned()
    }

    pub(crate) fn put(&self, key: Key, rendering: Rendering) {
        self.0.lock().insert(key, Arc::new(rendering));
    }

    pub(crate) fn remove(&self, key: &Key) {
        self.0.lock().remove(key);
    }

    /// Whether the last build read nothing that is different in the tree.
    pub(crate) fn reads_the_same(&self, key: &Key, tree: &Path) -> bool {
        self.get(key).is_some_and(|last| last.reads.still_true(tree))
    }
}
