//! Finds out what is to be done with one object.

use std::time::Duration;

use api::meta::{ObjectRef, ResourceRef};
use serde_json::Value;
use tokio::time::Instant;

use super::execute::migration_failed;
use super::known::{self, Entry};
use super::{Desired, ObjectError, Run};
use crate::live::Seen;
use crate::managed_fields::{self, Cleaning};
use crate::mapper::Mapping;
use crate::request::{Answer, Path, RequestError, object_path};
use crate::{Owner, metadata};

/// How long a kind may take to be served after its definition is established.
const SERVED_WITHIN: Duration = Duration::from_secs(10);
const SERVED_POLL: Duration = Duration::from_millis(100);

/// An object and what is to be done with it.
pub(super) struct Checked<'a> {
    pub(super) desired: &'a Desired,
    /// As the server sees it.
    pub(super) object: ObjectRef,
    pub(super) plan: Plan,
}

pub(super) enum Plan {
    /// Left alone; with what is known of the live object, where it was seen.
    Skip(Option<Entry>),
    /// As asked for already.
    Keep(Entry),
    Create {
        path: Path,
    },
    /// Other field managers' claims are patched away first.
    Configure {
        path: Path,
        cleanup: Option<Value>,
        /// What is applied, where that isn't what is desired: ignored fields keep their live values.
        body: Option<Value>,
        previous_owner: Option<Owner>,
    },
    /// Deleted, then created.
    Recreate {
        path: Path,
        uid: String,
        previous_owner: Option<Owner>,
    },
}

impl Plan {
    pub(super) fn previous_owner(&self) -> Option<&Owner> {
        match self {
            Self::Configure { previous_owner, .. } | Self::Recreate { previous_owner, .. } => {
                previous_owner.as_ref()
            }
            Self::Skip(_) | Self::Keep(_) | Self::Create { .. } => None,
        }
    }
}

impl Checked<'_> {
    /// What is to be applied.
    pub(super) fn body(&self) -> &Value {
        match &self.plan {
            Plan::Configure { body: Some(body), .. } => body,
            _ => &self.desired.body,
        }
    }

    /// The object's inventory entry, if it is about to be written.
    pub(super) fn written(&self) -> Option<ResourceRef> {
        let entry = || ResourceRef { id: self.object.to_string(), v: self.desired.id.version.clone() };
        match self.plan {
            Plan::Skip(_) | Plan::Keep(_) => None,
            Plan::Create { .. } | Plan::Configure { .. } | Plan::Recreate { .. } => Some(entry()),
        }
    }
}

