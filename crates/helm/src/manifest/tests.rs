use super::*;

fn files(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn files_are_cut_at_lines_that_start_with_three_dashes() {
    for (text, v4_2, v4_1) in [
        ("a: 1\n---\nb: 2\n", vec!["a: 1\n", "b: 2\n"], vec!["a: 1", "b: 2"]),
        ("---\na: 1\n", vec!["a: 1\n"], vec!["a: 1"]),
        ("\n\n  ---  \na: 1\n--- # two\nb: 2", vec!["a: 1\n", "# two\nb: 2"], vec!["a: 1", "# two\nb: 2"]),
        ("a: 1\n---\n---\n\n---\nb: 2\n\n", vec!["a: 1\n", "b: 2\n\n"], vec!["a: 1", "---", "b: 2"]),
        ("a: |\n  x\n  ---\nb: 1\n", vec!["a: |\n  x\n  ---\nb: 1\n"], vec!["a: |\n  x\n  ---\nb: 1"]),
        ("a: 1\n----\nb: 2\n", vec!["a: 1\n", "-\nb: 2\n"], vec!["a: 1", "-\nb: 2"]),
        ("", vec![], vec![]),
        ("---", vec![], vec![]),
    ] {
        assert_eq!(split(text, Compat::V4_2), v4_2, "{text:?}");
        assert_eq!(split(text, Compat::V4_1), v4_1, "{text:?}");
    }
}

#[test]
fn hooks_are_set_apart_and_unknown_ones_dropped() {
    let hook = "kind: Job\nmetadata:\n  name: h\n  annotations:\n    helm.sh/hook: Pre-Install , test-success\n    helm.sh/hook-weight: 5\n    helm.sh/hook-delete-policy: hook-succeeded, before-hook-creation\n";
    let unknown = "kind: Job\nmetadata: {annotations: {helm.sh/hook: \"pre-install,never\"}}\n";
    let plain = "kind: Job\nmetadata: {name: p, annotations: {x: y}}\n";
    let sorted = sort(
        &files(&[
            ("c/templates/a.yaml", hook),
            ("c/templates/b.yaml", unknown),
            ("c/templates/c.yaml", plain),
        ]),
        Order::Install,
        Compat::V4_2,
    )
    .expect("all are YAML");
    assert_eq!(sorted.hooks.len(), 1);
    assert_eq!(sorted.hooks[0].events, ["pre-install", "test"]);
    assert!(sorted.hooks[0].runs_on(Event::Test) && !sorted.hooks[0].runs_on(Event::PostInstall));
    assert_eq!(sorted.hooks[0].weight, 5);
    assert_eq!(sorted.hooks[0].delete_policies, ["hook-succeeded", "before-hook-creation"]);
    assert_eq!(sorted.manifests.len(), 1);
    assert_eq!(sorted.unknown_hooks, [("c/templates/b.yaml".to_owned(), "pre-install,never".to_owned())]);
}

#[test]
fn kinds_are_installed_in_helms_order_and_unknown_ones_last() {
    let kinds = ["Zebra", "Deployment", "ValidatingWebhookConfiguration", "Apple", "ConfigMap", "Namespace"];
    let text = kinds.map(|kind| format!("kind: {kind}\n")).join("---\n");
    let order = |compat| {
        let sorted = sort(&files(&[("c/templates/x.yaml", &text)]), Order::Install, compat).expect("YAML");
        sorted.manifests.into_iter().map(|manifest| manifest.kind).collect::<Vec<_>>()
    };
    assert_eq!(
        order(Compat::V4_2),
        ["Namespace", "ConfigMap", "Deployment", "ValidatingWebhookConfiguration", "Apple", "Zebra"]
    );
    assert_eq!(
        order(Compat::V3),
        ["Namespace", "ConfigMap", "Deployment", "Apple", "ValidatingWebhookConfiguration", "Zebra"]
    );
}

#[test]
fn comments_alone_are_a_manifest_without_a_kind() {
    let sorted =
        sort(&files(&[("c/templates/x.yaml", "# nothing\n")]), Order::Install, Compat::V4_2).expect("YAML");
    assert_eq!(sorted.manifests[0].kind, "");
    assert_eq!(sorted.manifests[0].content, "# nothing\n");
}

#[test]
fn a_document_that_is_no_object_names_its_template() {
    let error = sort(&files(&[("c/templates/x.yaml", "- a\n")]), Order::Install, Compat::V4_2).unwrap_err();
    assert_eq!(
        error.to_string(),
        "YAML parse error on c/templates/x.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type util.SimpleHead"
    );
}
