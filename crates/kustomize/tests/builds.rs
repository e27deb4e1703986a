//! Small builds, each for one behaviour.

use kustomize::{
    Error, ErrorKind, FileSystem, Kustomization, Limits, LoadRestrictions, MemoryFs, Options, Reorder,
    RootedDir,
};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

fn files(files: &[(&str, &str)]) -> MemoryFs {
    let mut fs = MemoryFs::new();
    for (path, content) in files {
        fs.add(path, *content);
    }
    fs
}

fn run(fs: &dyn FileSystem, dir: &str, options: &Options) -> Result<String, Error> {
    kustomize::build(fs, Path::new(dir), options).map(|built| built.to_yaml())
}

/// Builds the root directory of some files.
fn build(content: &[(&str, &str)]) -> Result<String, Error> {
    run(&files(content), "/", &Options::default())
}

#[track_caller]
fn fails(content: &[(&str, &str)], text: &str) -> Error {
    let error = build(content).expect_err("the build should fail");
    assert!(error.chain().contains(text), "{}", error.chain());
    error
}

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
const ROOT: &str = "kustomization.yaml";

#[test]
fn a_file_that_is_missing_is_named() {
    let error =
        fails(&[(ROOT, "resources: [nothing.yaml]")], "lstat /nothing.yaml: no such file or directory");
    assert_eq!(error.kind(), ErrorKind::File);
}

#[test]
fn an_empty_kustomization_is_refused() {
    fails(&[(ROOT, "")], "kustomization.yaml is empty");
    fails(&[(ROOT, "kind: Kustomization\n")], "kustomization.yaml is empty");
}

#[test]
fn an_unknown_field_is_named_with_its_line() {
    let error = fails(
        &[(ROOT, "namespace: x\nresorces: [a]\n")],
        "invalid Kustomization: json: unknown field \"resorces\"",
    );
    assert_eq!(error.in_file(), Some("/kustomization.yaml"));
    assert_eq!(error.at_line(), Some(2));
    assert_eq!(error.in_field(), Some("resorces"));
}

#[test]
fn a_wrong_type_is_told_as_go_tells_it() {
    fails(
        &[(ROOT, "commonLabels: {a: yes}")],
        "json: cannot unmarshal bool into Go struct field Kustomization.commonLabels of type string",
    );
}

