//! Trees that try to leave their root, to call somebody, to run something or never to end.

use e2e::git::Files;
use serde_json::json;

use super::{Case, World, settings};

pub(super) fn cases(world: &World) -> Vec<Case> {
    let mut cases = escapes();
    cases.extend(calls(world.recorder.host()));
    cases.extend(programs());
    cases.extend(loops());
    cases.extend(expansions());
    cases.extend(malformed());
    cases
}

/// A kustomization file beside a ConfigMap's manifest.
fn file(text: &str) -> Files {
    let mut files = Files::default();
    files.set("kustomization.yaml", text).set("settings.yaml", settings());
    files
}

/// Every field that names a file, with paths that lead out of the source.
fn escapes() -> Vec<Case> {
    let fields = [
        ("resources", "resources: [PATH]"),
        ("components", "components: [PATH]"),
        ("crds", "resources: [settings.yaml]\ncrds: [PATH]"),
        ("configurations", "resources: [settings.yaml]\nconfigurations: [PATH]"),
        ("generators", "resources: [settings.yaml]\ngenerators: [PATH]"),
        ("transformers", "resources: [settings.yaml]\ntransformers: [PATH]"),
        ("validators", "resources: [settings.yaml]\nvalidators: [PATH]"),
        ("openapi", "resources: [settings.yaml]\nopenapi: {path: PATH}"),
        ("patches", "resources: [settings.yaml]\npatches: [{path: PATH, target: {kind: ConfigMap}}]"),
        ("strategic", "resources: [settings.yaml]\npatchesStrategicMerge: [PATH]"),
        (
            "json6902",
            "resources: [settings.yaml]\npatchesJson6902: [{path: PATH, target: {version: v1, kind: ConfigMap, name: settings}}]",
        ),
        ("replacements", "resources: [settings.yaml]\nreplacements: [{path: PATH}]"),
        ("files", "configMapGenerator: [{name: stolen, files: [PATH]}]"),
        ("named-files", "configMapGenerator: [{name: stolen, files: [x=PATH]}]"),
        ("envs", "configMapGenerator: [{name: stolen, envs: [PATH]}]"),
        ("secrets", "secretGenerator: [{name: stolen, files: [PATH]}]"),
    ];
    let paths = [
        ("up", "../../../../../../../../etc/passwd"),
        ("absolute", "/etc/passwd"),
        ("mixed", "a/../../../../../../../etc/passwd"),
    ];
    let mut cases = Vec::new();
    for (field, text) in fields {
        for (kind, path) in paths {
            cases.push(Case::refused(&format!("{kind}-{field}"), file(&text.replace("PATH", path))));
        }
    }
    let mut link = file("resources: [settings.yaml]\nconfigMapGenerator: [{name: stolen, files: [link]}]");
    link.link("link", "/etc/passwd");
    cases.push(Case::refused("link-file", link));
    let mut link = file("resources: [link]");
    link.link("link", "/etc");
    cases.push(Case::refused("link-folder", link));
    let mut link = Files::default();
    link.link("kustomization.yaml", "/etc/passwd").set("settings.yaml", settings());
    // The link isn't part of the artifact: what is left is a folder with a manifest.
    cases.push(Case::applied("link-root", link));
    for (name, path) in
        [("path-up", "./../../../../etc"), ("path-absolute", "/etc"), ("path-mixed", "./a/../../..")]
    {
        // Read as if the source were the root of everything: there is no such folder in it.
        cases.push(Case::settled(name, file("resources: [settings.yaml]")).spec(json!({ "path": path })));
    }
    let up = json!({ "components": ["../../../../../../etc"] });
    cases.push(Case::refused("spec-components-up", file("resources: [settings.yaml]")).spec(up));
    cases
}

