//! Every series by name.

use prometheus::core::Collector;
use prometheus::{
    GaugeVec, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

/// Handles to the series that are written to, and the registry of all.
pub(super) struct Series {
    pub(super) registry: Registry,
    pub(super) reconcile_duration: HistogramVec,
    pub(super) reconciles: IntCounterVec,
    pub(super) reconcile_time: HistogramVec,
    pub(super) errors: IntCounterVec,
    pub(super) terminal_errors: IntCounterVec,
    pub(super) panics: IntCounterVec,
    pub(super) timeouts: IntCounterVec,
    pub(super) max_concurrent: IntGaugeVec,
    pub(super) active_workers: IntGaugeVec,
    pub(super) depth: IntGaugeVec,
    pub(super) adds: IntCounterVec,
    pub(super) retries: IntCounterVec,
    pub(super) queue_duration: HistogramVec,
    pub(super) work_duration: HistogramVec,
    pub(super) unfinished_work: GaugeVec,
    pub(super) longest_running: GaugeVec,
    pub(super) api_requests: IntCounterVec,
    pub(super) leader: IntGaugeVec,
    pub(super) token_events: IntCounterVec,
    pub(super) token_requests: IntCounterVec,
    pub(super) token_items: IntGauge,
    pub(super) token_evictions: IntCounter,
    pub(super) events_dropped: IntCounterVec,
}

impl Series {
    pub(super) fn new() -> Self {
        let r = Registry::new();
        register_constant(&r);
        Self {
            reconcile_duration: histogram(
                &r,
                "gotk_reconcile_duration_seconds",
                "The duration in seconds of a GitOps Toolkit resource reconciliation.",
                &["kind", "name", "namespace"],
                &duration_buckets(),
            ),
            reconciles: counter(
                &r,
                "controller_runtime_reconcile_total",
                "Total number of reconciliations per controller",
                &["controller", "result"],
            ),
            reconcile_time: histogram(
                &r,
                "controller_runtime_reconcile_time_seconds",
                "Length of time per reconciliation per controller",
                &["controller"],
                &RECONCILE_BUCKETS,
            ),
            errors: counter(
                &r,
                "controller_runtime_reconcile_errors_total",
                "Total number of reconciliation errors per controller",
                &["controller"],
            ),
            terminal_errors: counter(
                &r,
                "controller_runtime_terminal_reconcile_errors_total",
                "Total number of terminal reconciliation errors per controller",
                &["controller"],
            ),
            panics: counter(
                &r,
                "controller_runtime_reconcile_panics_total",
                "Total number of reconciliation panics per controller",
                &["controller"],
            ),
            timeouts: counter(
                &r,
                "controller_runtime_reconcile_timeouts_total",
                "Total number of reconciliation timeouts per controller",
                &["controller"],
            ),
            max_concurrent: gauge(
                &r,
                "controller_runtime_max_concurrent_reconciles",
                "Maximum number of concurrent reconciles per controller",
                &["controller"],
            ),
            active_workers: gauge(
                &r,
                "controller_runtime_active_workers",
                "Number of currently used workers per controller",
                &["controller"],
            ),
            depth: gauge(
                &r,
                "workqueue_depth",
                "Current depth of workqueue by workqueue and priority",
                &["controller", "name", "priority"],
            ),
            adds: counter(&r, "workqueue_adds_total", "Total number of adds handled by workqueue", &QUEUE),
            retries: counter(
                &r,
                "workqueue_retries_total",
                "Total number of items added to the workqueue with a non-zero delay (rate-limited requeues, explicit RequeueAfter or AddAfter calls)",
                &QUEUE,
            ),
            queue_duration: histogram(
                &r,
                "workqueue_queue_duration_seconds",
                "How long in seconds an item stays in workqueue before being requested",
                &QUEUE,
                &QUEUE_BUCKETS,
            ),
            work_duration: histogram(
                &r,
                "workqueue_work_duration_seconds",
                "How long in seconds processing an item from workqueue takes.",
                &QUEUE,
                &QUEUE_BUCKETS,
            ),
            unfinished_work: float_gauge(
                &r,
                "workqueue_unfinished_work_seconds",
                "How many seconds of work has been done that is in progress and hasn't been observed by work_duration. Large values indicate stuck threads. One can deduce the number of stuck threads by observing the rate at which this increases.",
                &QUEUE,
            ),
            longest_running: float_gauge(
                &r,
                "workqueue_longest_running_processor_seconds",
                "How many seconds has the longest running processor for workqueue been running.",
                &QUEUE,
            ),
            api_requests: counter(
                &r,
                "rest_client_requests_total",
                "Number of HTTP requests, partitioned by status code, method, and host.",
                &["code", "host", "method"],
            ),
            leader: gauge(
                &r,
                "leader_election_master_status",
                "Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master. 'name' is the string used to identify the lease. Please make sure to group by name.",
                &["name"],
            ),
            token_events: counter(
                &r,
                "gotk_token_cache_events_total",
                "Total number of cache retrieval events for a Gitops Toolkit resource reconciliation.",
                &["event_type", "kind", "name", "namespace", "operation"],
            ),
            token_requests: counter(
                &r,
                "gotk_token_cache_requests_total",
                "Total number of cache requests partioned by success or failure.",
                &["status"],
            ),
            token_items: add(
                &r,
                IntGauge::new("gotk_token_cached_items", "Total number of items in the cache."),
            ),
            token_evictions: add(
                &r,
                IntCounter::new("gotk_token_cache_evictions_total", "Total number of cache evictions."),
            ),
            events_dropped: counter(
                &r,
                "ferrite_events_dropped_total",
                "Total number of events given up because their queue was full.",
                &["sink"],
            ),
            registry: r,
        }
    }
}

const QUEUE: [&str; 2] = ["controller", "name"];

/// Powers of ten from 10 ns to 1000 s (client-go's workqueue metrics).
const QUEUE_BUCKETS: [f64; 12] = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0, 1000.0];

/// The steps of controller-runtime's `reconcile_time_seconds`.
const RECONCILE_BUCKETS: [f64; 31] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25,
    1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0,
];

/// Ten steps from 10 ms to 30 min, each the same factor (client_golang's `ExponentialBucketsRange`).
fn duration_buckets() -> Vec<f64> {
    let factor = (1800.0_f64 / 0.01).powf(1.0 / 9.0);
    (0..10).map(|step| 0.01 * factor.powi(step)).collect()
}

/// What Flux's controllers show but a Ferrite controller never changes (yet): dashboards look for them.
fn register_constant(r: &Registry) {
    for (name, help) in [
        ("certwatcher_read_certificate_total", "Total number of certificate reads"),
        ("certwatcher_read_certificate_errors_total", "Total number of certificate read errors"),
        ("controller_runtime_webhook_panics_total", "Total number of webhook panics"),
        ("controller_runtime_conversion_webhook_panics_total", "Total number of conversion webhook panics"),
    ] {
        add(r, IntCounter::new(name, help));
    }
}

fn counter(r: &Registry, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    add(r, IntCounterVec::new(Opts::new(name, help), labels))
}

fn gauge(r: &Registry, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
    add(r, IntGaugeVec::new(Opts::new(name, help), labels))
}

fn float_gauge(r: &Registry, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
    add(r, GaugeVec::new(Opts::new(name, help), labels))
}

fn histogram(r: &Registry, name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> HistogramVec {
    add(r, HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels))
}

fn add<C: Collector + Clone + 'static>(registry: &Registry, series: prometheus::Result<C>) -> C {
    let series = series.expect("names and labels are constants");
    registry.register(Box::new(series.clone())).expect("every name is used once");
    series
}