#[test]
fn field_names_match_without_regard_to_case() {
    let out = build(&[(ROOT, "RESOURCES: [a.yaml]\nnameprefix: x-"), ("a.yaml", CONFIG_MAP)]).unwrap();
    assert_eq!(out, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x-a\n");
}

#[test]
fn malformed_yaml_is_told_with_file_and_line() {
    let error = fails(
        &[(ROOT, "resources: [a.yaml]"), ("a.yaml", "a: 1\n b: 2\n")],
        "MalformedYAMLError: yaml: line 2",
    );
    assert_eq!((error.in_file(), error.at_line(), error.at_column()), (Some("/a.yaml"), Some(2), Some(3)));
    assert_eq!(error.kind(), ErrorKind::Malformed);
}

#[test]
fn the_same_resource_twice_is_refused() {
    fails(
        &[(ROOT, "resources: [a.yaml, b.yaml]"), ("a.yaml", CONFIG_MAP), ("b.yaml", CONFIG_MAP)],
        "may not add resource with an already registered id: ConfigMap.v1.[noGrp]/a.[noNs]",
    );
}

#[test]
fn bases_must_not_contain_each_other() {
    fails(
        &[(ROOT, "resources: [sub]"), ("sub/kustomization.yaml", "resources: [..]")],
        "cycle detected: candidate root '/' contains visited root '/sub'",
    );
}

#[test]
fn remote_bases_are_refused_without_their_secrets() {
    for url in [
        "https://user:hunter2@example.com/base?ref=main&token=hunter2",
        "github.com/org/repo//base",
        "git@example.com:org/repo.git",
        "ssh://git@example.com/repo",
    ] {
        let error = fails(&[(ROOT, &format!("resources: ['{url}']"))], "remote base");
        assert!(!error.chain().contains("hunter2"), "{}", error.chain());
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
}

#[test]
fn charts_are_refused() {
    let error = fails(&[(ROOT, "helmCharts: [{name: x}]")], "must specify --enable-helm");
    assert_eq!(error.in_field(), Some("helmCharts"));
}

#[test]
fn files_outside_the_directory_need_the_option() {
    let fs = files(&[("app/kustomization.yaml", "resources: [../a.yaml]"), ("a.yaml", CONFIG_MAP)]);
    let error = run(&fs, "app", &Options::default()).unwrap_err();
    assert!(
        error.chain().contains("security; file '/a.yaml' is not in or below '/app'"),
        "{}",
        error.chain()
    );
    let open = Options { load_restrictions: LoadRestrictions::None, ..Options::default() };
    assert!(run(&fs, "app", &open).unwrap().contains("name: a"));
}

#[cfg(unix)]
#[test]
fn links_cannot_leave_the_root() {
    use std::os::unix::fs::symlink;
    let dir = tempfile::tempdir().unwrap();
    let (outside, root) = (dir.path().join("outside"), dir.path().join("root"));
    for folder in [&outside, &root, &root.join("app")] {
        std::fs::create_dir(folder).unwrap();
    }
    std::fs::write(outside.join("a.yaml"), CONFIG_MAP).unwrap();
    std::fs::write(root.join("inside.yaml"), CONFIG_MAP).unwrap();
    let fs = RootedDir::open(&root).unwrap();
    let open = Options { load_restrictions: LoadRestrictions::None, ..Options::default() };
    std::fs::write(root.join("app/kustomization.yaml"), "resources: [a.yaml]").unwrap();
    let link = root.join("app/a.yaml");
    for target in [Path::new("../../outside/a.yaml").to_owned(), outside.join("a.yaml")] {
        symlink(&target, &link).unwrap();
        assert!(run(&fs, "app", &open).unwrap_err().chain().contains("path leads out of the root directory"));
        std::fs::remove_file(&link).unwrap();
    }
    symlink("../inside.yaml", &link).unwrap();
    assert!(run(&fs, "app", &open).unwrap().contains("name: a"));
    let error = run(&fs, "app", &Options::default()).unwrap_err().chain();
    assert!(error.contains("security; file '/inside.yaml' is not in or below '/app'"), "{error}");
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_end() {
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("b", dir.path().join("a")).unwrap();
    std::os::unix::fs::symlink("a", dir.path().join("b")).unwrap();
    let fs = RootedDir::open(dir.path()).unwrap();
    assert!(fs.read(Path::new("/a")).unwrap_err().to_string().contains("too many levels"));
}

#[test]
fn a_build_can_be_cancelled() {
    let options = Options { cancelled: Some(Arc::new(AtomicBool::new(true))), ..Options::default() };
    let error = run(&files(&[(ROOT, "namespace: x")]), "/", &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

#[test]
fn what_a_build_uses_is_bounded() {
    let two = format!("{CONFIG_MAP}---\n{}", CONFIG_MAP.replace("name: a", "name: b"));
    let fs = files(&[(ROOT, "resources: [a.yaml]"), ("a.yaml", &two)]);
    let check = |limits: Limits| {
        run(&fs, "/", &Options { limits, ..Options::default() }).map(drop).map_err(|e| e.kind())
    };
    assert_eq!(check(Limits { objects: 2, ..Limits::default() }), Ok(()));
    assert_eq!(check(Limits { objects: 1, ..Limits::default() }), Err(ErrorKind::Limit));
    assert_eq!(check(Limits { files: 2, ..Limits::default() }), Ok(()));
    assert_eq!(check(Limits { files: 1, ..Limits::default() }), Err(ErrorKind::Limit));
}

#[test]
fn bases_nest_only_so_deep() {
    let mut fs = MemoryFs::new();
    for level in 0..10 {
        fs.add(format!("l{level}/kustomization.yaml"), format!("resources: [../l{}]", level + 1));
    }
    fs.add("l10/kustomization.yaml", "resources: [a.yaml]").add("l10/a.yaml", CONFIG_MAP);
    let check = |depth| {
        let limits = Limits { depth, ..Limits::default() };
        run(&fs, "l0", &Options { limits, ..Options::default() }).map(drop).map_err(|e| e.kind())
    };
    assert_eq!(check(11), Ok(()));
    assert_eq!(check(10), Err(ErrorKind::Limit));
}

#[test]
fn json_patches_have_only_so_many_operations() {
    let patch = "patches:\n- target: {kind: ConfigMap}\n  patch: '- {op: add, path: /data, value: {}}'\n";
    let fs = files(&[(ROOT, &format!("resources: [a.yaml]\n{patch}")), ("a.yaml", CONFIG_MAP)]);
    let check = |patch_operations| {
        let limits = Limits { patch_operations, ..Limits::default() };
        run(&fs, "/", &Options { limits, ..Options::default() }).is_ok()
    };
    assert!(check(1));
    assert!(!check(0));
}

/// Builds with a patch, with limits of one's own.
fn grown(patch: &str, limits: Limits) -> Result<(), ErrorKind> {
    let root = format!("resources: [a.yaml]\npatches:\n- target: {{kind: ConfigMap}}\n  patch: '{patch}'\n");
    let fs = files(&[(ROOT, &root), ("a.yaml", CONFIG_MAP)]);
    run(&fs, "/", &Options { limits, ..Options::default() }).map(drop).map_err(|e| e.kind())
}

#[test]
fn values_that_double_are_bounded() {
    let copies: Vec<String> = (0..60)
        .map(|i| format!(r#"{{"op": "copy", "from": "/metadata", "path": "/metadata/m{i}"}}"#))
        .collect();
    assert_eq!(grown(&format!("[{}]", copies.join(", ")), Limits::default()), Err(ErrorKind::Limit));
}

#[test]
fn what_patches_add_is_bounded() {
    let patch = "- {op: add, path: /data, value: {a: bcd}}";
    assert_eq!(grown(patch, Limits { added_values: 2, ..Limits::default() }), Ok(()));
    assert_eq!(grown(patch, Limits { added_values: 1, ..Limits::default() }), Err(ErrorKind::Limit));
    assert_eq!(grown(patch, Limits { added_bytes: 4, ..Limits::default() }), Ok(()));
    assert_eq!(grown(patch, Limits { added_bytes: 3, ..Limits::default() }), Err(ErrorKind::Limit));
    assert_eq!(grown(patch, Limits { value_depth: 4, ..Limits::default() }), Ok(()));
    assert_eq!(grown(patch, Limits { value_depth: 3, ..Limits::default() }), Err(ErrorKind::Limit));
}

#[test]
fn what_is_read_is_bounded() {
    let fs = files(&[(ROOT, "resources: [a.yaml]"), ("a.yaml", CONFIG_MAP)]);
    let size = "resources: [a.yaml]".len() + CONFIG_MAP.len();
    let check = |read_bytes| {
        let limits = Limits { read_bytes, ..Limits::default() };
        run(&fs, "/", &Options { limits, ..Options::default() }).map(drop).map_err(|e| e.kind())
    };
    assert_eq!(check(size), Ok(()));
    assert_eq!(check(size - 1), Err(ErrorKind::Limit));
}

#[test]
fn variables_that_grow_are_bounded() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, args: ['$(V)$(V)$(V)']}]}\n";
    let vars = "resources: [p.yaml]\nvars:\n- name: V\n  objref: {apiVersion: v1, kind: Pod, name: p}\n";
    let fs = files(&[(ROOT, vars), ("p.yaml", pod)]);
    let check = |added_bytes| {
        let limits = Limits { added_bytes, ..Limits::default() };
        run(&fs, "/", &Options { limits, ..Options::default() }).map(drop).map_err(|e| e.kind())
    };
    assert_eq!(check(3), Ok(()));
    assert_eq!(check(2), Err(ErrorKind::Limit));
}

#[test]
fn the_order_of_files_and_repeated_builds_change_nothing() {
    let content = [
        (
            ROOT,
            "resources: [a.yaml, b.yaml]\nnamePrefix: x-\nconfigMapGenerator: [{name: c, literals: [k=v]}]",
        ),
        ("a.yaml", CONFIG_MAP),
        ("b.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"),
    ];
    let mut turned = content;
    turned.reverse();
    let first = build(&content).unwrap();
    assert_eq!(build(&content).unwrap(), first);
    assert_eq!(build(&turned).unwrap(), first);
}

#[test]
fn building_the_output_again_gives_the_output() {
    let out = build(&[
        (ROOT, "resources: [a.yaml]\nnamespace: prod\nlabels: [{pairs: {a: 'yes'}}]"),
        ("a.yaml", CONFIG_MAP),
    ])
    .unwrap();
    assert_eq!(build(&[(ROOT, "resources: [out.yaml]"), ("out.yaml", &out)]).unwrap(), out);
}

#[test]
fn deprecated_fields_warn() {
    let fs =
        files(&[(ROOT, "bases: [base]\ncommonLabels: {a: b}"), ("base/kustomization.yaml", "namePrefix: x")]);
    let built = kustomize::build(&fs, Path::new("/"), &Options::default()).unwrap();
    assert_eq!(built.warnings.len(), 2);
    assert_eq!(
        built.warnings[0],
        "# Warning: 'bases' is deprecated. Please use 'resources' instead. Run 'kustomize edit fix' to update your \
         Kustomization automatically."
    );
}

#[test]
fn legacy_order_puts_namespaces_first() {
    let text = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n";
    let fs = files(&[(ROOT, "resources: [a.yaml]"), ("a.yaml", text)]);
    let kinds = |reorder| {
        let built =
            kustomize::build(&fs, Path::new("/"), &Options { reorder, ..Options::default() }).unwrap();
        built.objects.iter().map(|o| o.kind().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(Reorder::None), ["Service", "Namespace"]);
    assert_eq!(kinds(Reorder::Legacy), ["Namespace", "Service"]);
    assert_eq!(kinds(Reorder::Unspecified), ["Namespace", "Service"]);
}

/// Builds one object with a patch and gives the lines from `spec:` on.
fn patched(object: &str, patch: &str) -> String {
    let root = "resources: [o.yaml]\npatches:\n- path: p.yaml\n  target: {kind: .*}\n";
    let out = build(&[(ROOT, root), ("o.yaml", object), ("p.yaml", patch)]).expect("the build works");
    out.split_once("spec:\n").map(|(_, spec)| spec.to_owned()).unwrap_or(out)
}

/// What becomes of a Service's ports; the answers were recorded from kustomize.
#[test]
fn ports_merge_by_port_and_protocol_with_kustomizes_losses() {
    let check = |base: &str, patch: &str, expected: &str| {
        let service = |ports: &str| {
            format!("apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {{ports: {ports}}}\n")
        };
        let found = patched(&service(base), &service(patch));
        let found = krm::parse(&found).unwrap()[0].to_json()["ports"].clone();
        assert_eq!(found, krm::parse(expected).unwrap()[0].to_json(), "{base} + {patch}");
    };
    check("[{port: 80}]", "[{port: 80, name: x}]", "[{port: 80, name: x}]");
    check("[{port: 80}]", "[{port: 80, name: x, protocol: TCP}]", "[{port: 80}]");
    check("[{port: 80, protocol: TCP}]", "[{port: 80, name: x}]", "[{port: 80, protocol: TCP}]");
    check(
        "[{port: 80, protocol: TCP}]",
        "[{port: 80, name: x, protocol: UDP}]",
        "[{port: 80, name: x, protocol: UDP}, {port: 80, protocol: TCP}]",
    );
    check(
        "[{port: 80}, {port: 53, protocol: UDP}]",
        "[{port: 80, name: x}]",
        "[{port: 80, name: x}, {port: 53, protocol: UDP}]",
    );
    check(
        "[{port: 80}, {port: 53, protocol: UDP}]",
        "[{port: 53, name: x}]",
        "[{port: 80}, {port: 53, protocol: UDP}]",
    );
    check(
        "[{port: 80, protocol: TCP}, {port: 80, protocol: UDP}]",
        "[{port: 80, name: x}]",
        "[{port: 80, protocol: TCP}, {port: 80, protocol: UDP}]",
    );
}

/// Any strategic-merge patch walks all lists; the answers were recorded from kustomize.
#[test]
fn a_patch_tidies_lists_that_it_does_not_name() {
    let check = |containers: &str, expected: &str| {
        let pod =
            format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{containers: {containers}}}\n");
        let found = patched(&pod, "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {a: b}}\n");
        let found = krm::parse(&found).unwrap()[0].to_json()["containers"].clone();
        assert_eq!(found, krm::parse(expected).unwrap()[0].to_json(), "{containers}");
    };
    check(
        "[{name: a, env: [{name: X, value: '1'}, {name: Y, value: '2'}, {name: X, value: '3'}]}]",
        "[{name: a, env: [{name: X, value: '3'}, {name: Y, value: '2'}]}]",
    );
    check("[{name: a}, {image: x}]", "[{image: x}]");
    check(
        "[{name: a, ports: [{containerPort: 8080}, {containerPort: 8080}]}]",
        "[{name: a, ports: [{containerPort: 8080}]}]",
    );
}

#[test]
fn patch_elements_come_first_and_lists_without_keys_are_replaced() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, args: [x, y]}, {name: b}]}\n";
    let patch = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c}, {name: a, args: [z]}]}\n";
    assert_eq!(
        patched(pod, patch),
        "  containers:\n  - name: c\n  - args:\n    - z\n    name: a\n  - name: b\n"
    );
}

