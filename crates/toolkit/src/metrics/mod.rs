//! The series of `/metrics`: names, labels, help texts and buckets of Flux's controllers.
//!
//! `go_*` and pprof don't apply to a Rust program and are left out.

mod process;
mod series;
mod server;
mod tokens;

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use prometheus::{Encoder, TextEncoder};

pub(crate) use server::serve;
pub use tokens::TokenUse;

use process::ProcessSeries;
use series::Series;

/// How a reconcile ended, as `controller_runtime_reconcile_total` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReconcileResult {
    /// Nothing to do until something changes.
    Success,
    /// It failed and is tried again with backoff.
    Error,
    /// It is tried again with backoff, without being a failure.
    Requeue,
    /// It is due again after an interval.
    RequeueAfter,
}

impl ReconcileResult {
    const ALL: [Self; 4] = [Self::Success, Self::Error, Self::Requeue, Self::RequeueAfter];

    fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::Requeue => "requeue",
            Self::RequeueAfter => "requeue_after",
        }
    }
}

/// All series of the process. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    series: Series,
    process: ProcessSeries,
    queues: Mutex<Vec<Weak<dyn InProgress>>>,
}

/// A queue that can tell how long its workers have been busy.
pub(crate) trait InProgress: Send + Sync {
    /// The value of the labels `controller` and `name`.
    fn name(&self) -> &str;
    /// How long each key in work has been so.
    fn ages(&self) -> Vec<Duration>;
}

/// Counts a worker as busy for as long as it lives.
pub struct ActiveWorker(prometheus::IntGauge);

impl Drop for ActiveWorker {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Creates a registry of its own with all series.
    #[must_use]
    pub fn new() -> Self {
        let series = Series::new();
        let process = ProcessSeries::new(&series.registry);
        Self(Arc::new(Inner { series, process, queues: Mutex::default() }))
    }

    /// Notes how many workers a controller has, and makes its series appear with zeros.
    pub fn workers(&self, controller: &str, count: usize) {
        let s = &self.0.series;
        s.max_concurrent.with_label_values(&[controller]).set(i64::try_from(count).unwrap_or(i64::MAX));
        s.active_workers.with_label_values(&[controller]).set(0);
        for counter in [&s.errors, &s.terminal_errors, &s.panics, &s.timeouts] {
            counter.with_label_values(&[controller]).inc_by(0);
        }
        for result in ReconcileResult::ALL {
            s.reconciles.with_label_values(&[controller, result.as_str()]).inc_by(0);
        }
    }

    /// Counts a worker as busy until the returned guard is dropped.
    #[must_use]
    pub fn active_worker(&self, controller: &str) -> ActiveWorker {
        let gauge = self.0.series.active_workers.with_label_values(&[controller]);
        gauge.inc();
        ActiveWorker(gauge)
    }

    /// Counts a finished reconcile and the time it took.
    pub fn reconciled(&self, controller: &str, result: ReconcileResult, elapsed: Duration) {
        let s = &self.0.series;
        s.reconciles.with_label_values(&[controller, result.as_str()]).inc();
        s.reconcile_time.with_label_values(&[controller]).observe(elapsed.as_secs_f64());
        if result == ReconcileResult::Error {
            s.errors.with_label_values(&[controller]).inc();
        }
    }

    /// Counts an error that isn't tried again; the reconcile itself counts as an error, too.
    pub fn terminal_error(&self, controller: &str) {
        self.0.series.terminal_errors.with_label_values(&[controller]).inc();
    }

    /// Counts a panic that was caught in a reconcile.
    pub fn panicked(&self, controller: &str) {
        self.0.series.panics.with_label_values(&[controller]).inc();
    }

    /// Observes how long an object's reconcile took (`gotk_reconcile_duration_seconds`).
    pub fn reconcile_duration(&self, kind: &str, name: &str, namespace: &str, elapsed: Duration) {
        let histogram = self.0.series.reconcile_duration.with_label_values(&[kind, name, namespace]);
        histogram.observe(elapsed.as_secs_f64());
    }

