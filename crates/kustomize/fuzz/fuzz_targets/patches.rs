//! Patches of either kind end with objects or an error.
#![no_main]

use kustomize::{MemoryFs, Options};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

const FILE: &str = "resources: [a.yaml]\npatches: [{path: p.yaml, target: {name: web}}]\n";

const OBJECT: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {a: b}}
spec: {template: {spec: {containers: [{name: main, image: x, ports: [{containerPort: 80}]}]}}}
";

fuzz_target!(|patch: &[u8]| {
    let mut fs = MemoryFs::new();
    fs.add("kustomization.yaml", FILE).add("a.yaml", OBJECT).add("p.yaml", patch);
    if let Ok(built) = kustomize::build(&fs, Path::new("/"), &Options::flux()) {
        drop(built.to_yaml());
    }
});
