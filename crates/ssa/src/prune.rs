//! Deletes what is not asked for any more.

use std::collections::HashSet;
use std::time::Duration;

use api::meta::{ObjectRef, ResourceRef};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::order::compare_kinds;
use crate::request::{Calls, Path, RequestError, object_path};
use crate::{Action, Change, ChangeSet, Manager, Owner, metadata};

/// How often a deletion is tried again when others write at the same time.
const CONFLICTS: usize = 10;

/// How one run prunes.
#[derive(Clone, Debug)]
pub struct PruneOptions {
    /// `metadata.uid` of objects that stay, whatever the entries call them: one object may be served under several
    /// groups.
    pub keep: HashSet<String>,
    /// `metadata.uid` of the objects that may be deleted, as [`Manager::deletions`] told them; nothing puts no limit.
    /// Another object than these is an error, so that it is judged again.
    pub only: Option<HashSet<String>>,
    /// Longest time for the whole run.
    pub timeout: Duration,
    /// Ends the run early.
    pub cancel: CancellationToken,
}

impl Default for PruneOptions {
    fn default() -> Self {
        Self {
            keep: HashSet::new(),
            only: None,
            timeout: Duration::from_secs(300),
            cancel: CancellationToken::new(),
        }
    }
}

/// An object that a prune would delete now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Which object.
    pub object: ObjectRef,
    /// API version of the kind, without the group.
    pub version: String,
    /// `metadata.uid`, for [`PruneOptions::only`].
    pub uid: String,
}

/// Some objects could not be deleted.
#[derive(Debug, thiserror::Error)]
#[error("delete failed, errors: {}", .errors.iter().map(|error| format!("{error};")).collect::<String>())]
pub struct PruneError {
    /// What was deleted or skipped all the same.
    pub changes: ChangeSet,
    /// What must stay in the inventory, in its old order.
    pub remaining: Vec<ResourceRef>,
    /// One text an object that failed, such as `ConfigMap/ns/a delete failed: …`.
    pub errors: Vec<String>,
    retryable: bool,
}

impl PruneError {
    /// Tells whether another attempt may succeed without a change of the objects or of rights.
    #[must_use]
    pub fn retryable(&self) -> bool {
        self.retryable
    }
}

impl Manager {
    /// Deletes the objects of the entries, in reverse apply order and in the background.
    ///
    /// Skips what doesn't carry the labels of the owner, what is to be kept, and what opts out with
    /// `prune: disabled`, `reconcile: disabled` or `ssa: Ignore`. Only deletes the very version of an object that was judged.
    ///
    /// Deviation: an object of a kind that isn't served in any version counts as deleted if a complete discovery
    /// proves it; upstream fails until someone edits the status.
    ///
    /// # Errors
    /// When an object could neither be deleted nor be proved to be gone; all others are dealt with all the same.
    pub async fn prune(
        &self,
        stale: &[ResourceRef],
        owner: &Owner,
        options: &PruneOptions,
    ) -> Result<ChangeSet, PruneError> {
        let prune = Prune::new(self, owner, options);
        let (changes, failures) = prune.each(stale, |prune, entry| prune.one(entry).boxed()).await;
        let changes = ChangeSet { entries: changes };
        for change in &changes.entries {
            tracing::debug!(object = %change.object.subject(), action = %change.action, "pruned");
        }
        if failures.is_empty() { Ok(changes) } else { Err(error(stale, changes, failures)) }
    }

    /// Tells which objects of the entries a prune with the same options would really delete, in the same order, and
    /// writes nothing.
    ///
    /// What is gone, on its way out, another owner's, or opts out, is not among them.
    ///
    /// # Errors
    /// When an object could not be judged; the change set of the error is empty.
    pub async fn deletions(
        &self,
        stale: &[ResourceRef],
        owner: &Owner,
        options: &PruneOptions,
    ) -> Result<Vec<Deletion>, PruneError> {
        let prune = Prune::new(self, owner, options);
        let (deletions, failures) = prune.each(stale, |prune, entry| prune.judge(entry).boxed()).await;
        if failures.is_empty() {
            return Ok(deletions.into_iter().flatten().collect());
        }
        Err(error(stale, ChangeSet::default(), failures))
    }
}

