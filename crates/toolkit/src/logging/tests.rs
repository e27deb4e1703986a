use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json as value};
use tracing::{debug, error, info};
use tracing_subscriber::Layer as _;
use tracing_subscriber::layer::SubscriberExt;

use super::layer::Lines;
use super::{LogEncoding, LogLevel, Sink, chain, filter, json, reconcile_span};

/// The lines that are written while `run` runs.
fn lines(level: LogLevel, encoding: LogEncoding, run: impl FnOnce()) -> Vec<String> {
    let written = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&written);
    let sink: Sink = Arc::new(move |line| log.lock().push(line.to_owned()));
    let subscriber =
        tracing_subscriber::registry().with(Lines::new(encoding, sink).with_filter(filter(level)));
    tracing::subscriber::with_default(subscriber, run);
    written.lock().clone()
}

fn parsed(level: LogLevel, run: impl FnOnce()) -> Vec<Value> {
    lines(level, LogEncoding::Json, run).iter().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[derive(Debug, thiserror::Error)]
#[error("failed to fetch")]
struct Outer(#[source] std::io::Error);

#[test]
fn a_line_of_a_reconcile_has_controller_runtimes_fields_in_order() {
    let written = lines(LogLevel::Error, LogEncoding::Json, || {
        let span = reconcile_span(
            "kustomization",
            "kustomize.toolkit.fluxcd.io",
            "Kustomization",
            "apps",
            "web",
            "id-1",
        );
        span.in_scope(|| {
            error!(
                error = &Outer(std::io::Error::other("refused")) as &dyn std::error::Error,
                revision = "main@sha1:a",
                "Reconciler error"
            )
        });
    });
    let mut line: Value = serde_json::from_str(&written[0]).unwrap();
    let keys: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "level",
            "ts",
            "msg",
            "controller",
            "controllerGroup",
            "controllerKind",
            "Kustomization",
            "namespace",
            "name",
            "reconcileID",
            "revision",
            "error"
        ]
    );
    let time = line["ts"].take();
    assert_eq!(time.as_str().unwrap().len(), "2026-01-02T15:04:05.000Z".len());
    assert_eq!(
        line,
        value!({
            "level": "error", "ts": null, "msg": "Reconciler error", "controller": "kustomization",
            "controllerGroup": "kustomize.toolkit.fluxcd.io", "controllerKind": "Kustomization",
            "Kustomization": {"name": "web", "namespace": "apps"}, "namespace": "apps", "name": "web",
            "reconcileID": "id-1", "revision": "main@sha1:a", "error": "failed to fetch: refused",
        })
    );
    assert!(written[0].ends_with("}\n") && written[0].matches('\n').count() == 1);
}

#[test]
fn structured_values_stay_structured_and_text_stays_text() {
    let lines = parsed(LogLevel::Info, || {
        info!(output = json(&value!({"ConfigMap/a/b": "created"})), text = "{\"a\":1}", shown = %"{}", n = 3, "done");
    });
    assert_eq!(lines[0]["output"], value!({"ConfigMap/a/b": "created"}));
    assert_eq!(
        (&lines[0]["text"], &lines[0]["shown"], &lines[0]["n"]),
        (&value!("{\"a\":1}"), &value!("{}"), &value!(3))
    );
}

#[test]
fn the_logger_comes_before_the_message() {
    let written = lines(LogLevel::Info, LogEncoding::Json, || info!(logger = "setup", "starting manager"));
    assert!(written[0].contains("\"logger\":\"setup\",\"msg\":\"starting manager\""), "{}", written[0]);
}

#[test]
fn levels_are_kept_and_libraries_are_never_shown_in_detail() {
    let noise = || {
        debug!("ours");
        debug!(target: "hyper::proto", "Authorization: Bearer s3cr3t");
        tracing::warn!(target: "kube_client::client", "{{\"data\":{{\"password\":\"s3cr3t\"}}}}, Error");
        tracing::warn!(target: "kube_runtime::watcher", "watch failed");
        tracing::trace!(target: "rustls::client", "s3cr3t");
    };
    let messages = |level| {
        parsed(level, noise).iter().map(|l| l["msg"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(messages(LogLevel::Info), ["watch failed"]);
    assert_eq!(messages(LogLevel::Trace), ["ours", "watch failed"]);
    assert_eq!(parsed(LogLevel::Info, noise)[0]["logger"], "kube_runtime");
}

#[test]
fn console_lines_are_columns() {
    let written = lines(LogLevel::Info, LogEncoding::Console, || info!(n = 1, "a\u{1b}[31mb"));
    let columns: Vec<&str> = written[0].trim_end().split('\t').collect();
    assert_eq!(columns[1..], ["INFO", "a\u{fffd}[31mb", "{\"n\":1}"]);
}

#[test]
fn a_field_cannot_replace_the_level() {
    let lines = parsed(LogLevel::Info, || info!(level = "none", msg = "x", "real"));
    assert_eq!(
        (&lines[0]["level"], &lines[0]["msg"], &lines[0]["msg_"]),
        (&value!("info"), &value!("real"), &value!("x"))
    );
}

#[test]
fn a_cause_is_not_told_twice() {
    #[derive(Debug, thiserror::Error)]
    #[error("outer: {0}")]
    struct Repeats(#[source] std::io::Error);
    assert_eq!(chain(&Repeats(std::io::Error::other("inner"))), "outer: inner");
    assert_eq!(chain(&Outer(std::io::Error::other("inner"))), "failed to fetch: inner");
}
