//! Does with one object what was found to be needed.

use std::time::Duration;

use serde_json::{Value, json};

use super::check::{Checked, Plan};
use super::known::{self, Entry};
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
    /// What is known of it from now on; nothing where it wasn't seen.
    pub(super) entry: Option<Entry>,
    /// The object as the API server stored it, where it was written.
    pub(super) written: Option<Value>,
}

impl Run<'_> {
    pub(super) async fn execute(&self, checked: &Checked<'_>) -> Result<Done, ObjectError> {
        match &checked.plan {
            Plan::Skip(entry) => {
                let skipped = done(checked, Action::Skipped, entry.as_ref().map(|entry| entry.uid.clone()));
                Ok(Done { entry: entry.clone(), ..skipped })
            }
            Plan::Keep(entry) => {
                let kept = done(checked, Action::Unchanged, Some(entry.uid.clone()));
                Ok(Done { entry: Some(entry.clone()), ..kept })
            }
            Plan::Create { path } => self.write(checked, path, Action::Created).await,
            Plan::Configure { path, cleanup, .. } => {
                if let Some(patch) = cleanup {
                    self.clean_up(checked, path, patch.clone()).await.map_err(|error| {
                        ObjectError::new(
                            checked.desired,
                            &checked.object,
                            &self.cleaning_failed(checked),
                            &error,
                        )
                    })?;
                }
                self.write(checked, path, Action::Configured).await
            }
            Plan::Recreate { path, uid, .. } => {
                self.remove(checked, path, uid).await?;
                self.write(checked, path, Action::Created).await
            }
        }
    }

    fn cleaning_failed(&self, checked: &Checked<'_>) -> String {
        if self.takes_over(checked.desired, &Value::Null) {
            return "metadata.managedFields cleanup failed".to_owned();
        }
        migration_failed(&checked.desired.api_version)
    }

    async fn write(&self, checked: &Checked<'_>, path: &Path, action: Action) -> Result<Done, ObjectError> {
        let desired = checked.desired;
        let answer = self
            .calls
            .apply(path, checked.body(), false)
            .await
            .map_err(|error| ObjectError::new(desired, &checked.object, "apply failed", &error))?;
        let entry = Entry::new(&answer.object, desired.digest, self.group(), self.rules);
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
    async fn remove(&self, checked: &Checked<'_>, path: &Path, uid: &str) -> Result<(), ObjectError> {
        let failed = |what: &str, error: &RequestError| {
            let what = format!("immutable field detected, failed to {what}");
            ObjectError::new(checked.desired, &checked.object, &what, error)
        };
        match self.calls.delete(path, json!({ "uid": uid })).await {
            Err(error) if !error.is_not_found() => return Err(failed("delete object", &error)),
            _ => {}
        }
        let gone = self.until_gone(path, uid).await;
        gone.map_err(|error| failed("wait for object to be deleted", &error))
    }

    async fn until_gone(&self, path: &Path, uid: &str) -> Result<(), RequestError> {
        let mut interval = FIRST_POLL;
        loop {
            match self.calls.get_metadata(path).await {
                Err(error) if error.is_not_found() => return Ok(()),
                Err(error) => return Err(error),
                Ok(live) if known::uid(&live) != uid => return Ok(()),
                Ok(_) => self.calls.pause(interval).await?,
            }
            interval = (interval * 2).min(LAST_POLL);
        }
    }
}

/// The beginning of an error's text.
pub(super) fn migration_failed(api_version: &str) -> String {
    format!("failed to migrate API version: failed to migrate managed fields API version to {api_version}")
}

fn done(checked: &Checked<'_>, action: Action, uid: Option<String>) -> Done {
    let change = Change {
        object: checked.object.clone(),
        version: checked.desired.id.version.clone(),
        action,
        uid,
        previous_owner: checked.plan.previous_owner().cloned(),
    };
    Done { change, entry: None, written: None }
}
