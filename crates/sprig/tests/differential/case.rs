//! A case: templates, one of which is executed on data.

use gotemplate::{MissingKey, Value};
use serde_json::{Value as Json, json};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Case {
    /// Names and texts, in the order in which they are parsed.
    pub(crate) templates: Vec<(String, String)>,
    /// The template to execute.
    pub(crate) run: String,
    /// An object.
    pub(crate) data: Json,
    /// `default`, `zero` or `error`.
    pub(crate) missing_key: String,
}

impl Case {
    /// The line that asks the original.
    pub(crate) fn to_line(&self) -> String {
        let templates: Vec<_> =
            self.templates.iter().map(|(name, text)| json!({ "name": name, "text": text })).collect();
        json!({ "templates": templates, "run": self.run, "data": self.data, "missingkey": self.missing_key })
            .to_string()
    }

    pub(crate) fn missing_key(&self) -> MissingKey {
        match self.missing_key.as_str() {
            "zero" => MissingKey::Zero,
            "error" => MissingKey::Error,
            _ => MissingKey::Default,
        }
    }
}

/// JSON as Go's `encoding/json` decodes it into an `interface {}`.
pub(crate) fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => Value::Float(number.as_f64().expect("the number is finite")),
        Json::String(text) => Value::string(text.as_str()),
        Json::Array(items) => Value::list(items.iter().map(value).collect()),
        Json::Object(entries) => Value::map(entries.iter().map(|(key, item)| (key.as_str(), value(item)))),
    }
}
