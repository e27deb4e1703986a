//! What we want to be, beside what was measured.

use std::{fmt, time::Duration};

use crate::{gauge::Phase, peers::Peer};

/// One bound and the figure that has to stay below it.
pub(crate) struct Target {
    what: String,
    measured: f64,
    bound: f64,
    unit: &'static str,
}

impl Target {
    fn new(what: impl Into<String>, measured: f64, bound: f64, unit: &'static str) -> Self {
        Self { what: what.into(), measured, bound, unit }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, measured, bound, unit } = self;
        let verdict = if measured <= bound { "met" } else { "**missed**" };
        write!(f, "| {what} | {measured:.2}{unit} | ≤ {bound:.2}{unit} | {verdict} |")
    }
}

/// The targets of one phase: shares of what the peers needed, where somebody measured them, and requests.
pub(crate) fn of_phase(number: usize, phase: &Phase) -> Vec<Target> {
    let unchanged = phase.name == "unchanged";
    let requests = phase.requests.values().sum::<usize>() as f64 / number as f64;
    let mut targets = Vec::new();
    match phase.name {
        "install" => targets.push(Target::new("install: requests each", requests, 12.0, "")),
        "unchanged" => targets.push(Target::new("unchanged: requests each", requests, 2.0, "")),
        _ => {}
    }
    if let Some(peer) = Peer::of(number, phase.name) {
        let cpu = (phase.source.cpu + phase.kustomize.cpu).as_secs_f64();
        let (cpu_share, wall_share) = if unchanged { (50.0, 20.0) } else { (20.0, 3.0) };
        targets.push(Target::new(format!("{}: CPU", phase.name), cpu, peer.cpu / cpu_share, " s"));
        let wall = phase.wall.as_secs_f64();
        targets.push(Target::new(format!("{}: wall", phase.name), wall, peer.wall / wall_share, " s"));
    }
    targets
}

/// Memory of both controllers with nothing to do.
pub(crate) fn of_rest([source, kustomize]: [u64; 2]) -> Vec<Target> {
    [("source", source), ("kustomize", kustomize)]
        .map(|(name, bytes)| Target::new(format!("{name}: memory at rest"), mib(bytes), 15.0, " MiB"))
        .into()
}

/// The most memory of both controllers over all phases.
pub(crate) fn of_peak(number: usize, phases: &[Phase]) -> Vec<Target> {
    let bound = match number {
        0..=100 => 30.0,
        101..=1000 => 60.0,
        _ => return Vec::new(),
    };
    let peak = |cost: fn(&Phase) -> u64| mib(phases.iter().map(cost).max().unwrap_or_default());
    vec![
        Target::new("source: most memory", peak(|phase| phase.source.peak), bound, " MiB"),
        Target::new("kustomize: most memory", peak(|phase| phase.kustomize.peak), bound, " MiB"),
    ]
}

/// From push to applied: median, and all but one in a hundred.
pub(crate) fn of_latency(median: Duration, slow: Duration) -> Vec<Target> {
    vec![
        Target::new("one changed file, p50", median.as_secs_f64(), 0.5, " s"),
        Target::new("one changed file, p99", slow.as_secs_f64(), 2.0, " s"),
    ]
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
