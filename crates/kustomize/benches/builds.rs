//! Reading, writing, merging and whole builds.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use kustomize::{MemoryFs, Options};
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;

criterion_group!(benches, text, overlays, growth);
criterion_main!(benches);

fn text(c: &mut Criterion) {
    let text = crds(40);
    let node = krm::parse(&text).expect("it is YAML");
    let mut group = c.benchmark_group("text");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("parse", |b| b.iter(|| krm::parse(black_box(&text))));
    group.bench_function("emit", |b| b.iter(|| krm::emit_all(black_box(&node))));
    group.finish();
}

fn overlays(c: &mut Criterion) {
    let mut group = c.benchmark_group("overlay");
    group.sample_size(10);
    let deployment = deployments(1);
    let patches: String = (0..50).map(|_| PATCH).collect();
    for (name, fs) in [
        ("small", overlay(&deployment, OVERLAY)),
        ("50 merges", overlay(&deployment, &format!("resources: [../base]\npatches:\n{patches}"))),
        ("3.5 MB of CRDs", overlay(&crds(100), "resources: [../base]\nlabels: [{pairs: {a: b}}]\n")),
        ("4000 with references", overlay(&deployments(2_000), OVERLAY)),
    ] {
        group.bench_function(name, |b| b.iter(|| build(&fs)));
    }
    group.finish();
}

/// The time per object should stay the same.
fn growth(c: &mut Criterion) {
    let mut group = c.benchmark_group("growth");
    group.sample_size(10);
    for objects in [500, 1_000, 2_000, 4_000, 8_000] {
        let fs = overlay(&deployments(objects / 2), OVERLAY);
        group.throughput(Throughput::Elements(objects as u64));
        group.bench_with_input(BenchmarkId::from_parameter(objects), &fs, |b, fs| b.iter(|| build(fs)));
    }
    group.finish();
}

fn build(fs: &MemoryFs) -> String {
    let built = kustomize::build(fs, Path::new("/overlay"), &Options::flux());
    built.expect("it builds").to_yaml()
}

const OVERLAY: &str =
    "resources: [../base]\nnamespace: prod\nnamePrefix: p-\nimages: [{name: app, newTag: v2}]\n";

const PATCH: &str = "- patch: |
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web-0}
    spec: {template: {spec: {containers: [{name: main, env: [{name: A, value: b}]}]}}}
";

fn overlay(objects: &str, file: &str) -> MemoryFs {
    let mut fs = MemoryFs::new();
    fs.add("base/kustomization.yaml", "resources: [all.yaml]\n");
    fs.add("base/all.yaml", objects);
    fs.add("overlay/kustomization.yaml", file);
    fs
}

/// Deployments, each with a ConfigMap that it refers to.
fn deployments(count: usize) -> String {
    let mut text = String::new();
    for i in 0..count {
        let _ = write!(
            text,
            "---
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings-{i}}}
data: {{a: b}}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-{i}
spec:
  selector: {{matchLabels: {{app: web-{i}}}}}
  template:
    metadata: {{labels: {{app: web-{i}}}}}
    spec:
      containers:
      - name: main
        image: app:v1
        env: [{{name: B, value: c}}]
        envFrom: [{{configMapRef: {{name: settings-{i}}}}}]
"
        );
    }
    text
}

/// Custom resource definitions of about 35 kB each.
fn crds(count: usize) -> String {
    let mut text = String::new();
    for i in 0..count {
        let _ = write!(
            text,
            "---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things{i}.example.com
spec:
  group: example.com
  names: {{kind: Thing{i}, plural: things{i}}}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
"
        );
        for field in 0..100 {
            let _ = write!(
                text,
                "          field{field}:
            description: |-
              The field says what is to be done with the thing, and how often, and by whom, if anyone.
              More about it stands in the manual, which is rather long.
            type: object
            properties:
              name: {{type: string, maxLength: 63}}
              count: {{type: integer, format: int32, minimum: 0}}
"
            );
        }
    }
    text
}
