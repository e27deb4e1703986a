//! An object of any kind, read leniently: one odd field must not hide the others from `get`.

use kube::core::DynamicObject;
use serde_json::Value;

use api::meta::condition;

/// An object as the API server gave it.
#[derive(Clone, Debug)]
pub(crate) struct Object(DynamicObject);

/// A condition of an object; what is missing is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Condition<'a> {
    pub(crate) type_: &'a str,
    pub(crate) status: &'a str,
    pub(crate) message: &'a str,
}

impl From<DynamicObject> for Object {
    fn from(object: DynamicObject) -> Self {
        Self(object)
    }
}

impl Object {
    #[cfg(test)]
    pub(crate) fn from_json(value: Value) -> Self {
        Self(serde_json::from_value(value).expect("tests give whole objects"))
    }

    /// `metadata.name`.
    pub(crate) fn name(&self) -> &str {
        self.0.metadata.name.as_deref().unwrap_or_default()
    }

    /// `metadata.namespace`.
    pub(crate) fn namespace(&self) -> &str {
        self.0.metadata.namespace.as_deref().unwrap_or_default()
    }

    /// `metadata.generation`.
    pub(crate) fn generation(&self) -> Option<i64> {
        self.0.metadata.generation
    }

    /// Says whether the object is being deleted.
    pub(crate) fn is_terminating(&self) -> bool {
        self.0.metadata.deletion_timestamp.is_some()
    }

    /// The text at a JSON pointer, `/status/artifact/revision`; empty where there is none.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.at(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// The number at a JSON pointer.
    pub(crate) fn number(&self, pointer: &str) -> Option<i64> {
        self.at(pointer)?.as_i64()
    }

    /// `spec.suspend`.
    pub(crate) fn suspended(&self) -> bool {
        self.at("/spec/suspend").and_then(Value::as_bool).unwrap_or_default()
    }

    /// `status.lastHandledReconcileAt`.
    pub(crate) fn last_handled_reconcile_at(&self) -> &str {
        self.text("/status/lastHandledReconcileAt")
    }

    /// `status.conditions`.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = Condition<'_>> {
        let conditions = self.at("/status/conditions").and_then(Value::as_array);
        conditions.into_iter().flatten().map(|condition| {
            let text = |name: &str| condition.get(name).and_then(Value::as_str).unwrap_or_default();
            Condition { type_: text("type"), status: text("status"), message: text("message") }
        })
    }

    /// The condition of that type.
    pub(crate) fn condition(&self, type_: &str) -> Option<Condition<'_>> {
        self.conditions().find(|condition| condition.type_ == type_)
    }

    /// The condition that says whether the object is as its spec asks for.
    pub(crate) fn ready(&self) -> Option<Condition<'_>> {
        self.condition(condition::READY)
    }

    /// The object as JSON.
    pub(crate) fn into_json(self) -> Result<Value, serde_json::Error> {
        serde_json::to_value(self.0)
    }

    fn at(&self, pointer: &str) -> Option<&Value> {
        self.0.data.pointer(pointer)
    }
}
