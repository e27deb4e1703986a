//! The only place that writes a status.

use api::meta::{Condition, ReconciledStatus};
use kube::api::{Api, Patch, PatchParams};
use serde_json::{Value, json};

use crate::reconcile::Kind;

/// Attempts when others change the object at the same time.
const ATTEMPTS: usize = 5;

/// The status could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The API server refused or did not answer.
    #[error("failed to patch status")]
    Api(#[source] kube::Error),
    /// The status is not JSON; does not happen with derived types.
    #[error("failed to encode status")]
    Encode(#[source] serde_json::Error),
    /// Others changed the object at every attempt.
    #[error("failed to patch status: the object keeps changing")]
    Contended,
}

/// Writes one object's status as differences to what is stored.
///
/// A write carries the `resourceVersion` it builds on. When the object has changed meanwhile, conditions of
/// other writers are taken over and the difference is made anew, so nobody's condition is lost.
pub struct Writer<K: Kind> {
    api: Api<K>,
    name: String,
    uid: Option<String>,
    field_manager: &'static str,
    owned: &'static [&'static str],
    stored: Value,
    resource_version: String,
}

impl<K: Kind> Writer<K> {
    /// Starts from an object as it was read. `owned` are the condition types that only we write.
    ///
    /// # Errors
    /// When the status can't be encoded.
    pub fn new(
        api: Api<K>,
        object: &K,
        field_manager: &'static str,
        owned: &'static [&'static str],
    ) -> Result<Self, WriteError> {
        let meta = object.meta();
        Ok(Self {
            api,
            name: meta.name.clone().unwrap_or_default(),
            uid: meta.uid.clone(),
            field_manager,
            owned,
            stored: encode(object.status())?,
            resource_version: meta.resource_version.clone().unwrap_or_default(),
        })
    }

    /// The newest `resourceVersion` that was read or written.
    #[must_use]
    pub fn resource_version(&self) -> &str {
        &self.resource_version
    }

    /// The status as it is stored, as far as we know.
    ///
    /// # Errors
    /// When it can't be decoded; does not happen with what was encoded before.
    pub fn stored(&self) -> Result<K::Status, WriteError> {
        serde_json::from_value(self.stored.clone()).map_err(WriteError::Encode)
    }

    /// Takes over the `resourceVersion` of a write that others did for us (the finalizer).
    pub fn follow(&mut self, resource_version: String) {
        self.resource_version = resource_version;
    }

    /// Makes the stored status equal to `status`. Nothing is sent when it is already.
    ///
    /// An object that is gone counts as written: there is nobody left to tell. Nor is another one of the same name.
    ///
    /// # Errors
    /// When the API server refuses, does not answer, or the object changes at every attempt.
    pub async fn write(&mut self, status: &mut K::Status) -> Result<(), WriteError> {
        for _ in 0..ATTEMPTS {
            let wanted = encode(Some(status))?;
            let Some(difference) = difference(&self.stored, &wanted) else { return Ok(()) };
            let body = json!({"metadata": {"resourceVersion": self.resource_version}, "status": difference});
            let params =
                PatchParams { field_manager: Some(self.field_manager.to_owned()), ..Default::default() };
            match self.api.patch_status(&self.name, &params, &Patch::Merge(&body)).await {
                Ok(object) => {
                    self.remember(&object)?;
                    return Ok(());
                }
                Err(kube::Error::Api(e)) if e.code == 404 => return Ok(()),
                Err(kube::Error::Api(e)) if e.code == 409 => {
                    if !self.rebase(status).await? {
                        return Ok(());
                    }
                }
                Err(e) => return Err(WriteError::Api(e)),
            }
        }
        Err(WriteError::Contended)
    }

    /// Reads the object again and adopts the conditions that others own; false when the object is gone.
    async fn rebase(&mut self, status: &mut K::Status) -> Result<bool, WriteError> {
        let live = self.api.get_opt(&self.name).await.map_err(WriteError::Api)?;
        // One that was deleted and made anew must not get the old one's status.
        let Some(live) = live.filter(|live| live.meta().uid == self.uid) else { return Ok(false) };
        if let Some(live_status) = live.status() {
            adopt_foreign(status.conditions_mut(), live_status.conditions(), self.owned);
        }
        self.remember(&live)?;
        Ok(true)
    }

    fn remember(&mut self, object: &K) -> Result<(), WriteError> {
        self.stored = encode(object.status())?;
        self.resource_version = object.meta().resource_version.clone().unwrap_or_default();
        Ok(())
    }
}

