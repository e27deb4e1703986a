//! Kills kustomize-controller at every write: `make sweep`.

use std::process::ExitCode;

use clap::Parser;
use e2e::sweep::{self, Report};

/// Kills kustomize-controller at each of its writes in install, upgrade, prune and delete, before and after the
/// server has it, and compares the ends.
#[derive(Parser)]
struct Args {
    /// About so many points, spread over all of them, instead of all
    #[arg(long)]
    points: Option<usize>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match e2e::run(sweep::run(args.points)) {
        Ok(report) => {
            tell(&report);
            if report.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("sweep: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn tell(report: &Report) {
    let Report { writes, points, hit, unreached, slowest, differences } = report;
    for line in hit {
        eprintln!("{line}");
    }
    for (phase, writes) in writes {
        eprintln!("{phase:?}: {writes} writes when undisturbed");
    }
    let slowest = slowest.as_secs_f64();
    eprintln!("{points} kills at {} different writes, {unreached} not reached", hit.len());
    eprintln!("slowest from kill to expected state {slowest:.1} s, {} differences", differences.len());
    for difference in differences {
        eprintln!("{difference}");
    }
}
