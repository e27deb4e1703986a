//! Reads one object and judges it.

use api::meta::ObjectRef;
use jiff::Timestamp;
use krm::Id;
use serde_json::Value;

use super::{Target, WaitOptions};
use crate::Manager;
use crate::health::{self, State, Status};
use crate::request::{Calls, RequestError, encode, object_path};

/// What was seen of a target.
pub(super) struct Observed {
    pub(super) status: Status,
    /// The live object, where there is one.
    pub(super) live: Option<Value>,
}

impl Observed {
    fn without(state: State, message: impl Into<String>) -> Self {
        Self { status: Status::new(state, message), live: None }
    }

    /// Of a target that is not there.
    pub(super) fn absent(target: &Target) -> Self {
        if target.may_vanish {
            return Self::without(State::Current, "Resource is gone");
        }
        Self::without(State::NotFound, "Resource not found")
    }
}

/// Tells whether a kind gets stuck without its own status showing it, or by the clock.
///
/// Of these, Flux's readers list the Pods. A Deployment tells by its own status when it is stuck.
pub(super) fn is_silent(object: &ObjectRef) -> bool {
    is_set(object) || (object.group.is_empty() && object.kind == "Pod")
}

fn is_set(object: &ObjectRef) -> bool {
    object.group == "apps" && matches!(object.kind.as_str(), "StatefulSet" | "ReplicaSet")
}

impl Manager {
    /// Reads a target; nothing where the wait ended before it was known.
    pub(super) async fn observe(
        &self,
        calls: &Calls,
        target: &Target,
        options: &WaitOptions,
    ) -> Option<Observed> {
        let live = match self.read(calls, target).await {
            Ok(live) => live,
            Err(error) if error.is_not_found() => return Some(Observed::absent(target)),
            Err(RequestError::Deadline | RequestError::Canceled) => return None,
            Err(error) => return Some(Observed::without(State::Unknown, error.chain())),
        };
        let mut status = options.health.status(&live);
        if status.state == State::InProgress
            && is_set(&target.object)
            && !options.health.has_expressions_for(&live)
            && let Some(why) = self.stuck_pod(calls, target, &live).await
        {
            status = Status::new(State::Failed, why);
        }
        Some(Observed { status, live: Some(live) })
    }

    async fn read(&self, calls: &Calls, target: &Target) -> Result<Value, RequestError> {
        let ObjectRef { namespace, name, group, kind } = target.object.clone();
        let id = Id { group, version: target.version.clone(), kind, namespace, name };
        let mapping = self.mapper.resolve(calls, &id).await?;
        calls.get(&object_path(&mapping, &id.namespace, &id.name)?).await
    }

    /// Names a Pod that keeps a set from becoming ready, and tells why.
    async fn stuck_pod(&self, calls: &Calls, target: &Target, workload: &Value) -> Option<String> {
        let path = format!(
            "/api/v1/namespaces/{}/pods?labelSelector={}&limit=500",
            encode(&target.object.namespace),
            encode(&label_selector(workload)?)
        );
        let pods = calls.get_raw(&path, "application/json").await.ok()?;
        let uid = workload.pointer("/metadata/uid");
        let owned = |pod: &&Value| {
            let owners = pod.pointer("/metadata/ownerReferences").and_then(Value::as_array);
            owners.into_iter().flatten().any(|owner| owner.get("uid") == uid)
        };
        let now = Timestamp::now();
        // Items of a list carry no kind.
        let as_pod = |pod: &Value| {
            let mut pod = pod.clone();
            let fields = pod.as_object_mut()?;
            fields.insert("apiVersion".into(), "v1".into());
            fields.insert("kind".into(), "Pod".into());
            Some(pod)
        };
        let owned = pods.get("items")?.as_array()?.iter().filter(owned);
        let stuck = owned.filter_map(as_pod).find(|pod| health::pod_is_stuck(pod, now))?;
        let name = stuck.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        Some(format!("Pod {name}: {}", health::status_at(&stuck, now).message))
    }
}

/// `spec.selector` as text; nothing where it holds more than labels to match.
fn label_selector(workload: &Value) -> Option<String> {
    let selector = workload.pointer("/spec/selector")?;
    if selector.get("matchExpressions").and_then(Value::as_array).is_some_and(|list| !list.is_empty()) {
        return None;
    }
    let labels = selector.get("matchLabels")?.as_object()?;
    let pair = |(key, value): (&String, &Value)| Some(format!("{key}={}", value.as_str()?));
    labels.iter().map(pair).collect::<Option<Vec<_>>>().map(|pairs| pairs.join(","))
}
