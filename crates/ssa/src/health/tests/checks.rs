//! `spec.healthCheckExprs`.

use api::kustomize::v1::HealthCheckExpr;
use serde_json::{Value, json};

use super::super::{Checks, State};

fn entry(api_version: &str, kind: &str, current: &str) -> HealthCheckExpr {
    HealthCheckExpr {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        current: current.to_owned(),
        ..HealthCheckExpr::default()
    }
}

fn widget(more: Value) -> Value {
    let mut object = json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"generation": 1}});
    object["status"] = more;
    object
}

fn refused(entries: &[HealthCheckExpr], expected: &str) {
    let error = Checks::new(entries).unwrap_err();
    let chain = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    let text = chain.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    assert_eq!(text, expected);
}

// The texts of the next three are those of recorded runs of kustomize-controller.

#[test]
fn two_entries_for_one_kind_are_refused() {
    refused(
        &[entry("v1", "ConfigMap", "true"), entry("v1", "ConfigMap", "false")],
        "duplicate custom health check for GroupKind ConfigMap at healthchecks[1]",
    );
    refused(
        &[entry("example.com/v1", "Widget", "true"), entry("example.com/v2", "Widget", "false")],
        "duplicate custom health check for GroupKind Widget.example.com at healthchecks[1]",
    );
    refused(
        &[entry("example.com/v1", "", "true"), entry("example.com/v2", "", "false")],
        "duplicate custom health check for GroupKind .example.com at healthchecks[1]",
    );
}

#[test]
fn an_expression_that_is_none_is_refused() {
    refused(
        &[entry("v1", "ConfigMap", "status.phase ==")],
        "failed to create custom status evaluator for healthchecks[0]: failed to parse the expression Current: failed to parse the CEL expression 'status.phase ==': ERROR: <input>:1:16: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n | status.phase ==\n | ...............^",
    );
    for (field, name) in [("failed", "Failed"), ("inProgress", "InProgress")] {
        let mut entry = entry("v1", "ConfigMap", "true");
        *(if field == "failed" { &mut entry.failed } else { &mut entry.in_progress }) =
            Some("a b".to_owned());
        refused(
            &[entry],
            &format!(
                "failed to create custom status evaluator for healthchecks[0]: failed to parse the expression {name}: failed to parse the CEL expression 'a b': ERROR: <input>:1:3: Syntax error: extraneous input 'b' expecting <EOF>\n | a b\n | ..^"
            ),
        );
    }
}

#[test]
fn an_entry_needs_an_expression_for_current() {
    refused(
        &[entry("v1", "ConfigMap", "true"), entry("v1", "Secret", "")],
        "failed to create custom status evaluator for healthchecks[1]: expression Current not specified",
    );
}

#[test]
fn in_progress_comes_before_failed_before_current() {
    let mut entry = entry("example.com/v1", "Widget", "status.a >= 1");
    entry.failed = Some("status.a >= 2".to_owned());
    entry.in_progress = Some("status.a >= 3".to_owned());
    let checks = Checks::new(&[entry]).unwrap();
    for (a, expected) in
        [(0, State::InProgress), (1, State::Current), (2, State::Failed), (3, State::InProgress)]
    {
        assert_eq!(checks.status(&widget(json!({"a": a}))).state, expected, "{a}");
    }
}

#[test]
fn a_generation_that_was_not_observed_is_in_progress() {
    let checks = Checks::new(&[entry("example.com/v1", "Widget", "true")]).unwrap();
    for (observed, expected) in [
        (json!(0), State::InProgress),
        (json!(1), State::Current),
        (json!("0"), State::Current),
        (json!(null), State::Current),
    ] {
        assert_eq!(
            checks.status(&widget(json!({"observedGeneration": observed}))).state,
            expected,
            "{observed}"
        );
    }
}

#[test]
fn expressions_replace_the_rules_of_the_kind() {
    let checks = Checks::new(&[entry("example.com/v2", "Widget", "status.done")]).unwrap();
    let terminating = json!({
        "apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"},
        "status": {"done": true, "conditions": [{"type": "Stalled", "status": "True"}]},
    });
    assert_eq!(checks.status(&terminating).state, State::Current);
    assert!(checks.has_expressions_for(&terminating));
    assert_eq!(Checks::default().status(&terminating).state, State::Terminating);
}

#[test]
fn an_entry_without_kind_is_for_its_whole_group() {
    let of_group = entry("example.com/v1", "", "false");
    let checks = Checks::new(&[of_group, entry("example.com/v1", "Gadget", "true")]).unwrap();
    for (version, kind, expected) in [
        ("example.com/v1", "Widget", State::InProgress),
        ("example.com/v1", "Gadget", State::Current),
        ("example.org/v1", "Widget", State::Current),
        ("v1", "Widget", State::Current),
    ] {
        let object = json!({"apiVersion": version, "kind": kind});
        assert_eq!(checks.status(&object).state, expected, "{version} {kind}");
    }
}

#[test]
fn an_expression_without_value_is_of_unknown_status() {
    let checks = Checks::new(&[entry("example.com/v1", "Widget", "status.phase == 'Ready'")]).unwrap();
    let status = checks.status(&widget(json!({})));
    assert_eq!(status.state, State::Unknown);
    assert_eq!(
        status.message,
        "failed to evaluate the CEL expression 'status.phase == 'Ready'': no such key: phase"
    );
    let checks = Checks::new(&[entry("example.com/v1", "Widget", "status.phase")]).unwrap();
    let status = checks.status(&widget(json!({"phase": "x"})));
    assert_eq!(status.message, "failed to evaluate CEL expression as boolean: 'status.phase'");
}

#[test]
fn jobs_are_judged_by_expressions_only_under_another_identity() {
    let checks =
        Checks::new(&[entry("batch/v1", "Job", "true"), entry("batch/v1", "CronJob", "false")]).unwrap();
    let object = |kind: &str| json!({"apiVersion": "batch/v1", "kind": kind});
    assert_eq!(checks.status(&object("Job")).state, State::InProgress);
    assert_eq!(checks.status(&object("CronJob")).state, State::InProgress);
    assert_eq!(checks.impersonated(true).status(&object("Job")).state, State::Current);
}