fn error(stale: &[ResourceRef], changes: ChangeSet, failures: Vec<(usize, Failure)>) -> PruneError {
    let retryable = failures.iter().all(|(_, failure)| failure.retryable);
    let mut indices: Vec<usize> = failures.iter().map(|(index, _)| *index).collect();
    indices.sort_unstable();
    let remaining = indices.iter().filter_map(|index| stale.get(*index)).cloned().collect();
    let errors = failures.into_iter().map(|(_, failure)| failure.text).collect();
    PruneError { changes, remaining, errors, retryable }
}

struct Entry {
    /// Position in the list that was given.
    index: usize,
    object: ObjectRef,
    version: String,
}

struct Failure {
    text: String,
    retryable: bool,
}

fn parse(stale: &[ResourceRef]) -> (Vec<Entry>, Vec<(usize, Failure)>) {
    let (mut entries, mut malformed) = (Vec::new(), Vec::new());
    for (index, entry) in stale.iter().enumerate() {
        match entry.id.parse::<ObjectRef>() {
            Ok(object) => entries.push(Entry { index, object, version: entry.v.clone() }),
            Err(error) => malformed.push((index, Failure { text: error.to_string(), retryable: false })),
        }
    }
    (entries, malformed)
}

fn kind(object: &ObjectRef) -> (&str, &str) {
    (&object.group, &object.kind)
}

fn compare(a: &ObjectRef, b: &ObjectRef) -> std::cmp::Ordering {
    compare_kinds(kind(a), kind(b)).then_with(|| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)))
}

/// One prune under way.
struct Prune<'a> {
    manager: &'a Manager,
    calls: Calls,
    owner: &'a Owner,
    options: &'a PruneOptions,
    started: Instant,
}

/// An object as a live read showed it.
enum Found {
    /// It is not there, or its kind isn't served.
    Gone,
    /// It is to stay.
    Stays(Option<String>),
    /// It is being deleted already.
    Going(Option<String>),
    /// It is to be deleted, in exactly this version.
    Doomed { path: Path, uid: String, seen: Value },
}

impl<'a> Prune<'a> {
    fn new(manager: &'a Manager, owner: &'a Owner, options: &'a PruneOptions) -> Self {
        let calls = manager.calls(options.timeout, &options.cancel);
        Self { manager, calls, owner, options, started: Instant::now() }
    }

    /// Does the same with every entry, in reverse apply order, entries of one kind at once.
    async fn each<T>(
        &self,
        stale: &[ResourceRef],
        // Boxed, or the compiler can't see that it may go between threads.
        work: for<'b> fn(&'b Self, &'b Entry) -> BoxFuture<'b, Result<T, Step>>,
    ) -> (Vec<T>, Vec<(usize, Failure)>) {
        let (mut entries, mut failures) = parse(stale);
        entries.sort_by(|a, b| compare(&b.object, &a.object));
        let mut results = Vec::new();
        for group in entries.chunk_by(|a, b| compare_kinds(kind(&a.object), kind(&b.object)).is_eq()) {
            let done = self.manager.in_parallel(group.iter().map(|entry| work(self, entry)).collect()).await;
            for (entry, result) in group.iter().zip(done) {
                match result {
                    Ok(result) => results.push(result),
                    Err(step) => failures.push((entry.index, step.failure(&entry.object))),
                }
            }
        }
        (results, failures)
    }

    async fn one(&self, entry: &Entry) -> Result<Change, Step> {
        let (action, uid) = self.delete(entry).await?;
        let (object, version) = (entry.object.clone(), entry.version.clone());
        Ok(Change { object, version, action, uid, previous_owner: None })
    }

    async fn judge(&self, entry: &Entry) -> Result<Option<Deletion>, Step> {
        let Found::Doomed { uid, .. } = self.find(entry).await? else { return Ok(None) };
        Ok(Some(Deletion { object: entry.object.clone(), version: entry.version.clone(), uid }))
    }

