use std::fmt;

use api::meta::ObjectRef;
use krm::Id;
use serde_json::Value;

use super::{Applied, Desired};
use crate::ignore::IgnoreRuleError;
use crate::normalize::{Encrypted, is_secret};
use crate::request::RequestError;
use crate::{ChangeSet, WaitError};

/// Values of a Secret that are shorter are too common in a text to be looked for.
const SHORTEST_SECRET: usize = 4;

/// One object could not be applied; the text is Flux's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} {what}", object.subject())]
pub struct ObjectError {
    /// Which object.
    pub object: ObjectRef,
    /// What failed and the server's message, such as `dry-run failed (Invalid): …`; free of Secret values.
    pub what: String,
    retryable: bool,
    /// Its kind or its namespace is not there, which the same apply may bring.
    pub(super) homeless: bool,
}

impl ObjectError {
    /// Tells whether another attempt may succeed without a change of the object.
    #[must_use]
    pub fn retryable(&self) -> bool {
        self.retryable
    }

    pub(super) fn encrypted(id: &Id, error: &Encrypted) -> Self {
        let object = ObjectRef {
            namespace: id.namespace.clone(),
            name: id.name.clone(),
            group: id.group.clone(),
            kind: id.kind.clone(),
        };
        Self { object, what: error.to_string(), retryable: false, homeless: false }
    }

    // The answer that the API server would give is known.
    pub(super) fn no_namespace(object: &ObjectRef) -> Self {
        let what = "namespace not specified: the server could not find the requested resource".to_owned();
        Self { object: object.clone(), what, retryable: false, homeless: false }
    }

    pub(super) fn dry_run(desired: &Desired, object: &ObjectRef, error: &RequestError) -> Self {
        if error.is_not_found() {
            let what = if object.namespace.is_empty() { "namespace not specified" } else { "not found" };
            return Self::new(desired, object, what, error);
        }
        match error.reason() {
            "" => Self::new(desired, object, "dry-run failed", error),
            reason => Self::new(desired, object, &format!("dry-run failed ({reason})"), error),
        }
    }

    pub(super) fn new(desired: &Desired, object: &ObjectRef, what: &str, error: &RequestError) -> Self {
        let cause = redacted(&desired.body, error.chain());
        let homeless = error.is_not_found() || matches!(error, RequestError::NoMatch { .. });
        let what = format!("{what}: {cause}");
        Self { object: object.clone(), what, retryable: error.retryable(), homeless }
    }
}

/// Takes the values of a Secret out of a message of the API server, which quotes what it cannot decode.
fn redacted(body: &Value, text: String) -> String {
    if !is_secret(body) {
        return text;
    }
    let mut text = text;
    const QUOTE: &str = "valueUnstructured{Value:";
    if let Some(start) = text.find(QUOTE) {
        text.truncate(start + QUOTE.len());
        text.push_str("***}");
    }
    for field in ["data", "stringData"] {
        let values =
            body.get(field).and_then(Value::as_object).into_iter().flat_map(|entries| entries.values());
        for value in values {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if value.len() >= SHORTEST_SECRET {
                text = text.replace(&value, "***");
            }
        }
    }
    text
}

/// An apply failed. Carries what had been applied before.
///
/// The text has a line for every object that failed, followed by the changes of what was applied, as Flux shows it.
#[derive(Debug)]
pub struct ApplyError {
    pub(super) failure: Failure,
    /// What was done all the same; its `known` is to be handed to the next apply.
    pub applied: Applied,
}

#[derive(Debug)]
pub(super) enum Failure {
    /// Found before anything was sent.
    Refused(Vec<ObjectError>),
    Rules(IgnoreRuleError),
    TooMany {
        count: usize,
        most: usize,
    },
    Objects(Vec<ObjectError>),
    /// The objects of a stage did not become ready.
    NotReady(WaitError),
}

impl ApplyError {
    pub(super) fn rules(error: IgnoreRuleError) -> Self {
        Self::before(Failure::Rules(error))
    }

    pub(super) fn before(failure: Failure) -> Self {
        Self { failure, applied: Applied::default() }
    }

    /// The objects that failed; empty where they were applied but did not become ready, or where the options were
    /// refused.
    #[must_use]
    pub fn errors(&self) -> &[ObjectError] {
        match &self.failure {
            Failure::Refused(errors) | Failure::Objects(errors) => errors,
            Failure::Rules(_) | Failure::TooMany { .. } | Failure::NotReady(_) => &[],
        }
    }

    /// What had been applied before.
    #[must_use]
    pub fn changes(&self) -> &ChangeSet {
        &self.applied.changes
    }

    /// Tells whether another attempt may succeed without a change of the objects.
    #[must_use]
    pub fn retryable(&self) -> bool {
        let hopeless = matches!(self.failure, Failure::Rules(_) | Failure::TooMany { .. });
        !hopeless && self.errors().iter().all(ObjectError::retryable)
    }
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines =
            |errors: &[ObjectError]| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        match &self.failure {
            Failure::Refused(errors) => f.write_str(&lines(errors)),
            Failure::Rules(error) => write!(f, "{error}"),
            Failure::TooMany { count, most } => {
                write!(f, "{count} objects are more than the limit of {most}")
            }
            Failure::Objects(errors) => write!(f, "{}\n{}", lines(errors), self.applied.changes),
            Failure::NotReady(error) => write!(f, "{error}\n{}", self.applied.changes),
        }
    }
}

impl std::error::Error for ApplyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.failure {
            Failure::Rules(error) => error.source(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(body: &Value, text: &str, expected: &str) {
        assert_eq!(redacted(body, text.to_owned()), expected);
    }

    #[test]
    fn values_of_a_secret_do_not_reach_the_message() {
        let secret =
            json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"a": 12, "b": "hunter2", "c": "x"}});
        check(
            &secret,
            ".stringData.a: expected string, got &value.valueUnstructured{Value:12}",
            ".stringData.a: expected string, got &value.valueUnstructured{Value:***}",
        );
        check(&secret, "bad value \"hunter2\" in extra field", "bad value \"***\" in extra field");
    }

    #[test]
    fn other_kinds_keep_the_servers_words() {
        let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"n": 8888}});
        check(
            &config,
            "got &value.valueUnstructured{Value:8888}",
            "got &value.valueUnstructured{Value:8888}",
        );
    }
}
