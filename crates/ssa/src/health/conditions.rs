use serde_json::Value;

/// `status.conditions` of an object.
pub(super) struct Conditions<'a>(Vec<Condition<'a>>);

/// One condition; what it lacks is empty.
#[derive(Clone, Copy)]
pub(super) struct Condition<'a> {
    pub(super) kind: &'a str,
    pub(super) status: &'a str,
    pub(super) reason: &'a str,
    pub(super) message: &'a str,
}

impl<'a> Conditions<'a> {
    /// Reads them as strictly as kstatus does: what isn't made like conditions can't be judged.
    pub(super) fn of(object: &'a Value) -> Result<Self, String> {
        let status = match object.get("status") {
            None | Some(Value::Null) => return Ok(Self(Vec::new())),
            Some(Value::Object(status)) => status,
            Some(_) => return Err("status is no object".to_owned()),
        };
        match status.get("conditions") {
            None | Some(Value::Null) => Ok(Self(Vec::new())),
            Some(Value::Array(list)) => list.iter().map(Condition::of).collect::<Result<_, _>>().map(Self),
            Some(_) => Err("status.conditions is no list".to_owned()),
        }
    }

    /// In the order of the object, which decides where several apply.
    pub(super) fn iter(&self) -> impl Iterator<Item = Condition<'a>> + '_ {
        self.0.iter().copied()
    }

    pub(super) fn find(&self, kind: &str, status: &str) -> Option<Condition<'a>> {
        self.iter().find(|condition| condition.is(kind, status))
    }

    pub(super) fn has(&self, kind: &str, status: &str) -> bool {
        self.find(kind, status).is_some()
    }
}

impl<'a> Condition<'a> {
    fn of(value: &'a Value) -> Result<Self, String> {
        if !matches!(value, Value::Object(_) | Value::Null) {
            return Err("an element of status.conditions is no object".to_owned());
        }
        let text = |field: &str| match value.get(field) {
            None | Some(Value::Null) => Ok(""),
            Some(Value::String(text)) => Ok(text.as_str()),
            Some(_) => Err(format!("{field} of a condition is no string")),
        };
        Ok(Self {
            kind: text("type")?,
            status: text("status")?,
            reason: text("reason")?,
            message: text("message")?,
        })
    }

    pub(super) fn is(&self, kind: &str, status: &str) -> bool {
        self.kind == kind && self.status == status
    }
}
