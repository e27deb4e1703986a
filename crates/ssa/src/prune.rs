//! Deletes what is not asked for any more.

use std::collections::HashSet;
use std::time::Duration;

use api::meta::{ObjectRef, ResourceRef};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::order::compare_kinds;
use crate::request::{Calls, RequestError, object_path};
use crate::{Action, Change, ChangeSet, Manager, Owner, metadata};

/// How often a deletion is tried again when others write at the same time.
const CONFLICTS: usize = 10;

/// How one run prunes.
#[derive(Clone, Debug)]
pub struct PruneOptions {
    /// `metadata.uid` of objects that stay, whatever the entries call them: one object may be served under several
    /// groups.
    pub keep: HashSet<String>,
    /// Longest time for the whole run.
    pub timeout: Duration,
    /// Ends the run early.
    pub cancel: CancellationToken,
}

impl Default for PruneOptions {
    fn default() -> Self {
        Self { keep: HashSet::new(), timeout: Duration::from_secs(300), cancel: CancellationToken::new() }
    }
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
        let prune = Prune {
            manager: self,
            calls: self.calls(options.timeout, &options.cancel),
            owner,
            keep: &options.keep,
            started: Instant::now(),
        };
        let mut changes = ChangeSet::default();
        let mut failures = Vec::new();
        let (mut entries, malformed) = parse(stale);
        failures.extend(malformed);
        entries.sort_by(|a, b| compare(&b.object, &a.object));
        for group in entries.chunk_by(|a, b| compare_kinds(kind(&a.object), kind(&b.object)).is_eq()) {
            let results = self.in_parallel(group.iter().map(|entry| prune.one(entry)).collect()).await;
            for (entry, result) in group.iter().zip(results) {
                match result {
                    Ok(change) => {
                        tracing::debug!(object = %change.object.subject(), action = %change.action, "pruned");
                        changes.entries.push(change);
                    }
                    Err(failure) => failures.push((entry.index, failure)),
                }
            }
        }
        if failures.is_empty() { Ok(changes) } else { Err(error(stale, changes, failures)) }
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
    keep: &'a HashSet<String>,
    started: Instant,
}

impl Prune<'_> {
    async fn one(&self, entry: &Entry) -> Result<Change, Failure> {
        let outcome = self.delete(entry).await;
        let subject = entry.object.subject();
        let failure = |what: &str, error: &RequestError| Failure {
            text: format!("{subject} {what} failed: {}", error.chain()),
            retryable: error.retryable(),
        };
        match outcome {
            Ok((action, uid)) => {
                Ok(Change { object: entry.object.clone(), version: entry.version.clone(), action, uid })
            }
            Err(Step::Query(error)) => Err(failure("query", &error)),
            Err(Step::Delete(error)) => Err(failure("delete", &error)),
        }
    }

    async fn delete(&self, entry: &Entry) -> Result<(Action, Option<String>), Step> {
        let ObjectRef { namespace, name, group, kind } = &entry.object;
        let wanted = (group.as_str(), entry.version.as_str(), kind.as_str());
        let mapping = match self.manager.mapper.resolve_any(&self.calls, wanted, self.started).await {
            Ok(mapping) => mapping,
            Err(RequestError::NoMatch { complete: true, .. }) => return Ok((Action::Deleted, None)),
            Err(error) => return Err(Step::Query(error)),
        };
        // No server names an object so: the entry was planned before the kind was known, and the object itself has
        // another entry.
        if !mapping.namespaced && !namespace.is_empty() {
            return Ok((Action::Skipped, None));
        }
        let path = object_path(&mapping, namespace, name).map_err(Step::Query)?;
        let mut attempt = 0;
        loop {
            let live = match self.calls.get_metadata(&path).await {
                Ok(live) => live,
                Err(error) if error.is_unknown_path() => return self.prove_unserved(wanted, error).await,
                Err(error) if error.is_not_found() => return Ok((Action::Deleted, None)),
                Err(error) => return Err(Step::Query(error)),
            };
            let uid = text(&live, "/metadata/uid");
            let kept = uid.as_ref().is_some_and(|uid| self.keep.contains(uid));
            if kept || !self.may_delete(&live) {
                return Ok((Action::Skipped, uid));
            }
            if live.pointer("/metadata/deletionTimestamp").is_some_and(Value::is_string) {
                return Ok((Action::Deleted, uid));
            }
            let seen = json!({"uid": uid, "resourceVersion": text(&live, "/metadata/resourceVersion")});
            match self.calls.delete(&path, seen).await {
                Ok(()) => return Ok((Action::Deleted, uid)),
                Err(error) if error.is_not_found() => return Ok((Action::Deleted, uid)),
                Err(error) if error.is_conflict() && attempt < CONFLICTS => attempt += 1,
                Err(error) => return Err(Step::Delete(error)),
            }
        }
    }

    /// A kind that was served before is not any more, or the server is only starting up.
    async fn prove_unserved(
        &self,
        wanted: (&str, &str, &str),
        error: RequestError,
    ) -> Result<(Action, Option<String>), Step> {
        self.manager.mapper.forget();
        match self.manager.mapper.resolve_any(&self.calls, wanted, Instant::now()).await {
            Ok(_) => Err(Step::Query(error)),
            Err(RequestError::NoMatch { complete: true, .. }) => Ok((Action::Deleted, None)),
            Err(error) => Err(Step::Query(error)),
        }
    }

    fn may_delete(&self, live: &Value) -> bool {
        let group = &self.manager.options.owner_group;
        metadata::is_owned(live, group, self.owner)
            && !metadata::is_ignored(live, group)
            && !metadata::says(live, group, "prune", "disabled")
    }
}

enum Step {
    Query(RequestError),
    Delete(RequestError),
}

fn text(object: &Value, path: &str) -> Option<String> {
    object.pointer(path).and_then(Value::as_str).map(str::to_owned)
}