impl Run<'_> {
    pub(super) async fn check<'a>(&self, desired: &'a Desired) -> Result<Checked<'a>, ObjectError> {
        let mapping = self.manager.mapper.resolve(&self.calls, &desired.id).await;
        let object = object_ref(desired, mapping.as_ref().ok());
        let plan = if metadata::is_ignored(&desired.body, self.group()) {
            Plan::Skip(None)
        } else {
            let mapping = mapping.map_err(|error| ObjectError::dry_run(desired, &object, &error))?;
            self.plan(desired, &object, &mapping).await?
        };
        Ok(Checked { desired, object, plan })
    }

    pub(super) fn group(&self) -> &str {
        &self.manager.options.owner_group
    }

    async fn plan(
        &self,
        desired: &Desired,
        object: &ObjectRef,
        mapping: &Mapping,
    ) -> Result<Plan, ObjectError> {
        if mapping.namespaced && object.namespace.is_empty() {
            return Err(ObjectError::no_namespace(object));
        }
        let failed = |error: RequestError| ObjectError::dry_run(desired, object, &error);
        let path = object_path(mapping, &object.namespace, &object.name).map_err(failed)?;
        if self.only_if_absent(desired)
            && let Some(entry) = self.present(desired, object, &path).await
        {
            return Ok(Plan::Skip(Some(entry)));
        }
        if let Some(entry) = self.untouched(desired, object, &path).await {
            let entry = entry.clone();
            return Ok(if entry.skipped { Plan::Skip(Some(entry)) } else { Plan::Keep(entry) });
        }
        let mut tried = self.dry_run(desired, &path).await;
        if let Err(error) = &tried
            && self.migrate(desired, object, &path, error).await?
        {
            tried = self.dry_run(desired, &path).await;
        }
        match tried {
            Ok(Answer { created: true, .. }) => Ok(Plan::Create { path }),
            Ok(Answer { object: merged, .. }) => {
                self.compare(desired, object, path, &merged).await.map_err(failed)
            }
            Err(error) => self.refused(desired, path, error).await.map_err(failed),
        }
    }

    fn only_if_absent(&self, desired: &Desired) -> bool {
        metadata::says(&desired.body, self.group(), "ssa", "IfNotPresent")
    }

    /// The live object, if it is there, whatever it looks like.
    async fn present(&self, desired: &Desired, object: &ObjectRef, path: &Path) -> Option<Entry> {
        let known = self.known.get(object).filter(|entry| self.seen(object, entry).is_untouched());
        if let Some(entry) = known {
            return Some(entry.asked_for(desired.digest, true));
        }
        let live = self.calls.get_metadata(path).await.ok()?;
        Some(Entry::skipped(&live, desired.digest, self.group()))
    }

    /// What is known of the object, if it is asked for as before and nobody has touched it since.
    async fn untouched(&self, desired: &Desired, object: &ObjectRef, path: &Path) -> Option<&Entry> {
        let entry = self.known.get(object).filter(|entry| entry.desired == desired.digest)?;
        match self.seen(object, entry) {
            Seen::Unknown => {}
            seen => return seen.is_untouched().then_some(entry),
        }
        // Errors are no proof of anything: the dry run decides.
        let live = self.calls.get_metadata(path).await.ok()?;
        entry.is_untouched(&live).then_some(entry)
    }

    fn seen(&self, object: &ObjectRef, entry: &Entry) -> Seen {
        self.options.live.as_ref().map_or(Seen::Unknown, |live| entry.seen(object, live))
    }

    /// Brings the claims on an object to the API version that is applied, where that may be why a dry run failed.
    ///
    /// The only write before all dry runs have passed: without it, this one can't.
    async fn migrate(
        &self,
        desired: &Desired,
        object: &ObjectRef,
        path: &Path,
        error: &RequestError,
    ) -> Result<bool, ObjectError> {
        if !self.options.migrate_api_version || error.code().is_none() || error.is_not_found() {
            return Ok(false);
        }
        let Ok(live) = self.calls.get_metadata(path).await else { return Ok(false) };
        let cleaning = Cleaning { take_over: false, migrate_to: Some(&desired.api_version) };
        let Some(patch) = self.manager.take_over().patch(&live, "", &cleaning) else { return Ok(false) };
        let patched = self.calls.json_patch(path, &patch).await.map(|_| true);
        patched.map_err(|error| {
            ObjectError::new(desired, object, &migration_failed(&desired.api_version), &error)
        })
    }

    async fn dry_run(&self, desired: &Desired, path: &Path) -> Result<Answer, RequestError> {
        let key = (desired.id.group.clone(), desired.id.kind.clone());
        let until = Instant::now() + SERVED_WITHIN;
        loop {
            match self.calls.apply(path, &desired.body, true).await {
                // The API server takes a moment from "established" to serving.
                Err(error)
                    if error.is_unknown_path() && self.learned.contains(&key) && Instant::now() < until =>
                {
                    self.calls.pause(SERVED_POLL).await?;
                }
                other => return other,
            }
        }
    }

    /// Decides about an object that exists; `merged` is what the dry run made of it.
    async fn compare(
        &self,
        desired: &Desired,
        object: &ObjectRef,
        path: Path,
        merged: &Value,
    ) -> Result<Plan, RequestError> {
        let group = self.group();
        if metadata::is_ignored(merged, group) || self.only_if_absent(desired) {
            return Ok(Plan::Skip(Some(Entry::skipped(merged, desired.digest, group))));
        }
        if let Some(plan) = self.compare_with_known(desired, object, &path, merged) {
            return Ok(plan);
        }
        let configure = |cleanup, body, previous_owner| Plan::Configure {
            path: path.clone(),
            cleanup,
            body,
            previous_owner,
        };
        let live = match self.calls.get(&path).await {
            Ok(live) => live,
            Err(error) if error.is_not_found() => return Ok(Plan::Create { path }),
            // Who may not read is compared with nothing (ks-sa-denied).
            Err(error) if error.code() == Some(403) => return Ok(configure(None, None, None)),
            Err(error) => return Err(error),
        };
        if metadata::is_ignored(&live, group) {
            return Ok(Plan::Skip(Some(Entry::skipped(&live, desired.digest, group))));
        }
        let cleanup = self.cleanup(desired, &live);
        if cleanup.is_some() || self.rules.drifted(&live, merged) {
            let body = self.rules.settle(&desired.body, &live, merged, &self.calls.field_manager);
            return Ok(configure(cleanup, body, self.previous_owner(desired, &live)));
        }
        Ok(Plan::Keep(Entry::new(&live, desired.digest, group, self.rules)))
    }

    /// Decides without a read, where the live object is the one that is known.
    fn compare_with_known(
        &self,
        desired: &Desired,
        object: &ObjectRef,
        path: &Path,
        merged: &Value,
    ) -> Option<Plan> {
        if self.options.migrate_api_version && managed_fields::is_behind(merged, &desired.api_version) {
            return None;
        }
        let entry = self.known.get(object).filter(|entry| entry.is(merged))?;
        if entry.live? == self.rules.live_digest(merged) {
            return Some(Plan::Keep(entry.asked_for(desired.digest, false)));
        }
        // What is ignored has to be taken from the live object.
        if self.rules.concern(merged) {
            return None;
        }
        Some(Plan::Configure { path: path.clone(), cleanup: None, body: None, previous_owner: None })
    }

    fn previous_owner(&self, desired: &Desired, live: &Value) -> Option<Owner> {
        let owner = metadata::owner(live, self.group())?;
        (metadata::owner(&desired.body, self.group()).as_ref() != Some(&owner)).then_some(owner)
    }

    pub(super) fn cleanup(&self, desired: &Desired, live: &Value) -> Option<Value> {
        let cleaning = Cleaning {
            take_over: self.takes_over(desired, live),
            migrate_to: self.options.migrate_api_version.then_some(desired.api_version.as_str()),
        };
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        self.manager.take_over().patch(live, &now, &cleaning)
    }

    pub(super) fn takes_over(&self, desired: &Desired, live: &Value) -> bool {
        let merges = |object: &Value| metadata::says(object, self.group(), "ssa", "Merge");
        !merges(&desired.body) && !merges(live)
    }

    /// Decides about an object whose dry run failed: a live one may opt out, or be recreated.
    async fn refused(
        &self,
        desired: &Desired,
        path: Path,
        error: RequestError,
    ) -> Result<Plan, RequestError> {
        if error.is_unknown_path() {
            self.manager.mapper.forget();
        }
        if error.code().is_none() || error.is_not_found() {
            return Err(error);
        }
        let Ok(live) = self.calls.get_metadata(&path).await else { return Err(error) };
        if metadata::is_ignored(&live, self.group()) || self.only_if_absent(desired) {
            return Ok(Plan::Skip(Some(Entry::skipped(&live, desired.digest, self.group()))));
        }
        let force = desired.force || metadata::says(&live, self.group(), "force", "enabled");
        if !force || !error.is_immutable() || !self.may_be_recreated(desired, &live) {
            return Err(error);
        }
        // Invalid content looks like an immutable field; a deletion must not be all that comes of it.
        self.calls.creatable(&path, &desired.body).await?;
        let previous_owner = self.previous_owner(desired, &live);
        Ok(Plan::Recreate { path, uid: known::uid(&live), previous_owner })
    }

    // Recreating these loses data that no apply brings back.
    fn may_be_recreated(&self, desired: &Desired, live: &Value) -> bool {
        let says = |object: &Value, value: &str| metadata::says(object, self.group(), "force", value);
        if says(&desired.body, "disabled") || says(live, "disabled") {
            return false;
        }
        let holds_data = matches!(
            (desired.id.group.as_str(), desired.id.kind.as_str()),
            ("", "Namespace" | "PersistentVolume" | "PersistentVolumeClaim")
                | ("apiextensions.k8s.io", "CustomResourceDefinition")
        );
        !holds_data || says(&desired.body, "enabled") || says(live, "enabled")
    }
}

/// Cluster-scoped objects lose a namespace that was set on them, as they do on the server.
pub(super) fn object_ref(desired: &Desired, mapping: Option<&Mapping>) -> ObjectRef {
    let id = &desired.id;
    let namespaced = mapping.is_none_or(|mapping| mapping.namespaced);
    ObjectRef {
        namespace: if namespaced { id.namespace.clone() } else { String::new() },
        name: id.name.clone(),
        group: id.group.clone(),
        kind: id.kind.clone(),
    }
}
