//! What it costs to see that a tree needs no build, beside that build.

use std::fs;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use kustomization::Inputs;

criterion_group!(benches, reads);
criterion_main!(benches);

fn reads(c: &mut Criterion) {
    let root = tempfile::tempdir().expect("the benchmark may write");
    write(root.path());
    let spec = r#"{"interval": "1m", "prune": true, "path": "apps/prod",
        "sourceRef": {"kind": "GitRepository", "name": "app"}, "postBuild": {"substitute": {"v": "1"}}}"#;
    let spec = serde_json::from_str(spec).expect("it is a spec");
    let build = || kustomization::build(root.path(), &spec, &Inputs::default()).expect("it builds");
    let built = build();
    let mut group = c.benchmark_group("an overlay of 20 files");
    group.bench_function("build", |b| b.iter(build));
    group.bench_function("still true", |b| b.iter(|| black_box(&built.reads).still_true(root.path())));
    group.finish();
}

/// An overlay on a base of Deployments.
fn write(root: &Path) {
    let (base, overlay) = (root.join("apps/base"), root.join("apps/prod"));
    fs::create_dir_all(&base).expect("the benchmark may write");
    fs::create_dir_all(&overlay).expect("the benchmark may write");
    let mut resources = String::new();
    for index in 0..20 {
        let text = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web-{index}}}\nspec:\n  template:\n    spec:\n      \
             containers:\n      - {{name: main, image: app, args: ['${{v}}']}}\n"
        );
        fs::write(base.join(format!("{index}.yaml")), text).expect("the benchmark may write");
        resources += &format!("- {index}.yaml\n");
    }
    fs::write(base.join("kustomization.yaml"), format!("resources:\n{resources}")).expect("it may write");
    let file = "resources: [../base]\nnamespace: prod\nimages: [{name: app, newTag: v2}]\n";
    fs::write(overlay.join("kustomization.yaml"), file).expect("the benchmark may write");
}