fn encode<S: serde::Serialize>(status: Option<&S>) -> Result<Value, WriteError> {
    Ok(status.map(serde_json::to_value).transpose().map_err(WriteError::Encode)?.unwrap_or_else(|| json!({})))
}

/// Keeps our owned conditions and takes all others from the live object.
fn adopt_foreign(ours: &mut Vec<Condition>, live: &[Condition], owned: &[&str]) {
    let is_owned = |c: &Condition| owned.contains(&c.type_.as_str());
    ours.retain(is_owned);
    ours.extend(live.iter().filter(|c| !is_owned(c)).cloned());
}

/// The JSON merge patch (RFC 7386) that turns `from` into `to`; `None` when they are equal.
fn difference(from: &Value, to: &Value) -> Option<Value> {
    let (Value::Object(old), Value::Object(new)) = (from, to) else {
        return (from != to).then(|| to.clone());
    };
    let mut patch = serde_json::Map::new();
    for (key, value) in new {
        let change = old.get(key).map_or_else(|| Some(value.clone()), |before| difference(before, value));
        patch.extend(change.map(|c| (key.clone(), c)));
    }
    patch.extend(old.keys().filter(|key| !new.contains_key(*key)).map(|key| (key.clone(), Value::Null)));
    (!patch.is_empty()).then_some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use api::meta::{ConditionStatus, Time};

    use super::*;
    use crate::reconcile::fake::merge;

    #[test]
    fn the_difference_is_a_merge_patch() {
        for (from, to, patch) in [
            (json!({}), json!({}), None),
            (json!({"a": 1}), json!({"a": 1}), None),
            (json!({"a": 1}), json!({"a": 2}), Some(json!({"a": 2}))),
            (json!({"a": 1, "b": 2}), json!({"a": 1}), Some(json!({"b": null}))),
            (json!({"a": {"b": 1, "c": 2}}), json!({"a": {"b": 1, "c": 3}}), Some(json!({"a": {"c": 3}}))),
            (json!({"a": {"b": 1}}), json!({"a": {}}), Some(json!({"a": {"b": null}}))),
            (json!({}), json!({"a": {}}), Some(json!({"a": {}}))),
            (json!({"a": {"b": 1}}), json!({"a": 1}), Some(json!({"a": 1}))),
            (json!({"a": [1, 2]}), json!({"a": [2]}), Some(json!({"a": [2]}))),
            (json!({"a": 1}), json!({"a": {"b": 1}}), Some(json!({"a": {"b": 1}}))),
        ] {
            assert_eq!(difference(&from, &to), patch, "{from} -> {to}");
            let mut patched = from.clone();
            merge(&mut patched, &patch.unwrap_or_else(|| json!({})));
            assert_eq!(patched, to, "{from} -> {to}");
        }
    }

    #[test]
    fn foreign_conditions_survive() {
        let condition = |type_: &str, message: &str| Condition {
            type_: type_.to_owned(),
            status: ConditionStatus::True,
            reason: "R".to_owned(),
            message: message.to_owned(),
            observed_generation: None,
            last_transition_time: Time::new(jiff::Timestamp::UNIX_EPOCH),
        };
        let mut ours = vec![condition("Ready", "ours"), condition("Foreign", "stale")];
        adopt_foreign(&mut ours, &[condition("Ready", "live"), condition("Foreign", "live")], &["Ready"]);
        let seen: Vec<_> = ours.iter().map(|c| (c.type_.as_str(), c.message.as_str())).collect();
        assert_eq!(seen, [("Ready", "ours"), ("Foreign", "live")]);
    }
}