    async fn delete(&self, entry: &Entry) -> Result<(Action, Option<String>), Step> {
        let mut attempt = 0;
        loop {
            let (path, uid, seen) = match self.find(entry).await? {
                Found::Gone => return Ok((Action::Deleted, None)),
                Found::Stays(uid) => return Ok((Action::Skipped, uid)),
                Found::Going(uid) => return Ok((Action::Deleted, uid)),
                Found::Doomed { path, uid, seen } => (path, uid, seen),
            };
            if self.options.only.as_ref().is_some_and(|only| !only.contains(&uid)) {
                return Err(Step::NotJudged);
            }
            match self.calls.delete(&path, seen).await {
                Ok(()) => return Ok((Action::Deleted, Some(uid))),
                Err(error) if error.is_not_found() => return Ok((Action::Deleted, Some(uid))),
                Err(error) if error.is_conflict() && attempt < CONFLICTS => attempt += 1,
                Err(error) => return Err(Step::Delete(error)),
            }
        }
    }

    async fn find(&self, entry: &Entry) -> Result<Found, Step> {
        let ObjectRef { namespace, name, group, kind } = &entry.object;
        let wanted = (group.as_str(), entry.version.as_str(), kind.as_str());
        let mapping = match self.manager.mapper.resolve_any(&self.calls, wanted, self.started).await {
            Ok(mapping) => mapping,
            Err(RequestError::NoMatch { complete: true, .. }) => return Ok(Found::Gone),
            Err(error) => return Err(Step::Query(error)),
        };
        // No server names an object so: the entry was planned before the kind was known, and the object itself has
        // another entry.
        if !mapping.namespaced && !namespace.is_empty() {
            return Ok(Found::Stays(None));
        }
        let path = object_path(&mapping, namespace, name).map_err(Step::Query)?;
        let live = match self.calls.get_metadata(&path).await {
            Ok(live) => live,
            Err(error) if error.is_unknown_path() => {
                let unserved = self.manager.is_unserved(&self.calls, wanted).await;
                return if unserved { Ok(Found::Gone) } else { Err(Step::Query(error)) };
            }
            Err(error) if error.is_not_found() => return Ok(Found::Gone),
            Err(error) => return Err(Step::Query(error)),
        };
        self.weigh(path, &live).ok_or(Step::NoIdentity)
    }

    /// Nothing where the answer isn't an object: it proves neither absence nor another owner.
    fn weigh(&self, path: Path, live: &Value) -> Option<Found> {
        let (uid, version) = (text(live, "/metadata/uid")?, text(live, "/metadata/resourceVersion")?);
        if self.options.keep.contains(&uid) || !self.may_delete(live) {
            return Some(Found::Stays(Some(uid)));
        }
        if live.pointer("/metadata/deletionTimestamp").is_some_and(Value::is_string) {
            return Some(Found::Going(Some(uid)));
        }
        let seen = json!({"uid": uid, "resourceVersion": version});
        Some(Found::Doomed { path, uid, seen })
    }

    fn may_delete(&self, live: &Value) -> bool {
        let group = &self.manager.options.owner_group;
        metadata::is_owned(live, group, self.owner)
            && !metadata::is_ignored(live, group)
            && !metadata::says(live, group, "prune", "disabled")
    }
}

impl Manager {
    /// Proves that a kind which was served before is not any more, rather than the server only starting up.
    pub(crate) async fn is_unserved(&self, calls: &Calls, wanted: (&str, &str, &str)) -> bool {
        self.mapper.forget();
        let found = self.mapper.resolve_any(calls, wanted, Instant::now()).await;
        matches!(found, Err(RequestError::NoMatch { complete: true, .. }))
    }
}

/// Where the deletion of an object failed.
enum Step {
    Query(RequestError),
    Delete(RequestError),
    /// It is another object than the one that was judged.
    NotJudged,
    /// The answer has no identity by which an object could be told.
    NoIdentity,
}

impl Step {
    fn failure(&self, object: &ObjectRef) -> Failure {
        let subject = object.subject();
        let failed = |what: &str, error: &RequestError| Failure {
            text: format!("{subject} {what} failed: {}", error.chain()),
            retryable: error.retryable(),
        };
        let refused =
            |why: &str| Failure { text: format!("{subject} delete failed: {why}"), retryable: true };
        match self {
            Self::Query(error) => failed("query", error),
            Self::Delete(error) => failed("delete", error),
            Self::NotJudged => refused("it is not the object that was judged"),
            Self::NoIdentity => Failure {
                text: format!("{subject} query failed: the answer of the API server has no uid"),
                retryable: true,
            },
        }
    }
}

fn text(object: &Value, path: &str) -> Option<String> {
    object.pointer(path).and_then(Value::as_str).map(str::to_owned)
}
