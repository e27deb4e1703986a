use krm::Object;
use serde_json::Value;

use super::check::{Checked, Plan};
use super::{ApplyError, ApplyOptions, Desired, Known, ObjectError, Run, known};
use crate::ignore::IgnoreRules;
use crate::request::RequestError;
use crate::{Action, Change, Manager, Owner, order};

/// What an apply would do to one object. Holds the content of Secrets.
#[derive(Clone, PartialEq)]
pub struct Difference {
    /// The object and what would be done with it.
    pub change: Change,
    /// As it is; only where it would be configured.
    pub live: Option<Value>,
    /// As it would be, by the API server; only where it would be created or configured.
    pub merged: Option<Value>,
}

impl Manager {
    /// Tells what an apply would do, in apply order, and writes nothing.
    ///
    /// Objects that need a kind or a namespace which only the apply would bring are errors.
    ///
    /// # Errors
    /// When a Secret is still encrypted, there are too many objects or a rule can't be used. Each object has its own result otherwise.
    pub async fn diff(
        &self,
        owner: &Owner,
        objects: &[Object],
        options: &ApplyOptions,
    ) -> Result<Vec<Result<Difference, ObjectError>>, ApplyError> {
        let rules = IgnoreRules::new(&options.ignore).map_err(ApplyError::rules)?;
        let desired = self.prepare(owner, objects, options).map_err(ApplyError::before)?;
        let known = Known::new(&rules);
        let run = Run::new(self, options, &rules, &known);
        let stages = order::stages(desired, |one| &one.id, &self.options.custom_stage_kinds);
        let ordered: Vec<Desired> = stages.into_iter().flat_map(|stage| stage.objects).collect();
        Ok(self.in_parallel(ordered.iter().map(|one| run.difference(one)).collect()).await)
    }
}

impl Run<'_> {
    async fn difference(&self, desired: &Desired) -> Result<Difference, ObjectError> {
        let checked = self.check(desired).await?;
        self.contents(&checked).await.map_err(|error| ObjectError::dry_run(desired, &checked.object, &error))
    }

    async fn contents(&self, checked: &Checked<'_>) -> Result<Difference, RequestError> {
        let body = &checked.desired.body;
        let difference = |action, uid, live, merged| {
            let (object, version) = (checked.object.clone(), checked.desired.id.version.clone());
            let previous_owner = checked.plan.previous_owner().cloned();
            Difference { change: Change { object, version, action, uid, previous_owner }, live, merged }
        };
        Ok(match &checked.plan {
            Plan::Skip(entry) => {
                difference(Action::Skipped, entry.as_ref().map(|entry| entry.uid.clone()), None, None)
            }
            Plan::Keep(entry) => difference(Action::Unchanged, Some(entry.uid.clone()), None, None),
            Plan::Create { path } => {
                let merged = self.calls.apply(path, body, true).await?.object;
                difference(Action::Created, None, None, Some(merged))
            }
            Plan::Configure { path, body: settled, .. } => {
                let body = settled.as_ref().unwrap_or(body);
                let merged = self.calls.apply(path, body, true).await?.object;
                let uid = Some(known::uid(&merged)).filter(|uid| !uid.is_empty());
                difference(Action::Configured, uid, self.calls.get(path).await.ok(), Some(merged))
            }
            Plan::Recreate { path, uid, .. } => {
                let live = self.calls.get(path).await.ok();
                difference(Action::Created, Some(uid.clone()), live, Some(body.clone()))
            }
        })
    }
}
