//! What a phase costs: time, CPU, memory, requests.

use std::{
    collections::BTreeMap,
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use e2e::{
    Cluster, Controller, Part, Process,
    usage::{self, Usage},
    wait,
};
use serde_json::Value;

/// The processes that are measured.
pub(crate) struct Watched {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) source: Controller,
    pub(crate) kustomize: Controller,
}

/// Figures of one process in one phase.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) cpu: Duration,
    pub(crate) peak: u64,
}

/// Figures of one phase.
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    pub(crate) wall: Duration,
    pub(crate) source: Cost,
    pub(crate) kustomize: Cost,
    /// API server and etcd.
    pub(crate) server: Duration,
    /// Requests of both controllers by verb, from the audit log; no watches, events or leases.
    pub(crate) requests: BTreeMap<String, usize>,
    /// Requests of everybody by verb, from the server's metrics; no watches, events or leases.
    pub(crate) all_requests: BTreeMap<String, usize>,
}

pub(crate) struct Gauge {
    watched: Watched,
}

impl Gauge {
    pub(crate) fn new(watched: Watched) -> Self {
        Self { watched }
    }

    /// Resident memory of both controllers with nothing to do.
    pub(crate) async fn idle(&self) -> Result<[u64; 2]> {
        let quiet = Duration::from_secs(5);
        let begin = Instant::now();
        // Start-up is over when nothing moves any more.
        let elapsed = async || Ok((begin.elapsed() > quiet).then_some(()));
        wait::until("the start to be over", 2 * quiet, elapsed).await?;
        Ok([
            self.watched.source.process()?.usage()?.memory,
            self.watched.kustomize.process()?.usage()?.memory,
        ])
    }

    /// Measures one phase.
    pub(crate) async fn measure(
        &self,
        name: &'static str,
        phase: impl Future<Output = Result<()>>,
    ) -> Result<Phase> {
        let processes = self.processes()?;
        for process in &processes {
            usage::reset_peak(process.pid())?;
        }
        let before = self.reading(&processes).await?;
        let begin = Instant::now();
        phase.await.with_context(|| format!("phase {name}"))?;
        let wall = begin.elapsed();
        let after = self.reading(&processes).await?;
        let cost = |index: usize| Cost {
            cpu: after.usage[index].cpu.saturating_sub(before.usage[index].cpu),
            peak: after.usage[index].peak,
        };
        Ok(Phase {
            name,
            wall,
            source: cost(0),
            kustomize: cost(1),
            server: cost(2).cpu + cost(3).cpu,
            requests: less(&after.requests, &before.requests),
            all_requests: less(&after.all_requests, &before.all_requests),
        })
    }

    fn processes(&self) -> Result<[Arc<Process>; 4]> {
        let Watched { cluster, source, kustomize } = &self.watched;
        Ok([
            source.process()?,
            kustomize.process()?,
            cluster.process(Part::ApiServer)?,
            cluster.process(Part::Etcd)?,
        ])
    }

    async fn reading(&self, processes: &[Arc<Process>; 4]) -> Result<Reading> {
        let mut usage = [Usage::default(); 4];
        for (usage, process) in usage.iter_mut().zip(processes) {
            *usage = process.usage()?;
        }
        let request = http::Request::get("/metrics").body(Vec::new())?;
        let metrics =
            self.watched.cluster.client().request_text(request).await.context("failed to read metrics")?;
        let audit = fs::read_to_string(self.watched.cluster.audit_log()).unwrap_or_default();
        Ok(Reading { usage, requests: audited(&audit), all_requests: counted(&metrics) })
    }
}

struct Reading {
    usage: [Usage; 4],
    requests: BTreeMap<String, usize>,
    all_requests: BTreeMap<String, usize>,
}

/// Neither says anything about the work done.
fn uninteresting(resource: &str) -> bool {
    matches!(resource, "events" | "leases")
}

fn audited(log: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in log.lines() {
        // The last line may be half written.
        let Ok(entry) = serde_json::from_str::<Value>(line) else { continue };
        if !uninteresting(entry["objectRef"]["resource"].as_str().unwrap_or_default()) {
            *counts.entry(entry["verb"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
    }
    counts
}

fn counted(metrics: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in metrics.lines().filter_map(|line| line.strip_prefix("apiserver_request_total{")) {
        let Some((labels, value)) = line.rsplit_once("} ") else { continue };
        let label = |name: &str| {
            let rest = labels.split_once(&format!("{name}=\""))?.1;
            Some(rest.split('"').next().unwrap_or(rest).to_owned())
        };
        let verb = label("verb").unwrap_or_default().to_lowercase();
        let resource = label("resource").unwrap_or_default();
        if verb != "watch" && !uninteresting(&resource) {
            // Counters are printed as floating point numbers.
            *counts.entry(verb).or_default() += value.trim().parse::<f64>().map_or(0, |value| value as usize);
        }
    }
    counts
}

fn less(after: &BTreeMap<String, usize>, before: &BTreeMap<String, usize>) -> BTreeMap<String, usize> {
    after
        .iter()
        .map(|(verb, count)| (verb.clone(), count - before.get(verb).copied().unwrap_or_default()))
        .filter(|(_, count)| *count > 0)
        .collect()
}
