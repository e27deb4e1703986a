//! What Flux's own controller sent to a real API server, where the recordings lie beside the project.

use std::path::{Path, PathBuf};

use krm::Id;
use serde_json::Value;
use ssa::order;

use crate::server::object;

fn recordings() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let folder = root.parent()?.join("shared/conformance/recordings/kustomize");
    folder.is_dir().then_some(folder)
}

/// The bodies of all real applies, one list for each step of the scenario.
fn applied(audit: &str) -> Vec<Vec<Value>> {
    let mut steps = vec![Vec::new()];
    let mut lines = audit.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with('#') {
            steps.push(Vec::new());
        }
        let applies = line.starts_with("kustomize-controller patch")
            && line.contains(" apply fieldManager=kustomize-controller ")
            && !line.contains("dryRun")
            && (line.ends_with("-> 201") || line.ends_with("-> 200"));
        let body = lines.peek().and_then(|next| serde_json::from_str::<Value>(next.trim()).ok());
        if let Some(body) = body.filter(|_| applies) {
            steps.last_mut().unwrap().push(body);
        }
    }
    steps
}

fn scenarios() -> Vec<(String, String)> {
    let Some(folder) = recordings() else {
        eprintln!("skipped: the recordings are not there");
        return Vec::new();
    };
    let folders = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    folders
        .filter_map(|folder| {
            let audit = std::fs::read_to_string(folder.join("audit.txt")).ok()?;
            Some((folder.file_name()?.to_string_lossy().into_owned(), audit))
        })
        .collect()
}

#[test]
fn objects_are_applied_in_the_recorded_order() {
    let scenarios = scenarios();
    let mut compared = 0;
    for (scenario, audit) in &scenarios {
        for step in applied(audit) {
            compared += step.len();
            let recorded: Vec<Id> = step.into_iter().map(|body| object(body).id()).collect();
            let mut shuffled = recorded.clone();
            shuffled.reverse();
            let stages = order::stages(shuffled, |id| id, &[]);
            let ours: Vec<Id> = stages.into_iter().flat_map(|stage| stage.objects).collect();
            assert_eq!(ours, recorded, "{scenario}");
        }
    }
    assert!(scenarios.is_empty() || compared > 100, "only {compared} applies were found");
}

#[test]
fn what_flux_sends_is_normal() {
    for (scenario, audit) in scenarios() {
        for mut body in applied(&audit).into_iter().flatten() {
            let mut ours = body.clone();
            ssa::normalize::normalize(&mut ours);
            // Flux sends it as null, which says the same.
            if let Some(metadata) = body["metadata"].as_object_mut() {
                metadata.shift_remove("creationTimestamp");
            }
            let mut ours_again = ours.clone();
            ssa::normalize::normalize(&mut ours_again);
            assert_eq!(ours, ours_again, "{scenario}");
            drop_inner_timestamps(&mut body);
            drop_inner_timestamps(&mut ours);
            assert_eq!(ours, body, "{scenario}");
        }
    }
}

/// Templates carry a `creationTimestamp: null` of their own.
fn drop_inner_timestamps(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|key, value| !(key == "creationTimestamp" && value.is_null()));
            fields.values_mut().for_each(drop_inner_timestamps);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_inner_timestamps),
        _ => {}
    }
}
