//! What is known of applied objects, and who changes them behind our back.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};

use api::kustomize::v1::{GROUP, Kustomization};
use api::meta::ObjectRef;
use parking_lot::Mutex;
use ssa::{Known, Live, LiveState};
use tokio::time::Instant;
use toolkit::reconcile::{Handle, Key};
use toolkit::run::Runtime;
use tracing::debug;

use crate::clusters::Cluster;
use crate::kustomization::drift::Pace;

/// What is known of applied objects, and who changes them behind our back.
pub(crate) struct Watched {
    /// What the cluster answered to the last apply of each Kustomization.
    known: Mutex<HashMap<Key, Arc<Known>>>,
    /// Kustomizations whose last run went well and is over. What changes during a run is most likely its own doing, and
    /// is looked at when it ends; what failed comes again by itself.
    settled: Mutex<HashSet<Key>>,
    pace: Pace,
    /// The watches of our own cluster; `None` with `--drift-detection=interval`.
    live: Option<Live>,
    kustomizations: Handle<Kustomization>,
}

impl Watched {
    pub(crate) fn new(runtime: &Runtime, kustomizations: Handle<Kustomization>, watch: bool) -> Arc<Self> {
        Arc::new_cyclic(|own: &Weak<Self>| Self {
            known: Mutex::default(),
            settled: Mutex::default(),
            pace: Pace::default(),
            live: watch.then(|| live(runtime, own.clone())),
            kustomizations,
        })
    }

    /// The watches of our own cluster.
    pub(crate) fn live(&self) -> Option<&Live> {
        self.live.as_ref()
    }

    /// A run begins.
    pub(crate) fn begin(&self, key: &Key) {
        self.settled.lock().remove(key);
    }

    /// A run went well: from now on changes ask for another one, and so does what it didn't see.
    pub(crate) fn settle(&self, key: &Key) {
        self.settled.lock().insert(key.clone());
        self.look(key);
    }

    /// What the last apply learned.
    pub(crate) fn known(&self, key: &Key) -> Arc<Known> {
        self.known.lock().get(key).cloned().unwrap_or_default()
    }

    /// Keeps what an apply learned for the next one.
    pub(crate) fn learn(&self, key: &Key, known: Known) {
        self.known.lock().insert(key.clone(), Arc::new(known));
    }

    pub(crate) fn forget(&self, key: &Key) {
        if let Some(live) = &self.live {
            live.forget(&ssa::Owner { name: key.name.clone(), namespace: key.namespace.clone() });
        }
        self.known.lock().remove(key);
        self.settled.lock().remove(key);
        self.pace.forget(key);
    }

    /// Whether watches prove that every object of the last apply is as that left it.
    pub(crate) fn is_untouched(&self, key: &Key, cluster: &Cluster) -> bool {
        let Some(live) = &cluster.live else { return false };
        self.known.lock().get(key).is_some_and(|known| known.untouched(live))
    }

    /// Somebody changed an object of the Kustomization.
    fn changed(&self, key: &Key) {
        if self.settled.lock().contains(key) {
            self.look(key);
        }
    }

    /// Two Kustomizations that apply the same object don't wake each other: they take it from each other at their
    /// intervals, as in Flux.
    fn look(&self, key: &Key) {
        let Some(live) = &self.live else { return };
        let belongs_to_another = |object: &ObjectRef| match live.state(object) {
            LiveState::Present { owner, .. } => owner.name != key.name || owner.namespace != key.namespace,
            LiveState::Absent | LiveState::Unknown => false,
        };
        if !self.known(key).differs(live).iter().all(belongs_to_another) {
            self.correct(key);
        }
    }

    /// What an apply found of a change by others.
    pub(crate) fn found(&self, key: &Key, drifted: bool) {
        if !drifted {
            self.pace.harmless(key);
        }
    }

    fn correct(&self, key: &Key) {
        let delay = self.pace.delay(key, Instant::now());
        debug!(%key, ?delay, "woken by a change of an applied object");
        self.kustomizations.queue.add_after(key.clone(), delay);
    }
}

/// Follows what was applied to our own cluster.
fn live(runtime: &Runtime, watched: Weak<Watched>) -> Live {
    Live::new(runtime.client.clone(), GROUP, move |news| {
        if let Some(watched) = watched.upgrade() {
            watched.changed(&Key { namespace: news.owner.namespace.clone(), name: news.owner.name.clone() });
        }
    })
}
