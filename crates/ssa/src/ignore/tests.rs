use serde_json::json;

use super::*;

const MANAGER: &str = "kustomize-controller";

fn rules(text: &str) -> Result<IgnoreRules, IgnoreRuleError> {
    let rules: Vec<DriftIgnoreRule> = serde_json::from_str(text).unwrap();
    IgnoreRules::new(&rules)
}

fn deployment(replicas: u32, image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "ns", "resourceVersion": "1", "labels": {"app": "web", "tier": "3"}},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [{"name": "c", "image": image}]}}},
    })
}

fn check_target(target: &str, expected: bool) {
    let rules = rules(&format!(r#"[{{"paths": ["/spec/replicas"], "target": {target}}}]"#)).unwrap();
    assert_eq!(!rules.drifted(&deployment(1, "a"), &deployment(2, "a")), expected, "{target}");
}

#[test]
fn rules_are_for_the_objects_of_their_target() {
    for (target, expected) in [
        ("{}", true),
        (r#"{"kind": "Deployment", "group": "apps", "version": "v1"}"#, true),
        (r#"{"kind": "Deploy"}"#, false),
        (r#"{"kind": "Deploy.*|X"}"#, true),
        (r#"{"name": "we", "namespace": "ns"}"#, false),
        (r#"{"name": "w.b", "namespace": "n."}"#, true),
        (r#"{"labelSelector": "app=web,tier in (2, 3),!x"}"#, true),
        (r#"{"labelSelector": "app!=web"}"#, false),
        (r#"{"labelSelector": "app notin (web)"}"#, false),
        (r#"{"labelSelector": "tier>2,tier<4"}"#, true),
        (r#"{"annotationSelector": "a"}"#, false),
    ] {
        check_target(target, expected);
    }
}

#[test]
fn only_ignored_fields_are_no_drift() {
    let rules = rules(r#"[{"paths": ["/spec/replicas", "/spec/missing"]}]"#).unwrap();
    assert!(!rules.drifted(&deployment(1, "a"), &deployment(2, "a")));
    assert!(rules.drifted(&deployment(1, "a"), &deployment(2, "b")));
    assert_eq!(rules.live_digest(&deployment(1, "a")), rules.live_digest(&deployment(2, "a")));
    assert_ne!(rules.live_digest(&deployment(1, "a")), rules.live_digest(&deployment(1, "b")));
}

fn check_settled(live: &Value, merged: &Value, path: &str, expected: Option<&Value>) {
    let rules = rules(&format!(r#"[{{"paths": ["{path}"]}}]"#)).unwrap();
    let settled = rules.settle(merged, live, merged, MANAGER);
    assert_eq!(settled.as_ref(), expected, "{path}");
}

#[test]
fn an_ignored_field_keeps_its_live_value() {
    let (live, merged) = (deployment(5, "a"), deployment(1, "b"));
    check_settled(&live, &merged, "/spec/replicas", Some(&deployment(5, "b")));
    check_settled(&live, &merged, "/metadata/labels/app", None);
    check_settled(&live, &merged, "/spec/template/spec/containers/0/image", Some(&deployment(1, "a")));
}

#[test]
fn a_field_that_is_not_there_is_left_out() {
    let mut live = deployment(5, "a");
    live["spec"].as_object_mut().unwrap().shift_remove("replicas");
    let mut expected = deployment(1, "a");
    expected["spec"].as_object_mut().unwrap().shift_remove("replicas");
    check_settled(&live, &deployment(1, "a"), "/spec/replicas", Some(&expected));
}

fn claimed(mut live: Value, manager: &str, operation: &str, subresource: &str) -> Value {
    let item = r#"k:{"name":"c"}"#;
    let containers = json!({"f:containers": {item: {".": {}, "f:image": {}}}});
    let fields = json!({"f:spec": {"f:replicas": {}, "f:template": {"f:spec": containers}}});
    live["metadata"]["managedFields"] = json!([
        {"manager": "broken", "operation": "Apply", "fieldsV1": 5},
        {"manager": manager, "operation": operation, "subresource": subresource, "fieldsV1": fields},
    ]);
    live
}

#[test]
fn what_another_manager_applies_is_left_to_it() {
    let live = claimed(deployment(5, "a"), "autoscaler", "Apply", "");
    let mut without_replicas = deployment(1, "b");
    without_replicas["spec"].as_object_mut().unwrap().shift_remove("replicas");
    check_settled(&live, &deployment(1, "b"), "/spec/replicas", Some(&without_replicas));
    let mut without_image = deployment(1, "b");
    without_image["spec"]["template"]["spec"]["containers"] = json!([{"name": "c"}]);
    let image = "/spec/template/spec/containers/0/image";
    check_settled(&live, &deployment(1, "b"), image, Some(&without_image));
}

#[test]
fn updates_subresources_and_our_own_claims_do_not_count() {
    for (manager, operation, subresource) in
        [("autoscaler", "Update", ""), ("autoscaler", "Apply", "scale"), (MANAGER, "Apply", "")]
    {
        let live = claimed(deployment(5, "a"), manager, operation, subresource);
        check_settled(&live, &deployment(1, "b"), "/spec/replicas", Some(&deployment(5, "b")));
    }
}

fn check_refused(text: &str, expected: &str) {
    let error = rules(text).unwrap_err();
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(format!("{error}: {source}"), expected);
}

#[test]
fn a_rule_that_makes_no_sense_is_named() {
    check_refused(
        r#"[{"paths": ["/a"]}, {"paths": ["/a", "b"]}]"#,
        "failed to create ignore rule: spec.ignore[1].paths[1]: invalid JSON pointer \"b\": must begin with '/'",
    );
    check_refused(
        r#"[{"paths": ["/a"], "target": {"name": "("}}]"#,
        "failed to create ignore rule selector: spec.ignore[0].target: invalid name regex: error parsing regexp: unclosed group: `(`",
    );
    check_refused(
        r#"[{"paths": ["/a"], "target": {"labelSelector": "a b"}}]"#,
        "failed to create ignore rule selector: spec.ignore[0].target: invalid label selector: unable to parse requirement: \"a b\"",
    );
    let many = format!(r#"[{{"paths": ["/a"], "target": {{"kind": "{}"}}}}]"#, "(a{1000}){1000}");
    assert!(rules(&many).unwrap_err().to_string().contains("spec.ignore[0].target"));
}
