//! Whatever stands in a kustomization file, a build ends with objects or an error.
#![no_main]

use kustomize::{MemoryFs, Options};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

const OBJECTS: &str = "apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: cm}
data: {a: '{\"b\": 1}'}
";

fuzz_target!(|file: &[u8]| {
    let mut fs = MemoryFs::new();
    fs.add("kustomization.yaml", file).add("a.yaml", OBJECTS);
    fs.add("base/kustomization.yaml", "resources: [a.yaml]\nnamePrefix: p-\n").add("base/a.yaml", OBJECTS);
    if let Ok(built) = kustomize::build(&fs, Path::new("/"), &Options::flux()) {
        drop(built.to_yaml());
    }
});