    /// Removes the series of an object that is gone.
    pub fn forget_object(&self, kind: &str, name: &str, namespace: &str) {
        // Fails only when there is no such series, which is fine.
        let _ = self.0.series.reconcile_duration.remove_label_values(&[kind, name, namespace]);
        self.forget_tokens(kind, name, namespace);
    }

    /// Counts a request to the Kubernetes API; `code` is `<error>` when there was no answer.
    pub(crate) fn api_request(&self, code: &str, host: &str, method: &str) {
        self.0.series.api_requests.with_label_values(&[code, host, method]).inc();
    }

    /// Sets whether this process leads.
    pub(crate) fn leading(&self, lease: &str, leads: bool) {
        self.0.series.leader.with_label_values(&[lease]).set(i64::from(leads));
    }

    /// Counts an event that was given up because its queue was full.
    pub(crate) fn event_dropped(&self, sink: &str) {
        self.0.series.events_dropped.with_label_values(&[sink]).inc();
    }

    /// The series of one work queue.
    pub(crate) fn queue(&self, name: &str) -> QueueMetrics {
        QueueMetrics::new(&self.0.series, name)
    }

    /// Has the queue asked for its running work at every scrape, for as long as it lives.
    pub(crate) fn watch_queue(&self, queue: Weak<dyn InProgress>) {
        self.0.queues.lock().push(queue);
    }

    /// Prints all series in Prometheus' text format.
    #[must_use]
    pub fn encode(&self) -> String {
        self.0.process.refresh();
        self.refresh_queues();
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.0.series.registry.gather(), &mut text) {
            tracing::error!(error = &error as &dyn std::error::Error, "failed to encode metrics");
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    fn refresh_queues(&self) {
        let mut queues = self.0.queues.lock();
        queues.retain(|queue| queue.strong_count() > 0);
        for queue in queues.iter().filter_map(Weak::upgrade) {
            let labels = [queue.name(), queue.name()];
            let ages = queue.ages();
            let longest = ages.iter().max().copied().unwrap_or_default();
            let sum: Duration = ages.iter().sum();
            self.0.series.unfinished_work.with_label_values(&labels).set(sum.as_secs_f64());
            self.0.series.longest_running.with_label_values(&labels).set(longest.as_secs_f64());
        }
    }
}

/// The series of one work queue.
#[derive(Clone)]
pub(crate) struct QueueMetrics {
    depth: prometheus::IntGaugeVec,
    name: String,
    adds: prometheus::IntCounter,
    retries: prometheus::IntCounter,
    queue_duration: prometheus::Histogram,
    work_duration: prometheus::Histogram,
}

impl QueueMetrics {
    fn new(series: &Series, name: &str) -> Self {
        let labels = [name, name];
        series.unfinished_work.with_label_values(&labels).set(0.0);
        series.longest_running.with_label_values(&labels).set(0.0);
        Self {
            depth: series.depth.clone(),
            name: name.to_owned(),
            adds: series.adds.with_label_values(&labels),
            retries: series.retries.with_label_values(&labels),
            queue_duration: series.queue_duration.with_label_values(&labels),
            work_duration: series.work_duration.with_label_values(&labels),
        }
    }

    /// A key became ready for a worker.
    pub(crate) fn ready(&self, priority: i32) {
        self.adds.inc();
        self.depth(priority).inc();
    }

    /// A ready key changed its priority.
    pub(crate) fn moved(&self, from: i32, to: i32) {
        self.depth(from).dec();
        self.depth(to).inc();
    }

    /// A worker took a key that had been ready for `waited`.
    pub(crate) fn taken(&self, priority: i32, waited: Duration) {
        self.depth(priority).dec();
        self.queue_duration.observe(waited.as_secs_f64());
    }

    /// A worker finished a key after `worked`.
    pub(crate) fn finished(&self, worked: Duration) {
        self.work_duration.observe(worked.as_secs_f64());
    }

    /// A key was put off.
    pub(crate) fn retried(&self) {
        self.retries.inc();
    }

    fn depth(&self, priority: i32) -> prometheus::IntGauge {
        self.depth.with_label_values(&[self.name.as_str(), self.name.as_str(), priority.to_string().as_str()])
    }
}

#[cfg(test)]
mod tests;
