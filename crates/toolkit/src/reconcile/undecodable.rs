//! Tells the owner of an object that it is stored in a form which can't be read.
//!
//! The CRD's schema keeps such objects out; they come from times when another schema was installed.

use api::meta::{Condition, ConditionStatus, condition};
use jiff::Timestamp;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};
use tracing::warn;

use super::{Key, Kind, Undecodable};
use crate::logging::chain;
use crate::run::Runtime;
use crate::status::conditions::{self, Assertion};

/// Reason of Ready and Stalled.
const REASON: &str = "InvalidSpec";

/// Returns what writes the finding into the object's status, once this process leads.
pub(super) fn reporter<K: Kind>(runtime: &Runtime) -> impl Fn(Undecodable) + Send + Sync + 'static {
    let runtime = runtime.clone();
    move |found| {
        let task = report::<K>(runtime.clone(), found);
        runtime.tasks.spawn(task);
    }
}

async fn report<K: Kind>(runtime: Runtime, found: Undecodable) {
    if runtime.shutdown.run_until_cancelled(runtime.leadership.acquired()).await.is_none() {
        return;
    }
    let key = Key::of(&found.object);
    let meta = &found.object.metadata;
    let generation = meta.generation.unwrap_or_default();
    let message = format!("failed to decode object: {}", found.why);
    if already_said(&found.object, &message, generation) {
        return;
    }
    let api: Api<DynamicObject> =
        Api::namespaced_with(runtime.client.clone(), &key.namespace, &ApiResource::erase::<K>(&()));
    let params = PatchParams { field_manager: Some(runtime.name.to_owned()), ..Default::default() };
    let version = &meta.resource_version;
    let patch = json!({"metadata": {"resourceVersion": version}, "status": verdict(&found.object, &message, generation)});
    match api.patch_status(&key.name, &params, &Patch::Merge(&patch)).await {
        // It was found long ago, maybe, when another process led: a newer version speaks for itself.
        Err(kube::Error::Api(e)) if e.code == 404 || e.code == 409 => {}
        Err(e) => warn!(%key, error = %chain(&e), "failed to patch status of an undecodable object"),
        Ok(_) => {}
    }
}

fn already_said(object: &DynamicObject, message: &str, generation: i64) -> bool {
    stored_conditions(object).any(|c| {
        c["type"] == condition::READY && c["message"] == message && c["observedGeneration"] == generation
    })
}

/// The finding beside what else is said about the object.
fn verdict(object: &DynamicObject, message: &str, generation: i64) -> Value {
    // A condition that can't be decoded either is kept as it is.
    let (mut list, mut strange) = (Vec::<Condition>::new(), Vec::new());
    for condition in stored_conditions(object) {
        match serde_json::from_value(condition.clone()) {
            Ok(condition) => list.push(condition),
            Err(_) => strange.push(condition.clone()),
        }
    }
    for (type_, status) in
        [(condition::STALLED, ConditionStatus::True), (condition::READY, ConditionStatus::False)]
    {
        let assertion = Assertion { type_, status, reason: REASON, message };
        conditions::set(&mut list, assertion, generation, Timestamp::now());
        strange.retain(|condition| condition["type"] != type_);
    }
    let list: Vec<Value> = list.into_iter().map(|condition| json!(condition)).chain(strange).collect();
    json!({"conditions": list, "observedGeneration": generation})
}

fn stored_conditions(object: &DynamicObject) -> impl Iterator<Item = &Value> {
    object.data.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten()
}
