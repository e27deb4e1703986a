//! How far an object is, by the rules of kstatus for kinds that it doesn't know.

use api::meta::condition;

use crate::object::Object;

/// How far an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// It is as its spec asks for.
    Current,
    /// A controller works on it, or will.
    InProgress,
    /// No further attempt helps; the controller's message.
    Failed(String),
}

/// Tells how far the object is.
///
/// Source: `cli-utils/pkg/kstatus/status` (`generic.go`). An object without conditions counts as current there too.
pub(crate) fn readiness(object: &Object) -> Readiness {
    if object.is_terminating() || is_outdated(object) {
        return Readiness::InProgress;
    }
    let with_status = |type_, status| object.condition(type_).filter(|found| found.status == status);
    if with_status(condition::RECONCILING, "True").is_some() {
        return Readiness::InProgress;
    }
    if let Some(stalled) = with_status(condition::STALLED, "True") {
        return Readiness::Failed(stalled.message.to_owned());
    }
    match object.ready() {
        Some(ready) if ready.status != "True" => Readiness::InProgress,
        _ => Readiness::Current,
    }
}

/// Says whether the status speaks of an older spec.
fn is_outdated(object: &Object) -> bool {
    let observed = object.number("/status/observedGeneration");
    observed.is_some_and(|observed| Some(observed) != object.generation())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Readiness, readiness};
    use crate::object::Object;

    #[track_caller]
    fn check(status: &Value, expected: &Readiness) {
        let object = json!({
            "apiVersion": "v1",
            "kind": "X",
            "metadata": {"name": "x", "generation": 2},
            "status": status,
        });
        assert_eq!(&readiness(&Object::from_json(object)), expected, "{status}");
    }

    fn condition(type_: &str, status: &str) -> Value {
        json!({"type": type_, "status": status, "message": "said so"})
    }

    #[test]
    fn ready_is_current() {
        check(
            &json!({"observedGeneration": 2, "conditions": [condition("Ready", "True")]}),
            &Readiness::Current,
        );
    }

    #[test]
    fn an_older_generation_is_in_progress() {
        check(
            &json!({"observedGeneration": 1, "conditions": [condition("Ready", "True")]}),
            &Readiness::InProgress,
        );
        check(&json!({"observedGeneration": -1}), &Readiness::InProgress);
    }

    #[test]
    fn reconciling_wins_over_stalled_and_ready() {
        let conditions =
            [condition("Ready", "True"), condition("Stalled", "True"), condition("Reconciling", "True")];
        check(&json!({ "conditions": conditions }), &Readiness::InProgress);
    }

    #[test]
    fn stalled_has_failed_with_its_message() {
        let conditions = [condition("Ready", "False"), condition("Stalled", "True")];
        check(&json!({ "conditions": conditions }), &Readiness::Failed("said so".to_owned()));
    }

    #[test]
    fn not_ready_is_in_progress() {
        check(&json!({"conditions": [condition("Ready", "False")]}), &Readiness::InProgress);
        check(&json!({"conditions": [condition("Ready", "Unknown")]}), &Readiness::InProgress);
    }

    #[test]
    fn without_conditions_there_is_nothing_to_wait_for() {
        check(&json!({}), &Readiness::Current);
    }
}