#[test]
fn plain_values_merge_as_a_set() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, finalizers: [F]}\n";
    let out = patched(&text.replace('F', "a, b"), &text.replace('F', "b, c"));
    assert!(out.contains("finalizers:\n  - b\n  - c\n  - a\n"), "{out}");
}

#[test]
fn directives_replace_and_delete() {
    let deployment =
        |spec: &str| format!("apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: d}}\nspec: {spec}\n");
    let base = deployment("{strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}, replicas: 1}");
    assert_eq!(
        patched(&base, &deployment("{strategy: {$patch: replace, type: Recreate}, replicas: null}")),
        "  strategy:\n    type: Recreate\n"
    );
    let base = deployment("{template: {spec: {containers: [{name: a}, {name: b}]}}}");
    let patch = deployment("{template: {spec: {containers: [{name: a, $patch: delete}]}}}");
    assert_eq!(patched(&base, &patch), "  template:\n    spec:\n      containers:\n      - name: b\n");
    let gone = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n$patch: delete\n";
    assert_eq!(patched(&base, gone), "");
}

#[test]
fn json_patches_say_what_is_missing() {
    let check = |patch: &str, text: &str| {
        let root =
            format!("resources: [a.yaml]\npatches:\n- target: {{kind: ConfigMap}}\n  patch: '{patch}'\n");
        fails(&[(ROOT, &root), ("a.yaml", CONFIG_MAP)], text);
    };
    check(
        "- {op: replace, path: /a/b, value: 1}",
        "replace operation does not apply: doc is missing path: /a/b: missing value",
    );
    check(
        "- {op: remove, path: /b}",
        "error in remove for path: ''/b'': Unable to remove nonexistent key: b: missing value"
            .replace("''", "'")
            .as_str(),
    );
    check(
        "- {op: add, path: /a/b, value: 1}",
        "add operation does not apply: doc is missing path: \"/a/b\": missing value",
    );
    check("- {op: test, path: /kind, value: x}", "testing value /kind failed: test failed");
}

