//! The figures as a Markdown table, beside those of Flux's controllers.

use std::{collections::BTreeMap, fmt, time::Duration};

use crate::{gauge::Phase, peers::Peer, targets};

pub(crate) struct Table {
    number: usize,
    sizes: [u64; 2],
    /// Memory of source- and kustomize-controller with nothing to do.
    pub(crate) idle: Option<[u64; 2]>,
    pub(crate) phases: Vec<Phase>,
    /// From push to applied, sorted.
    pub(crate) latency: Vec<Duration>,
}

impl Table {
    pub(crate) fn new(number: usize, sizes: [u64; 2]) -> Self {
        Self { number, sizes, idle: None, phases: Vec::new(), latency: Vec::new() }
    }

    fn phase(&self, f: &mut fmt::Formatter<'_>, phase: &Phase) -> fmt::Result {
        let total: usize = phase.requests.values().sum();
        let each = total as f64 / self.number as f64;
        let cpu = (phase.source.cpu + phase.kustomize.cpu).as_secs_f64();
        let peer = Peer::of(self.number, phase.name);
        let beside = |ours: f64, theirs: Option<f64>| match theirs {
            Some(theirs) if ours > 0.0 => format!("{theirs} (×{:.1})", theirs / ours),
            _ => "–".to_owned(),
        };
        writeln!(
            f,
            "| {} | {:.2} | {} | {:.2} + {:.2} | {} | {:.2} | {} | {each:.1} | {} |",
            phase.name,
            phase.wall.as_secs_f64(),
            beside(phase.wall.as_secs_f64(), peer.map(|peer| peer.wall)),
            phase.kustomize.cpu.as_secs_f64(),
            phase.source.cpu.as_secs_f64(),
            beside(cpu, peer.map(|peer| peer.cpu)),
            phase.server.as_secs_f64(),
            beside(phase.server.as_secs_f64(), peer.map(|peer| peer.server)),
            beside(each, peer.map(|peer| peer.requests)),
        )
    }

    fn memory(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n| memory in MiB | source | kustomize | Flux: source | Flux: kustomize |\n|---|---|---|---|---|"
        )?;
        if let Some([source, kustomize]) = self.idle {
            writeln!(f, "| idle, nothing to do | {:.1} | {:.1} | 85 | 75 |", mib(source), mib(kustomize))?;
        }
        for phase in &self.phases {
            writeln!(
                f,
                "| peak, {} | {:.1} | {:.1} | 105 | 177 (at 100) |",
                phase.name,
                mib(phase.source.peak),
                mib(phase.kustomize.peak)
            )?;
        }
        let [source, kustomize] = self.sizes;
        writeln!(f, "| program on disk | {:.1} | {:.1} | | |", mib(source), mib(kustomize))
    }

    /// The time that this share of the pushes stayed below; there is at least one push.
    fn slower_than(&self, share: f64) -> Duration {
        self.latency[((self.latency.len() - 1) as f64 * share).round() as usize]
    }

    fn targets(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n| target | measured | bound | |\n|---|---|---|---|")?;
        let mut all: Vec<_> =
            self.phases.iter().flat_map(|phase| targets::of_phase(self.number, phase)).collect();
        if !self.latency.is_empty() {
            all.extend(targets::of_latency(self.slower_than(0.5), self.slower_than(0.99)));
        }
        all.extend(self.idle.into_iter().flat_map(targets::of_rest));
        all.extend(targets::of_peak(self.number, &self.phases));
        for target in all {
            writeln!(f, "{target}")?;
        }
        let cpu: Duration = self.phases.iter().map(|phase| phase.source.cpu + phase.kustomize.cpu).sum();
        writeln!(
            f,
            "\nCPU of both controllers over all phases: {:.1} ms for each Kustomization; it has to be flat from 100 to 2000.",
            cpu.as_secs_f64() * 1000.0 / self.number as f64
        )
    }

    fn requests(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n| phase | requests of the controllers | requests of everybody |\n|---|---|---|")?;
        for phase in &self.phases {
            writeln!(f, "| {} | {} | {} |", phase.name, verbs(&phase.requests), verbs(&phase.all_requests))?;
        }
        writeln!(
            f,
            "\nWithout watches, events and leases; the left column from the audit log, the right one from the API server's metrics."
        )
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        writeln!(f, "{} Kustomizations of 4 objects, {cores} cores; times in seconds.\n", self.number)?;
        writeln!(
            f,
            "| phase | wall | Flux | CPU kustomize + source | Flux | CPU API server + etcd | Flux | requests each | Flux |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|---|")?;
        for phase in &self.phases {
            self.phase(f, phase)?;
        }
        if !self.latency.is_empty() {
            let at = |share: f64| self.slower_than(share).as_secs_f64();
            writeln!(
                f,
                "\nOne changed file, pushed → applied ({} pushes): p50 {:.2} s, p99 {:.2} s, longest {:.2} s. Flux at 100: p50 14.7 s, longest 25.5 s.",
                self.latency.len(),
                at(0.5),
                at(0.99),
                at(1.0)
            )?;
        }
        self.memory(f)?;
        self.requests(f)?;
        self.targets(f)
    }
}

fn verbs(counts: &BTreeMap<String, usize>) -> String {
    let list: Vec<String> = counts.iter().map(|(verb, count)| format!("{verb} {count}")).collect();
    list.join(", ")
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