/// Everything that could make the controller ask somebody on the network.
fn calls(host: &str) -> Vec<Case> {
    let texts = [
        ("call-resource", "resources: ['http://HOST/cm.yaml']"),
        ("call-base", "resources: ['http://HOST/x//p?ref=main&timeout=87600h']"),
        ("call-git", "resources: ['git::http://HOST/x.git//../../..?ref=main']"),
        ("call-ssh", "resources: ['ssh://-oProxyCommand=touch%20pwned@HOST/x']"),
        ("call-component", "components: ['http://HOST/x//c']"),
        ("call-openapi", "resources: [settings.yaml]\nopenapi: {path: 'http://HOST/openapi.json'}"),
        (
            "call-patch",
            "resources: [settings.yaml]\npatches: [{path: 'http://HOST/p.yaml', target: {kind: ConfigMap}}]",
        ),
        ("call-crd", "resources: [settings.yaml]\ncrds: ['http://HOST/crd.json']"),
        ("call-file", "configMapGenerator: [{name: x, files: ['http://HOST/f']}]"),
        ("call-generator", "generators: ['http://HOST/g.yaml']"),
        ("call-transformer", "resources: [settings.yaml]\ntransformers: ['http://HOST/t.yaml']"),
        ("call-replacement", "resources: [settings.yaml]\nreplacements: [{path: 'http://HOST/r.yaml'}]"),
        ("call-metadata", "resources: ['http://169.254.169.254/latest/meta-data/']"),
    ];
    texts.map(|(name, text)| Case::refused(name, file(&text.replace("HOST", host)))).into()
}

/// Everything that names a program to run.
fn programs() -> Vec<Case> {
    let function = |kind: &str| {
        let mut files = file("resources: [settings.yaml]\ngenerators: [generator.yaml]");
        files.set(
            "generator.yaml",
            format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: g\n  annotations:\n    config.kubernetes.io/function: |\n      {kind}\n"
            ),
        );
        files
    };
    vec![
        Case::refused("exec-function", function("exec: {path: ./run.sh}")),
        Case::refused("container-function", function("container: {image: example.com/run, network: true}")),
        Case::refused("starlark-function", function("starlark: {path: run.star, name: run}")),
        Case::refused(
            "helm-charts",
            file("helmCharts: [{name: x, repo: 'https://example.com', version: 1.0.0}]"),
        ),
        Case::refused(
            "helm-globals",
            file("helmGlobals: {chartHome: ../../../etc}\nhelmCharts: [{name: x}]"),
        ),
        Case::refused("plugin", {
            let mut files = file("transformers: [t.yaml]\nresources: [settings.yaml]");
            files.set("t.yaml", "apiVersion: someteam.example.com/v1\nkind: Exec\nmetadata: {name: t}\n");
            files
        }),
        Case::settled(
            "shell-in-a-name",
            file(
                "resources: [settings.yaml]\nnamePrefix: '$(touch /tmp/ferrite-escaped)`touch /tmp/ferrite-escaped`;'",
            ),
        ),
    ]
}

/// Trees that lead back to themselves, very deep or very often.
fn loops() -> Vec<Case> {
    let mut pair = Files::default();
    pair.set("kustomization.yaml", "resources: [a]")
        .set("a/kustomization.yaml", "resources: [../b]")
        .set("b/kustomization.yaml", "resources: [../a]");
    let mut components = Files::default();
    components
        .set("kustomization.yaml", "components: [c]")
        .set(
            "c/kustomization.yaml",
            "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\ncomponents: [../d]",
        )
        .set(
            "d/kustomization.yaml",
            "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\ncomponents: [../c]",
        );
    vec![
        Case::refused("cycle-self", file("resources: [.]")),
        Case::refused("cycle-named-self", file("resources: [../cycle-named-self]")),
        Case::refused("cycle-pair", pair),
        Case::refused("cycle-components", components),
        Case::refused("chain-of-a-thousand", chain(1000)),
        Case::refused("fan-out", fan_out(20)),
    ]
}

fn chain(length: usize) -> Files {
    let mut files = file("resources: [settings.yaml, d0]");
    for number in 0..length {
        files.set(&format!("d{number}/kustomization.yaml"), format!("resources: [../d{}]", number + 1));
    }
    files.set(&format!("d{length}/kustomization.yaml"), "resources: [../other.yaml]");
    files
}

/// Each level takes the next one twice, under two names: a million ConfigMaps in the end.
fn fan_out(levels: usize) -> Files {
    let mut files = file("resources: [l0/a, l0/b]");
    for level in 0..levels {
        for side in ["a", "b"] {
            let next = if level + 1 == levels { "leaf".to_owned() } else { format!("l{}", level + 1) };
            let next = if level + 1 == levels {
                format!("../../{next}")
            } else {
                format!("../../{next}/a, ../../{next}/b")
            };
            files.set(
                &format!("l{level}/{side}/kustomization.yaml"),
                format!("namePrefix: {side}-\nresources: [{next}]"),
            );
        }
    }
    files.set("leaf/kustomization.yaml", "resources: [settings.yaml]").set("leaf/settings.yaml", settings());
    files
}