#[test]
fn secrets_stay_out_of_messages() {
    let secret = "hunter2";
    let check = |root: &str| {
        let error = build(&[(ROOT, root), ("a.yaml", CONFIG_MAP)]).unwrap_err();
        assert!(!error.chain().contains(secret), "{}", error.chain());
    };
    check("secretGenerator: [{name: a, literals: [hunter2]}]");
    check("resources: [a.yaml]\npatches: [{patch: 'hunter2'}]");
    let file = Kustomization::parse(b"secretGenerator: [{name: a, literals: [k=hunter2]}]").unwrap();
    assert!(!format!("{file:?}").contains(secret));
    let fs = files(&[(ROOT, "secretGenerator: [{name: a, literals: [k=hunter2]}]")]);
    let built = kustomize::build(&fs, Path::new("/"), &Options::default()).unwrap();
    assert!(!format!("{built:?}").contains("aHVudGVyMg=="));
}

#[test]
fn the_kustomization_file_reads_back_as_it_was_written() {
    let text = "\
apiVersion: kustomize.config.k8s.io/v1beta1
commonAnnotations:
  a: \"1\"
configMapGenerator:
- literals:
  - a=b
  name: cm
  options:
    disableNameSuffixHash: true
images:
- name: nginx
  newTag: \"1.27\"
kind: Kustomization
namespace: prod
patches:
- patch: |
    - op: remove
      path: /spec
  target:
    kind: Deployment
replicas:
- count: 0
  name: web
resources:
- a.yaml
- ../base
";
    let file = Kustomization::parse(text.as_bytes()).unwrap();
    assert_eq!(file.resources, ["a.yaml", "../base"]);
    assert_eq!(file.to_yaml(), text);
    assert_eq!(Kustomization::parse(file.to_yaml().as_bytes()).unwrap(), file);
}

