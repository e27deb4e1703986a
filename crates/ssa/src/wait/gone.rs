//! Waits until deleted objects are gone.

use std::time::Duration;

use api::meta::ObjectRef;
use serde_json::Value;
use tokio::time::Instant;

use super::{FIRST_POLL, WaitCause, WaitError, WaitOptions, longer};
use crate::health::{State, Status};
use crate::request::{Calls, RequestError, object_path};
use crate::{Action, Change, ChangeSet, Manager};

impl Manager {
    /// Waits until deleted objects are gone: not there, or there again as another object.
    ///
    /// Only a live read proves it; an error never does.
    ///
    /// # Errors
    /// When the time is up or the wait is canceled.
    pub async fn wait_gone(&self, deleted: &ChangeSet, options: &WaitOptions) -> Result<Duration, WaitError> {
        let started = Instant::now();
        let calls = self.calls(options.timeout, &options.cancel);
        let mut present: Vec<&Change> =
            deleted.entries.iter().filter(|change| change.action == Action::Deleted).collect();
        let mut interval = FIRST_POLL;
        loop {
            let gone = self
                .in_parallel(present.iter().map(|change| self.is_gone(&calls, change, started)).collect())
                .await;
            let mut gone = gone.into_iter();
            present.retain(|_| gone.next() != Some(true));
            if present.is_empty() {
                return Ok(started.elapsed());
            }
            let cause = match calls.pause(interval).await {
                Ok(()) => {
                    interval = longer(interval);
                    continue;
                }
                Err(RequestError::Canceled) => WaitCause::Canceled,
                Err(_) => WaitCause::Timeout,
            };
            let terminating = || Some(Status::new(State::Terminating, "Resource scheduled for deletion"));
            let mut unready: Vec<_> =
                present.iter().map(|change| (change.object.clone(), terminating())).collect();
            unready.sort_by_key(|(object, _)| object.subject());
            return Err(WaitError { cause, elapsed: started.elapsed(), unready });
        }
    }

    async fn is_gone(&self, calls: &Calls, change: &Change, since: Instant) -> bool {
        let ObjectRef { namespace, name, group, kind } = &change.object;
        let wanted = (group.as_str(), change.version.as_str(), kind.as_str());
        let mapping = match self.mapper.resolve_any(calls, wanted, since).await {
            Ok(mapping) => mapping,
            Err(error) => return matches!(error, RequestError::NoMatch { complete: true, .. }),
        };
        let Ok(path) = object_path(&mapping, namespace, name) else { return false };
        match calls.get_metadata(&path).await {
            Ok(live) => {
                let uid = live.pointer("/metadata/uid").and_then(Value::as_str);
                change.uid.is_some() && uid.is_some() && change.uid.as_deref() != uid
            }
            Err(error) if error.is_unknown_path() => self.is_unserved(calls, wanted).await,
            Err(error) => error.is_not_found(),
        }
    }
}
