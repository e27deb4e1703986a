//! The unpacked trees: each is made once, shared, and kept for a while.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use tempfile::TempDir;

use super::{Error, Kept, scratch::Scratch};
use crate::{digest::Digest, extract::Extracted};

/// An unpacked artifact. Its folder is removed when the last user and the cache have let go of it.
pub struct Tree {
    digest: Digest,
    extracted: Extracted,
    /// The folder, before the one in which it lies.
    dir: Option<(TempDir, Arc<Scratch>)>,
}

impl Tree {
    pub(super) fn new(digest: Digest, extracted: Extracted, dir: TempDir, scratch: Arc<Scratch>) -> Self {
        Self { digest, extracted, dir: Some((dir, scratch)) }
    }

    /// Returns the folder with the files. Others read it as well: it must not be written to.
    #[must_use]
    pub fn path(&self) -> &Path {
        let (dir, _) = self.dir.as_ref().expect("it is taken on drop only");
        dir.path()
    }

    /// Returns the digest of the artifact.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Returns the number and the size of the files.
    #[must_use]
    pub fn extracted(&self) -> Extracted {
        self.extracted
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let dir = self.dir.take();
        // Thousands of files take a while, too long for a thread of the runtime.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || drop(dir))),
            Err(_) => drop(dir),
        }
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree").field("digest", &self.digest).field("extracted", &self.extracted).finish()
    }
}

type Flight = BoxFuture<'static, Result<Arc<Tree>, Error>>;

/// Trees by digest.
pub(super) struct Trees {
    kept: Kept,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Being made; gone if nobody waits any longer.
    flights: HashMap<Digest, WeakShared<Flight>>,
    /// Known to exist, if someone still holds it.
    alive: HashMap<Digest, Weak<Tree>>,
    /// Held here, the one used last at the end.
    recent: VecDeque<Arc<Tree>>,
}

impl Trees {
    pub(super) fn new(kept: Kept) -> Self {
        Self { kept, state: Mutex::default() }
    }

    /// Returns the tree, or makes it together with all who ask for it in the meantime.
    pub(super) async fn get(
        self: &Arc<Self>,
        digest: &Digest,
        make: impl FnOnce() -> BoxFuture<'static, Result<Tree, Error>>,
    ) -> Result<Arc<Tree>, Error> {
        let flight = {
            let mut state = self.state();
            if let Some(tree) = state.find(digest) {
                self.keep(&mut state, &tree);
                return Ok(tree);
            }
            match state.flights.get(digest).and_then(WeakShared::upgrade) {
                Some(flight) => flight,
                None => self.depart(&mut state, digest, make()),
            }
        };
        flight.await
    }

    fn depart(
        self: &Arc<Self>,
        state: &mut State,
        digest: &Digest,
        make: BoxFuture<'static, Result<Tree, Error>>,
    ) -> Shared<Flight> {
        let (trees, key) = (self.clone(), digest.clone());
        let flight = async move {
            let made = make.await.map(Arc::new);
            trees.arrive(&key, made.as_ref().ok());
            made
        };
        let flight = flight.boxed().shared();
        state.flights.retain(|_, flight| flight.upgrade().is_some());
        state.flights.extend(flight.downgrade().map(|weak| (digest.clone(), weak)));
        flight
    }

    fn arrive(&self, digest: &Digest, tree: Option<&Arc<Tree>>) {
        let mut state = self.state();
        state.flights.remove(digest);
        if let Some(tree) = tree {
            state.alive.retain(|_, tree| tree.strong_count() > 0);
            state.alive.insert(digest.clone(), Arc::downgrade(tree));
            self.keep(&mut state, tree);
        }
    }

    /// Puts the tree last in the row, and lets go of what is over the limits.
    fn keep(&self, state: &mut State, tree: &Arc<Tree>) {
        state.recent.retain(|other| !Arc::ptr_eq(other, tree));
        state.recent.push_back(tree.clone());
        let mut bytes: u64 = state.recent.iter().map(|tree| tree.extracted.bytes).sum();
        while state.recent.len() > self.kept.trees || bytes > self.kept.bytes {
            let Some(oldest) = state.recent.pop_front() else { break };
            bytes -= oldest.extracted.bytes;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&self, digest: &Digest) -> Option<Arc<Tree>> {
        self.alive.get(digest).and_then(Weak::upgrade)
    }
}

impl fmt::Debug for Trees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trees").field("kept", &self.kept).finish_non_exhaustive()
    }
}
