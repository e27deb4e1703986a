//! Follows what was applied by watches of its metadata, so that an untouched object costs no request.
//!
//! One watch a kind, over all namespaces, of the objects that carry the owner label. It starts when an apply for an
//! owner used the kind and stops when no owner uses it any more. What is kept of an object is about two hundred bytes:
//! identity, version, and fingerprints of what a drift can show in.
//!
//! A kind that may not be watched, or isn't in sync, answers [`LiveState::Unknown`]: then applies read as they do
//! without this module. Nothing is ever deleted on the word of a watch.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use api::meta::ObjectRef;
use parking_lot::{Mutex, RwLock};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::Owner;
use crate::mapper::Mapping;
use crate::order::GroupKind;
use crate::sighting::{Motion, Sighting, Version};

mod follow;
mod table;

use self::follow::Follower;
use self::table::Table;

/// What the watches tell of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiveState {
    /// Its kind isn't watched or not in sync.
    Unknown,
    /// It is not there, or doesn't carry the owner label.
    Absent,
    /// It is there.
    Present {
        /// By its labels.
        owner: Owner,
        /// `metadata.resourceVersion`.
        resource_version: String,
        /// A wait found it ready in this version.
        ready: bool,
    },
}

/// What happened to an object, or to all of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiveChange {
    /// It is new, or new to the owner.
    Appeared,
    /// Content, labels or annotations changed; mere changes of status are not told.
    Changed,
    /// It is gone, or has lost the label of its owner.
    Vanished,
    /// A kind was listed anew; compare with [`Known::differs`](crate::Known::differs).
    Listed,
}

/// A change that may concern an owner. Our own writes are told, too: compare with what is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveNews {
    /// By the labels of the object; for lists, who follows the kind.
    pub owner: Owner,
    /// Which object; nothing for lists.
    pub object: Option<ObjectRef>,
    /// What happened.
    pub change: LiveChange,
}

type OnChange = dyn Fn(&LiveNews) + Send + Sync;

/// Follows the objects of one cluster. Clones share the watches, which end with the last clone.
#[derive(Clone)]
pub struct Live {
    shared: Arc<Shared>,
    _watches: Arc<DropGuard>,
}

struct Shared {
    client: kube::Client,
    /// Label group of owners.
    group: String,
    on_change: Box<OnChange>,
    stop: CancellationToken,
    following: Mutex<Following>,
}

#[derive(Default)]
struct Following {
    kinds: HashMap<GroupKind, Followed>,
    owners: HashMap<Owner, HashSet<GroupKind>>,
}

impl Following {
    /// Tells whether all is as wanted already, which it is nearly always.
    fn has(&self, owner: &Owner, wanted: &HashSet<GroupKind>, kinds: &HashMap<GroupKind, Mapping>) -> bool {
        let as_mapped = |(kind, mapping): (&GroupKind, &Mapping)| {
            self.kinds.get(kind).is_some_and(|followed| followed.mapping == *mapping)
        };
        self.owners.get(owner) == Some(wanted) && kinds.iter().all(as_mapped)
    }
}

struct Followed {
    mapping: Mapping,
    stop: CancellationToken,
    table: Arc<RwLock<Table>>,
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("kinds", &self.shared.following.lock().kinds.len()).finish()
    }
}

/// How a known object compares with what the watches tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Nothing can be said: not in sync, or behind what is known.
    Unknown,
    Absent,
    Moved(Motion),
}

impl Seen {
    /// It is there, and nothing that an apply would correct has changed.
    pub(crate) fn is_untouched(self) -> bool {
        matches!(self, Self::Moved(Motion::Same | Motion::Status))
    }

    /// It is gone, or something changed that an apply may correct.
    pub(crate) fn is_touched(self) -> bool {
        matches!(self, Self::Absent | Self::Moved(Motion::Changed))
    }
}

impl Live {
    /// Watches nothing until something was applied.
    ///
    /// `on_change` is called from the tasks of the watches, one change after another; it must not block.
    /// `owner_group` is that of [`Options`](crate::Options).
    #[must_use]
    pub fn new(
        client: kube::Client,
        owner_group: impl Into<String>,
        on_change: impl Fn(&LiveNews) + Send + Sync + 'static,
    ) -> Self {
        let stop = CancellationToken::new();
        let shared = Shared {
            client,
            group: owner_group.into(),
            on_change: Box::new(on_change),
            stop: stop.clone(),
            following: Mutex::default(),
        };
        Self { shared: Arc::new(shared), _watches: Arc::new(stop.drop_guard()) }
    }

