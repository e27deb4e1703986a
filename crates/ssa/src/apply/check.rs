//! Finds out what is to be done with one object. Writes nothing.

use std::time::Duration;

use api::meta::{ObjectRef, ResourceRef};
use serde_json::Value;
use tokio::time::Instant;

use super::known::{Entry, identity};
use super::{Desired, ObjectError, Run};
use crate::mapper::Mapping;
use crate::request::{Answer, Path, RequestError, object_path};
use crate::{drift, metadata};

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
    /// Left alone; with the uid of the live object, where it was seen.
    Skip {
        uid: Option<String>,
    },
    /// As asked for already.
    Keep(Entry),
    Create {
        path: Path,
    },
    /// Other field managers' claims are patched away first.
    Configure {
        path: Path,
        cleanup: Option<Value>,
    },
    /// Deleted, then created.
    Recreate {
        path: Path,
        uid: String,
    },
}

impl Checked<'_> {
    /// The object's inventory entry, if it is about to be written.
    pub(super) fn written(&self) -> Option<ResourceRef> {
        let entry = || ResourceRef { id: self.object.to_string(), v: self.desired.id.version.clone() };
        match self.plan {
            Plan::Skip { .. } | Plan::Keep(_) => None,
            Plan::Create { .. } | Plan::Configure { .. } | Plan::Recreate { .. } => Some(entry()),
        }
    }
}

impl Run<'_> {
    pub(super) async fn check<'a>(&self, desired: &'a Desired) -> Result<Checked<'a>, ObjectError> {
        let mapping = self.manager.mapper.resolve(&self.calls, &desired.id).await;
        let object = object_ref(desired, mapping.as_ref().ok());
        let plan = if metadata::is_ignored(&desired.body, self.group()) {
            Plan::Skip { uid: None }
        } else {
            let mapping = mapping.map_err(|error| ObjectError::dry_run(desired, &object, &error))?;
            self.plan(desired, &object, &mapping).await?
        };
        Ok(Checked { desired, object, plan })
    }

    fn group(&self) -> &str {
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
            && let Ok(live) = self.calls.get_metadata(&path).await
        {
            return Ok(Plan::Skip { uid: uid(&live) });
        }
        if let Some(entry) = self.untouched(desired, object, &path).await {
            return Ok(Plan::Keep(entry.clone()));
        }
        match self.dry_run(desired, &path).await {
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

    /// What is known of the object, if it is asked for as before and nobody has touched it since.
    async fn untouched(&self, desired: &Desired, object: &ObjectRef, path: &Path) -> Option<&Entry> {
        let entry = self.known.get(object).filter(|entry| entry.desired == desired.digest)?;
        // Errors are no proof of anything: the dry run decides.
        let live = self.calls.get_metadata(path).await.ok()?;
        entry.is(&live).then_some(entry)
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
            return Ok(Plan::Skip { uid: uid(merged) });
        }
        if let Some(entry) = self.known.get(object).filter(|entry| entry.is(merged)) {
            if entry.live == drift::live_digest(merged) {
                return Ok(Plan::Keep(Entry { desired: desired.digest, ..entry.clone() }));
            }
            return Ok(Plan::Configure { path, cleanup: None });
        }
        let live = match self.calls.get(&path).await {
            Ok(live) => live,
            Err(error) if error.is_not_found() => return Ok(Plan::Create { path }),
            // Who may not read is compared with nothing (ks-sa-denied).
            Err(error) if error.code() == Some(403) => return Ok(Plan::Configure { path, cleanup: None }),
            Err(error) => return Err(error),
        };
        if metadata::is_ignored(&live, group) {
            return Ok(Plan::Skip { uid: uid(&live) });
        }
        let cleanup = self.cleanup(desired, &live);
        if cleanup.is_some() || drift::drifted(&live, merged) {
            return Ok(Plan::Configure { path, cleanup });
        }
        Ok(Plan::Keep(Entry::new(&live, desired.digest)))
    }

    pub(super) fn cleanup(&self, desired: &Desired, live: &Value) -> Option<Value> {
        let merges = |object: &Value| metadata::says(object, self.group(), "ssa", "Merge");
        if merges(&desired.body) || merges(live) {
            return None;
        }
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        self.manager.take_over().patch(live, &now)
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
            return Ok(Plan::Skip { uid: uid(&live) });
        }
        let force = desired.force || metadata::says(&live, self.group(), "force", "enabled");
        if !force || !error.is_immutable() || !self.may_be_recreated(desired, &live) {
            return Err(error);
        }
        // Invalid content looks like an immutable field; a deletion must not be all that comes of it.
        self.calls.creatable(&path, &desired.body).await?;
        let (uid, _) = identity(&live);
        Ok(Plan::Recreate { path, uid })
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

fn uid(object: &Value) -> Option<String> {
    let (uid, _) = identity(object);
    (!uid.is_empty()).then_some(uid)
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