/// The fixtures' outputs are ours, checked by hand against the rules.
#[test]
fn fixtures_build_as_written() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut built = 0;
    for entry in std::fs::read_dir(dir).unwrap() {
        let case = entry.unwrap().path();
        if !case.is_dir() {
            continue;
        }
        let fs = RootedDir::open(case.join("in")).unwrap();
        let out = run(&fs, "overlay", &Options::default()).unwrap();
        if std::env::var_os("WRITE_FIXTURES").is_some() {
            std::fs::write(case.join("out.yaml"), &out).unwrap();
        }
        assert_eq!(out, std::fs::read_to_string(case.join("out.yaml")).unwrap(), "{}", case.display());
        built += 1;
    }
    assert!(built >= 3);
}

#[test]
fn a_field_with_a_schema_in_its_comment_is_not_merged() {
    let object = "apiVersion: example.com/v1\nkind: A\nmetadata: {name: a}\n\
        list: # {\"x-kubernetes-patch-strategy\": \"merge\"}\n- b\n";
    let patch = "patches: [{patch: '{apiVersion: example.com/v1, kind: A, metadata: {name: a}, x: 1}'}]\n";
    let files = [(ROOT, &*format!("resources: [a.yaml]\n{patch}")), ("a.yaml", object)];
    let error = fails(&files, "the schema in the comment of field \"list\" is not supported");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    // Whoever doesn't merge may have it.
    build(&[(ROOT, "resources: [a.yaml]\nnamePrefix: x-\n"), ("a.yaml", object)]).expect("nothing is merged");
}