/// Small inputs with large outputs, and expressions without an end.
fn expansions() -> Vec<Case> {
    let patch = |target: &str| {
        json!({ "patches": [{
            "target": { "kind": "ConfigMap", "name": target },
            "patch": "- {op: add, path: /data/color, value: green}",
        }] })
    };
    let plain = || file("resources: [settings.yaml]");
    let doubling: String = (0..30).map(|_| "- {op: copy, from: /data, path: /data/more}\n").collect();
    let many: String = (0..200_000).map(|n| format!("- {{op: add, path: /data/k{n}, value: v}}\n")).collect();
    let mut operations =
        file("resources: [settings.yaml]\npatches: [{path: many.yaml, target: {kind: ConfigMap}}]");
    operations.set("many.yaml", many);
    let mut copies =
        file("resources: [settings.yaml]\npatches: [{path: copy.yaml, target: {kind: ConfigMap}}]");
    copies.set("copy.yaml", doubling);
    let backtracking = "a".repeat(40);
    let mut named = Files::default();
    named.set("kustomization.yaml", "resources: [settings.yaml]");
    named.set("settings.yaml", e2e::fixtures::config_map(&format!("{backtracking}-b"), "blue"));
    let target = "{select: {kind: ConfigMap}, fieldPaths: ['data.*', 'metadata.annotations.*'], options: {create: true}}";
    let replacements = format!(
        "resources: [settings.yaml]\nreplacements:\n- source: {{kind: ConfigMap, fieldPath: data.color}}\n  targets: [{}]\n",
        [target; 2000].join(", ")
    );
    vec![
        Case::applied("backtracking-target", named).spec(patch("(a+)+$")),
        Case::settled("backtracking-alternatives", plain()).spec(patch("(.*a|.*b|.*){40}x")),
        Case::refused("expression-too-large", plain()).spec(patch("(((s{1000}){1000}){1000})")),
        Case::refused("look-around", plain()).spec(patch("(?=settings)settings")),
        Case::settled("deep-expression", plain()).spec(patch(&"(".repeat(10_000))),
        Case::refused("copies-of-copies", copies),
        Case::settled("many-operations", operations).own_repository(),
        Case::settled("many-replacements", file(&replacements)),
        Case::refused(
            "long-prefix",
            file(&format!("resources: [settings.yaml]\nnamePrefix: {}-", "a".repeat(1 << 20))),
        ),
        Case::refused("many-objects", {
            let mut files = Files::default();
            let all: String = (0..30_000)
                .map(|n| format!("---\n{}", e2e::fixtures::config_map(&format!("m{n}"), "b")))
                .collect();
            files.set("all.yaml", all);
            files
        })
        .own_repository(),
    ]
}

/// Files that aren't what their fields want.
fn malformed() -> Vec<Case> {
    let texts = [
        ("null-patch", "resources: [settings.yaml]\npatches: [null]"),
        ("empty-image", "resources: [settings.yaml]\nimages: [{}]"),
        ("null-resources", "resources: null"),
        ("empty-label", "resources: [settings.yaml]\nlabels: [{}]"),
        ("a-list", "- resources"),
        ("a-word", "resources"),
        ("only-a-separator", "---\n"),
        ("empty", ""),
        ("numbers-for-names", "1: [settings.yaml]\nresources: [settings.yaml]"),
        ("a-map-for-a-list", "resources: {a: settings.yaml}"),
        ("numbers-for-files", "resources: [1, 2]"),
        ("null-generator", "configMapGenerator: [null]"),
        ("null-replacement", "resources: [settings.yaml]\nreplacements: [null]"),
        ("empty-replica", "resources: [settings.yaml]\nreplicas: [{}]"),
        (
            "negative-replicas",
            "resources: [settings.yaml]\nreplicas: [{name: x, count: -99999999999999999999}]",
        ),
        ("two-documents", "resources: [settings.yaml]\n---\nresources: [settings.yaml]"),
        ("an-anchor-to-nowhere", "resources: *none"),
        ("another-kind", "kind: Pod\nresources: [settings.yaml]"),
        ("null-metadata", "metadata: []\nresources: [settings.yaml]"),
    ];
    texts.map(|(name, text)| Case::settled(name, file(text))).into()
}
