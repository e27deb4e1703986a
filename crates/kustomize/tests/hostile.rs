//! Whatever stands in a kustomization file, a build ends with objects or an error.

use kustomize::{MemoryFs, Options};
use proptest::prelude::*;
use std::path::Path;

const OBJECTS: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {a: b}}
spec: {template: {spec: {containers: [{name: main, image: x, env: [{name: A, value: $(V)}]}]}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: cm}
data: {k: '{\"a\": 1}'}
";

/// Fragments of kustomization files, right and wrong ones.
fn fragment() -> impl Strategy<Value = String> {
    let path = prop_oneof!["o.yaml", "sub", "\\.\\.", "\\.", "nothing", "[a-z/.]{0,6}"];
    let text = "[ -~]{0,30}";
    prop_oneof![
        path.clone().prop_map(|p| format!("resources: [o.yaml, '{}']", p.replace('\'', ""))),
        path.prop_map(|p| format!("components: ['{}']", p.replace('\'', ""))),
        "[a-z.-]{0,8}".prop_map(|n| format!("namespace: '{n}'")),
        "[a-z.-]{0,8}".prop_map(|n| format!("namePrefix: '{n}'")),
        text.prop_map(|t| format!("patches:\n- target: {{kind: .*}}\n  patch: {t:?}")),
        "(/[a-z0-9~-]{0,9}){0,4}"
            .prop_map(|p| format!("patches:\n- target: {{name: w.*}}\n  patch: '- {{op: copy, from: /spec, path: \"{p}\"}}'")),
        text.prop_map(|t| format!("images: [{{name: {t:?}, newTag: v}}]")),
        "[a-z.*0-9=\\[\\]-]{0,20}".prop_map(|p| {
            format!(
                "replacements:\n- source: {{kind: Deployment, fieldPath: spec}}\n  targets:\n  - select: {{kind: .*}}\n    \
                 fieldPaths: ['data.k', '{p}']\n    options: {{create: true}}"
            )
        }),
        text.prop_map(|t| format!("configMapGenerator: [{{name: g, literals: [{t:?}]}}]")),
        Just("vars: [{name: V, objref: {apiVersion: v1, kind: ConfigMap, name: cm}, fieldref: {fieldpath: data}}]".to_owned()),
        "[a-zA-Z: {}\\[\\]-]{0,30}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_build_ends(parts in prop::collection::vec(fragment(), 1..5)) {
        let mut fs = MemoryFs::new();
        fs.add("kustomization.yaml", parts.join("\n"));
        fs.add("o.yaml", OBJECTS);
        fs.add("sub/kustomization.yaml", "resources: [..]");
        match kustomize::build(&fs, Path::new("/"), &Options::flux()) {
            Ok(built) => {
                let text = built.to_yaml();
                prop_assert!(krm::parse(&text).is_ok(), "{}", text);
                let ids: std::collections::HashSet<_> = built.objects.iter().map(krm::Object::id).collect();
                prop_assert_eq!(ids.len(), built.objects.len(), "{}", text);
            }
            Err(error) => prop_assert!(!error.chain().is_empty()),
        }
    }
}
