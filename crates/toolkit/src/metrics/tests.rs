use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Metrics, ReconcileResult, TokenUse};
use crate::queue::{Priority, Queue};

/// A registry that has seen one of everything that the recorded controllers did.
fn busy() -> (Metrics, Queue<&'static str>) {
    let metrics = Metrics::new();
    let queue = Queue::new("gitrepository", &metrics, Duration::from_millis(1), Duration::from_secs(1));
    queue.add_with_priority("a", Priority::Low);
    metrics.workers("gitrepository", 10);
    metrics.reconciled("gitrepository", ReconcileResult::Success, Duration::from_millis(20));
    metrics.reconcile_duration("GitRepository", "app", "default", Duration::from_millis(20));
    metrics.api_request("200", "127.0.0.1:6443", "GET");
    (metrics, queue)
}

#[test]
fn every_recorded_series_is_there_with_type_labels_and_help() {
    let Some(recording) = shared("conformance/recordings/metrics-source.txt") else { return };
    let text = busy().0.encode();
    let lines: Vec<&str> = recording.lines().collect();
    for pair in lines.chunks(2) {
        let mut words = pair[0].split_whitespace();
        let (name, kind) = (words.next().unwrap(), words.next().unwrap());
        assert!(text.contains(&format!("# TYPE {name} {kind}\n")), "{name} {kind}");
        assert!(text.contains(&format!("# HELP {name} {}", pair[1].trim())), "{name}: {}", pair[1]);
        let recorded: BTreeSet<&str> = words.map(|w| w.split('=').next().unwrap()).collect();
        assert_eq!(labels(&text, name), recorded.into_iter().map(str::to_owned).collect(), "{name}");
    }
}

#[test]
fn buckets_of_the_reconcile_duration_are_those_of_flux_to_the_last_digit() {
    let text = busy().0.encode();
    for bound in [
        "0.01",
        "0.038363583488692544",
        "0.1471764538093883",
        "0.5646216173286169",
        "2.166090855590701",
        "122.30217221643493",
        "1799.9999999999986",
    ] {
        let line = format!(
            "gotk_reconcile_duration_seconds_bucket{{kind=\"GitRepository\",name=\"app\",namespace=\"default\",le=\"{bound}\"}}"
        );
        assert!(
            text.contains(&line),
            "{bound} in\n{}",
            grep(&text, "gotk_reconcile_duration_seconds_bucket")
        );
    }
}

#[test]
fn results_and_errors_are_counted_per_controller() {
    let metrics = Metrics::new();
    metrics.workers("kustomization", 4);
    metrics.reconciled("kustomization", ReconcileResult::Error, Duration::ZERO);
    let text = metrics.encode();
    for line in [
        "controller_runtime_reconcile_total{controller=\"kustomization\",result=\"error\"} 1",
        "controller_runtime_reconcile_total{controller=\"kustomization\",result=\"requeue_after\"} 0",
        "controller_runtime_reconcile_errors_total{controller=\"kustomization\"} 1",
        "controller_runtime_max_concurrent_reconciles{controller=\"kustomization\"} 4",
    ] {
        assert!(text.contains(line), "{line}");
    }
}

#[test]
fn a_worker_is_active_until_its_guard_is_dropped() {
    let metrics = Metrics::new();
    let line = |n: i32| format!("controller_runtime_active_workers{{controller=\"kustomization\"}} {n}\n");
    let active = metrics.active_worker("kustomization");
    assert!(metrics.encode().contains(&line(1)));
    drop(active);
    assert!(metrics.encode().contains(&line(0)));
}

#[test]
fn the_series_of_a_deleted_object_go() {
    let (metrics, _) = busy();
    metrics.forget_object("GitRepository", "app", "default");
    metrics.forget_object("GitRepository", "never-seen", "default");
    assert!(!metrics.encode().contains("gotk_reconcile_duration_seconds"));
}

#[tokio::test]
async fn work_in_progress_shows_until_it_is_done() {
    let (metrics, queue) = busy();
    let line = "workqueue_unfinished_work_seconds{controller=\"gitrepository\",name=\"gitrepository\"} 0\n";
    assert!(metrics.encode().contains(line));
    let key = queue.get().await;
    assert!(!metrics.encode().contains(line));
    queue.done(&key);
    assert!(metrics.encode().contains(line));
}

fn labels(text: &str, name: &str) -> BTreeSet<String> {
    let samples = text.lines().filter(|l| {
        l.strip_prefix(name).is_some_and(|rest| {
            ["{", " ", "_bucket", "_sum", "_count"].iter().any(|next| rest.starts_with(next))
        })
    });
    samples
        .filter_map(|l| l.split_once('{').map(|(_, rest)| rest.rsplit_once('}').unwrap().0))
        .flat_map(names)
        .collect()
}

/// The names in `a="x",b="y"`; no value in these tests holds a comma or an equals sign.
fn names(labels: &str) -> Vec<String> {
    labels.split(',').filter_map(|l| l.split_once('=')).map(|(name, _)| name.to_owned()).collect()
}

fn grep(text: &str, needle: &str) -> String {
    text.lines().filter(|l| l.contains(needle)).collect::<Vec<_>>().join("\n")
}

fn shared(file: &str) -> Option<String> {
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(file);
    let text = std::fs::read_to_string(&root).ok();
    if text.is_none() {
        eprintln!("skipped: {} is absent", root.display());
    }
    text
}

#[test]
fn lookups_of_tokens_are_counted_until_the_object_is_gone() {
    let metrics = Metrics::new();
    let used =
        |name| TokenUse { kind: "Kustomization", name, namespace: "apps", operation: "fetch_kubeconfig" };
    for (hit, name) in [(false, "a"), (true, "a"), (true, "a"), (true, "b")] {
        metrics.token_cache_event(hit, used(name));
    }
    metrics.token_cache_request(true);
    metrics.token_cache_items(3);
    metrics.token_cache_evicted();
    let line = |event: &str, name: &str, count: u32| {
        format!(
            "gotk_token_cache_events_total{{event_type=\"{event}\",kind=\"Kustomization\",name=\"{name}\",namespace=\"apps\",operation=\"fetch_kubeconfig\"}} {count}\n"
        )
    };
    let text = metrics.encode();
    for expected in [
        &line("cache_miss", "a", 1),
        &line("cache_hit", "a", 2),
        &line("cache_hit", "b", 1),
        "gotk_token_cache_requests_total{status=\"success\"} 1\n",
        "gotk_token_cached_items 3\n",
        "gotk_token_cache_evictions_total 1\n",
    ] {
        assert!(text.contains(expected), "{expected}");
    }
    metrics.forget_object("Kustomization", "a", "apps");
    let text = metrics.encode();
    assert!(!text.contains("name=\"a\"") && text.contains(&line("cache_hit", "b", 1)));
}
