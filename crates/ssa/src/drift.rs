//! Whether a live object differs from what an apply would make of it.

use std::io::Write as _;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// SHA-256 of canonical JSON.
pub(crate) type Digest = [u8; 32];

/// Tells whether labels, annotations, or anything but metadata and status differ.
///
/// Source: `github.com/fluxcd/pkg/ssa` `hasDrifted`.
pub(crate) fn drifted(live: &Value, dry_run: &Value) -> bool {
    comparable(live) != comparable(dry_run)
}

/// The digest of what [`drifted`] looks at: equal digests mean no drift.
pub(crate) fn live_digest(object: &Value) -> Digest {
    digest(&comparable(object))
}

/// The digest of a value, whatever the order of its keys.
pub(crate) fn digest(value: &Value) -> Digest {
    let mut hasher = Hasher(Sha256::new());
    write_canonical(value, &mut hasher);
    hasher.0.finalize().into()
}

fn comparable(object: &Value) -> Value {
    let Value::Object(fields) = object else { return object.clone() };
    let mut rest = Map::new();
    for (key, value) in fields {
        match key.as_str() {
            "metadata" | "status" => {}
            "spec" if is_autoscaler(object) => {
                rest.insert(key.clone(), without_duplicate_metrics(value));
            }
            _ => {
                rest.insert(key.clone(), value.clone());
            }
        }
    }
    let metadata = |field: &str| match object.pointer("/metadata").and_then(|metadata| metadata.get(field)) {
        None | Some(Value::Null) => Value::Object(Map::new()),
        Some(value) => value.clone(),
    };
    Value::Array(vec![metadata("labels"), metadata("annotations"), Value::Object(rest)])
}

fn is_autoscaler(object: &Value) -> bool {
    object["kind"] == "HorizontalPodAutoscaler" && object["apiVersion"] == "autoscaling/v2"
}

// The API server keeps a metric twice when two managers set it; the list is atomic for server-side apply.
fn without_duplicate_metrics(spec: &Value) -> Value {
    let mut spec = spec.clone();
    if let Some(metrics) = spec.get_mut("metrics").and_then(Value::as_array_mut) {
        let mut seen: Vec<Value> = Vec::new();
        metrics.retain(|metric| {
            let new = !seen.contains(metric);
            if new {
                seen.push(metric.clone());
            }
            new
        });
    }
    spec
}

struct Hasher(Sha256);

impl std::io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn write_canonical(value: &Value, out: &mut Hasher) {
    match value {
        Value::Object(fields) => {
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort();
            out.0.update(b"{");
            for key in keys {
                write_scalar(&Value::String(key.clone()), out);
                out.0.update(b":");
                write_canonical(&fields[key.as_str()], out);
                out.0.update(b",");
            }
            out.0.update(b"}");
        }
        Value::Array(items) => {
            out.0.update(b"[");
            for item in items {
                write_canonical(item, out);
                out.0.update(b",");
            }
            out.0.update(b"]");
        }
        scalar => write_scalar(scalar, out),
    }
}

fn write_scalar(value: &Value, out: &mut Hasher) {
    serde_json::to_writer(&mut *out, value)
        .and_then(|()| out.flush().map_err(serde_json::Error::io))
        .expect("a hasher takes every byte and a scalar is always valid JSON");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(live: &Value, dry_run: &Value, expected: bool) {
        assert_eq!(drifted(live, dry_run), expected, "{live} {dry_run}");
        assert_eq!(live_digest(live) != live_digest(dry_run), expected, "{live} {dry_run}");
    }

    #[test]
    fn status_and_other_metadata_are_no_drift() {
        check(
            &json!({"metadata": {"resourceVersion": "1", "managedFields": []}, "data": {"a": "b"}, "status": {"x": 1}}),
            &json!({"data": {"a": "b"}, "metadata": {"resourceVersion": "2", "labels": {}, "annotations": null}}),
            false,
        );
    }

    #[test]
    fn labels_annotations_and_content_are_drift() {
        let live =
            json!({"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}, "spec": {"replicas": 1}});
        for (pointer, value) in [
            ("/metadata/labels/a", json!("x")),
            ("/metadata/annotations/c", json!("x")),
            ("/spec/replicas", json!(2)),
        ] {
            let mut other = live.clone();
            *other.pointer_mut(pointer).unwrap() = value;
            check(&live, &other, true);
        }
    }

    #[test]
    fn the_order_of_keys_does_not_matter_that_of_items_does() {
        check(&json!({"data": {"a": 1, "b": 2}}), &json!({"data": {"b": 2, "a": 1}}), false);
        check(&json!({"data": [1, 2]}), &json!({"data": [2, 1]}), true);
    }

    #[test]
    fn a_metric_twice_is_a_metric_once() {
        let autoscaler = |metrics: Value| json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "spec": {"metrics": metrics}});
        check(
            &autoscaler(json!([{"a": 1}, {"b": 2}, {"a": 1}])),
            &autoscaler(json!([{"a": 1}, {"b": 2}])),
            false,
        );
        check(&autoscaler(json!([{"a": 1}, {"b": 3}])), &autoscaler(json!([{"a": 1}, {"b": 2}])), true);
    }

    #[test]
    fn neighbouring_values_do_not_run_together() {
        assert_ne!(digest(&json!(["a", "b"])), digest(&json!(["a\",\"b"])));
        assert_ne!(digest(&json!({"a": {"b": 1}})), digest(&json!({"a": {}, "b": 1})));
    }
}
