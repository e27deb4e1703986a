//! Does with one object what was found to be needed.

use std::time::Duration;

use serde_json::{Value, json};

use super::check::{Checked, Plan};
use super::known::{Entry, identity};
use super::{ObjectError, Run};
use crate::request::{Path, RequestError};
use crate::{Action, Change};

/// How often a write is tried again when others write at the same time.
const CONFLICTS: usize = 5;
const FIRST_POLL: Duration = Duration::from_millis(200);
const LAST_POLL: Duration = Duration::from_secs(2);

/// What was done with one object.
pub(super) struct Done {
    pub(super) change: Change,
    /// What is known of it from now on; nothing where it was skipped.
    pub(super) entry: Option<Entry>,
    /// The object as the API server stored it, where it was written.
    pub(super) written: Option<Value>,
}

impl Run<'_> {
    pub(super) async fn execute(&self, checked: &Checked<'_>) -> Result<Done, ObjectError> {
        match &checked.plan {
            Plan::Skip { uid } => Ok(done(checked, Action::Skipped, uid.clone())),
            Plan::Keep(entry) => {
                let kept = done(checked, Action::Unchanged, Some(entry.uid.clone()));
                Ok(Done { entry: Some(entry.clone()), ..kept })
            }
            Plan::Create { path } => self.write(checked, path, Action::Created).await,
            Plan::Configure { path, cleanup } => {
                if let Some(patch) = cleanup {
                    self.clean_up(checked, path, patch.clone()).await.map_err(|error| {
                        ObjectError::new(
                            checked.desired,
                            &checked.object,
                            "metadata.managedFields cleanup failed",
                            &error,
                        )
                    })?;
                }
                self.write(checked, path, Action::Configured).await
            }
            Plan::Recreate { path, uid } => {
                self.remove(path, uid).await.map_err(|error| {
                    let what = "immutable field detected, failed to delete object";
                    ObjectError::new(checked.desired, &checked.object, what, &error)
                })?;
                self.write(checked, path, Action::Created).await
            }
        }
    }

    async fn write(&self, checked: &Checked<'_>, path: &Path, action: Action) -> Result<Done, ObjectError> {
        let desired = checked.desired;
        let answer = self
            .calls
            .apply(path, &desired.body, false)
            .await
            .map_err(|error| ObjectError::new(desired, &checked.object, "apply failed", &error))?;
        let entry = Entry::new(&answer.object, desired.digest);
        // Somebody else may have created it since the dry run.
        let action = if action == Action::Created && !answer.created { Action::Configured } else { action };
        let written = done(checked, action, Some(entry.uid.clone()));
        Ok(Done { entry: Some(entry), written: Some(answer.object), ..written })
    }

    async fn clean_up(&self, checked: &Checked<'_>, path: &Path, patch: Value) -> Result<(), RequestError> {
        let mut patch = patch;
        for _ in 0..CONFLICTS {
            match self.calls.json_patch(path, &patch).await {
                Err(error) if error.is_conflict() => {}
                other => return other.map(|_| ()),
            }
            let live = self.calls.get(path).await?;
            let Some(again) = self.cleanup(checked.desired, &live) else { return Ok(()) };
            patch = again;
        }
        self.calls.json_patch(path, &patch).await.map(|_| ())
    }

    /// Deletes exactly this object and waits until it is gone.
    async fn remove(&self, path: &Path, uid: &str) -> Result<(), RequestError> {
        match self.calls.delete(path, json!({ "uid": uid })).await {
            Err(error) if !error.is_not_found() => return Err(error),
            _ => {}
        }
        let mut interval = FIRST_POLL;
        loop {
            match self.calls.get_metadata(path).await {
                Err(error) if error.is_not_found() => return Ok(()),
                Err(error) => return Err(error),
                Ok(live) if identity(&live).0 != uid => return Ok(()),
                Ok(_) => self.calls.pause(interval).await?,
            }
            interval = (interval * 2).min(LAST_POLL);
        }
    }
}

fn done(checked: &Checked<'_>, action: Action, uid: Option<String>) -> Done {
    let change =
        Change { object: checked.object.clone(), version: checked.desired.id.version.clone(), action, uid };
    Done { change, entry: None, written: None }
}
