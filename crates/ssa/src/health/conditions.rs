use serde_json::Value;

/// `status.conditions` of an object.
pub(super) struct Conditions<'a>(&'a [Value]);

impl<'a> Conditions<'a> {
    pub(super) fn of(object: &'a Value) -> Self {
        let list = object.pointer("/status/conditions").and_then(Value::as_array);
        Self(list.map_or(&[], Vec::as_slice))
    }

    fn find(&self, kind: &str) -> Option<&'a Value> {
        self.0.iter().find(|condition| condition["type"] == kind)
    }

    fn text(&self, kind: &str, field: &str) -> Option<&'a str> {
        self.find(kind)?.get(field)?.as_str()
    }

    pub(super) fn status(&self, kind: &str) -> Option<&'a str> {
        self.text(kind, "status")
    }

    pub(super) fn is(&self, kind: &str, status: &str) -> bool {
        self.status(kind) == Some(status)
    }

    pub(super) fn reason(&self, kind: &str) -> Option<&'a str> {
        self.text(kind, "reason")
    }

    pub(super) fn message(&self, kind: &str) -> &'a str {
        self.text(kind, "message").unwrap_or_default()
    }
}