    /// What is known of an object.
    #[must_use]
    pub fn state(&self, object: &ObjectRef) -> LiveState {
        let Some(table) = self.table(object) else { return LiveState::Unknown };
        table.read().state(object)
    }

    /// Forgets an owner, and with it the kinds that no other owner uses.
    pub fn forget(&self, owner: &Owner) {
        self.follow(owner, HashMap::new());
    }

    /// How many kinds are watched at the moment.
    #[must_use]
    pub fn kinds(&self) -> usize {
        self.shared.following.lock().kinds.len()
    }

    /// How many objects are remembered, and about how many bytes that takes.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let tables: Vec<_> =
            self.shared.following.lock().kinds.values().map(|kind| Arc::clone(&kind.table)).collect();
        tables.iter().map(|table| table.read().size()).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1))
    }

    /// Watches exactly these kinds for an owner.
    pub(crate) fn follow(&self, owner: &Owner, kinds: HashMap<GroupKind, Mapping>) {
        let mut following = self.shared.following.lock();
        let wanted: HashSet<GroupKind> = kinds.keys().cloned().collect();
        if following.has(owner, &wanted, &kinds) {
            return;
        }
        if wanted.is_empty() {
            following.owners.remove(owner);
        } else {
            following.owners.insert(owner.clone(), wanted);
        }
        for (kind, mapping) in kinds {
            let unchanged = following.kinds.get(&kind).is_some_and(|followed| followed.mapping == mapping);
            if !unchanged {
                let followed = self.start(&kind, mapping);
                if let Some(before) = following.kinds.insert(kind, followed) {
                    before.stop.cancel();
                }
            }
        }
        let Following { kinds, owners } = &mut *following;
        let used: HashSet<&GroupKind> = owners.values().flatten().collect();
        kinds.retain(|kind, followed| {
            let stays = used.contains(kind);
            if !stays {
                followed.stop.cancel();
            }
            stays
        });
    }

    fn start(&self, kind: &GroupKind, mapping: Mapping) -> Followed {
        let table = Arc::new(RwLock::new(Table::new(self.shared.group.clone())));
        let stop = self.shared.stop.child_token();
        let follower = Follower {
            // Not the whole of `Live`: a watch must not keep itself alive.
            shared: Arc::clone(&self.shared),
            kind: kind.clone(),
            mapping: mapping.clone(),
            table: Arc::clone(&table),
        };
        let stopped = stop.clone();
        tokio::spawn(async move { stopped.run_until_cancelled(follower.run()).await });
        Followed { mapping, stop, table }
    }

    /// Compares what is known of an object with what the watches tell.
    pub(crate) fn compare(&self, object: &ObjectRef, known: &Sighting) -> Seen {
        self.table(object).map_or(Seen::Unknown, |table| table.read().compare(object, known))
    }

    /// Notes that an object was found ready in a version.
    pub(crate) fn note_ready(&self, object: &ObjectRef, version: &Version) {
        if let Some(table) = self.table(object) {
            table.write().note_ready(object, version);
        }
    }

    /// Tells whether an object was found ready and hasn't moved since.
    pub(crate) fn is_ready(&self, object: &ObjectRef) -> bool {
        self.table(object).is_some_and(|table| table.read().is_ready(object))
    }

    /// The version in which an object is there, where that is known.
    pub(crate) fn version(&self, object: &ObjectRef) -> Option<Version> {
        self.table(object)?.read().version_of(object)
    }

    fn table(&self, object: &ObjectRef) -> Option<Arc<RwLock<Table>>> {
        let kind = GroupKind { group: object.group.clone(), kind: object.kind.clone() };
        Some(Arc::clone(&self.shared.following.lock().kinds.get(&kind)?.table))
    }
}

impl Shared {
    fn tell(&self, news: impl IntoIterator<Item = LiveNews>) {
        for one in news {
            (self.on_change)(&one);
        }
    }

    /// Who follows a kind.
    fn owners_of(&self, kind: &GroupKind) -> Vec<Owner> {
        let following = self.following.lock();
        let uses =
            |(owner, kinds): (&Owner, &HashSet<GroupKind>)| kinds.contains(kind).then(|| owner.clone());
        following.owners.iter().filter_map(uses).collect()
    }
}
