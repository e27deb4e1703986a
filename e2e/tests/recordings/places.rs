//! Placeholders of the recordings and what they stand for here.

use std::collections::BTreeMap;

use e2e::{
    Bed,
    git::{PASSWORD, USER},
};
use regex::Regex;
use serde_json::Value;

/// Names and values of one scenario.
pub(crate) struct Places {
    values: Vec<(String, String)>,
    namespace: String,
}

impl Places {
    pub(crate) fn new(bed: &Bed, namespace: &str) -> Self {
        let git = &bed.git;
        let values = [
            ("@GIT@", git.url()),
            ("@GIT_PASSWORD@", format!("http://{}", git.password_host())),
            ("@GIT_PASSWORD_HOST@", git.password_host()),
            ("@GIT_TLS@", git.tls_url()),
            ("@GIT_MUTE@", format!("http://{}", git.mute_host())),
            ("@GIT_CLOSED@", format!("http://{}", git.closed_host())),
            ("@GIT_CLOSED_HOST@", git.closed_host()),
            ("@ARTIFACTS@", format!("http://{}", bed.source.storage_host())),
            ("@CA@", git.authority()),
            ("@USER@", USER.to_owned()),
            ("@PASSWORD@", PASSWORD.to_owned()),
        ];
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { values, namespace: namespace.to_owned() }
    }

    /// Puts in what the placeholders stand for. `pushes` holds the commits by repository.
    pub(crate) fn fill(&self, text: &str, pushes: &BTreeMap<String, Vec<String>>) -> String {
        let mut text = text.replace("@NS@", &self.namespace);
        for (name, value) in &self.values {
            text = text.replace(name, value);
        }
        for (repository, commits) in pushes {
            for (index, commit) in commits.iter().enumerate() {
                text = text.replace(&format!("@SHA:{repository}:{}@", index + 1), commit);
                if repository == "app" {
                    text = text.replace(&format!("@SHA:{}@", index + 1), commit);
                }
            }
        }
        text
    }

    /// The same for every text inside of a value.
    pub(crate) fn fill_value(&self, value: &Value, pushes: &BTreeMap<String, Vec<String>>) -> Value {
        map_text(value, &|text| self.fill(text, pushes))
    }

    /// Puts the placeholders for addresses back, as the recorder did.
    pub(crate) fn mask(&self, value: &Value) -> Value {
        map_text(value, &|text| {
            let mut text = text.to_owned();
            // Longest first: an address is part of its URL.
            let mut values: Vec<_> = self
                .values
                .iter()
                .filter(|(name, _)| name.starts_with("@GIT") || name == "@ARTIFACTS@")
                .collect();
            values.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
            for (name, value) in values {
                text = text.replace(value.as_str(), name);
            }
            text
        })
    }
}

/// Whether a recorded text, whose other placeholders stand for anything of their kind, says the same as ours.
pub(crate) fn matches(recorded: &str, ours: &str) -> bool {
    if !recorded.contains('<') {
        return recorded == ours;
    }
    let mut pattern = regex::escape(recorded);
    for (name, of) in [
        ("time", r"[0-9]{4}-[0-9T:.Z-]+"),
        ("dur", r"-?[0-9][0-9hmsµun.]*"),
        ("dir", r#"[^'"\s]*"#),
        ("home", r#"[^'"\s]*"#),
        ("n", r"[0-9A-Za-z]+"),
        ("uid", r"[0-9a-f-]+"),
        ("resourceVersion", r"[0-9]*"),
        ("hostname", r"\S+"),
        ("port", r"[0-9]+"),
        ("address", r"\S+"),
        ("cluster-ip", r"[0-9.]+"),
    ] {
        pattern = pattern.replace(&regex::escape(&format!("<{name}>")), of);
    }
    Regex::new(&format!("(?s)^{pattern}$")).is_ok_and(|pattern| pattern.is_match(ours))
}

fn map_text(value: &Value, change: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(text)),
        Value::Array(items) => items.iter().map(|item| map_text(item, change)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, field)| (change(name), map_text(field, change))).collect()
        }
        other => other.clone(),
    }
}
