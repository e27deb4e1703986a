//! Waits until objects are ready, or gone.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use api::meta::ObjectRef;
use krm::{Id, Object};
use tokio_util::sync::CancellationToken;

use crate::health::{Checks, State, Status};
use crate::{Action, ChangeSet, Known, Live};

mod follow;
mod gone;
mod observe;
mod ready;

/// Reads come at growing intervals, where no watch tells.
const FIRST_POLL: Duration = Duration::from_millis(200);
const LAST_POLL: Duration = Duration::from_secs(5);

/// Makes an interval longer.
fn longer(interval: Duration) -> Duration {
    (interval * 3 / 2).min(LAST_POLL)
}

/// An object to wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Which object.
    pub object: ObjectRef,
    /// API version of the kind, without the group.
    pub version: String,
    /// When the object is not there, it has done its work: a Job that removes itself.
    pub may_vanish: bool,
}

/// The targets of `wait: true`: all objects that were applied and not skipped.
///
/// `objects` are those that were applied; it is from them that Jobs with a `ttlSecondsAfterFinished` are told.
#[must_use]
pub fn targets(changes: &ChangeSet, objects: &[Object]) -> Vec<Target> {
    let vanishing: HashSet<(String, String)> = objects
        .iter()
        .filter(|object| matches!(object.id(), Id { group, kind, .. } if group == "batch" && kind == "Job"))
        .filter(|object| {
            object.to_json().pointer("/spec/ttlSecondsAfterFinished").is_some_and(|ttl| !ttl.is_null())
        })
        .map(|object| (object.id().namespace, object.id().name))
        .collect();
    let may_vanish = |object: &ObjectRef| {
        object.group == "batch"
            && object.kind == "Job"
            && vanishing.contains(&(object.namespace.clone(), object.name.clone()))
    };
    changes
        .entries
        .iter()
        .filter(|change| !matches!(change.action, Action::Skipped | Action::Deleted))
        .map(|change| Target {
            object: change.object.clone(),
            version: change.version.clone(),
            may_vanish: may_vanish(&change.object),
        })
        .collect()
}

/// How long to wait, and when to stop before.
#[derive(Clone, Debug)]
pub struct WaitOptions {
    /// Longest time to wait.
    pub timeout: Duration,
    /// Stops as soon as one object has failed, rather than when none is in progress any more.
    pub fail_fast: bool,
    /// Stops at once.
    pub cancel: CancellationToken,
    /// How objects are judged.
    pub health: Checks,
    /// Spares the requests for objects that were found ready and haven't moved since.
    pub live: Option<Live>,
    /// What the last apply knows; of use with `live` only.
    pub known: Option<Arc<Known>>,
}

impl Default for WaitOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(300),
            fail_fast: true,
            cancel: CancellationToken::new(),
            health: Checks::default(),
            live: None,
            known: None,
        }
    }
}

/// Why waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitCause {
    /// The time was up.
    Timeout,
    /// Objects have failed.
    Stalled,
    /// The caller didn't want to wait any longer.
    Canceled,
}

/// Not all objects became ready. The text is that of Flux, without the time that it took.
#[derive(Clone, Debug)]
pub struct WaitError {
    /// Why waiting ended.
    pub cause: WaitCause,
    /// How long it was waited.
    pub elapsed: Duration,
    /// What was last seen of the objects that were not ready, sorted by id; nothing for those never seen.
    pub unready: Vec<(ObjectRef, Option<Status>)>,
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = |(object, status): &(ObjectRef, Option<Status>)| {
            let subject = object.subject();
            match status {
                None => format!("can't determine status for {subject}"),
                Some(Status { state: State::Unknown, message }) if !message.is_empty() => {
                    format!("{subject} status: 'Unknown': {message}")
                }
                Some(Status { state, .. }) => format!("{subject} status: '{state}'"),
            }
        };
        let list = self.unready.iter().map(entry).collect::<Vec<_>>().join(", ");
        match self.cause {
            WaitCause::Timeout => write!(f, "timeout waiting for: [{list}]"),
            WaitCause::Stalled => write!(f, "failed early due to stalled resources: [{list}]"),
            WaitCause::Canceled => f.write_str("canceled"),
        }
    }
}

impl std::error::Error for WaitError {}

impl WaitError {
    /// Why each object was not ready, as `Kind/namespace/name: why`, sorted; only objects of which that is known.
    #[must_use]
    pub fn reasons(&self) -> Vec<String> {
        let reason = |(object, status): &(ObjectRef, Option<Status>)| {
            let why = &status.as_ref()?.message;
            (!why.is_empty()).then(|| format!("{}: {why}", object.subject()))
        };
        self.unready.iter().filter_map(reason).collect()
    }
}
