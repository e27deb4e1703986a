//! Kills controllers many times: `make kills N=300`.

use std::process::ExitCode;

use clap::Parser;
use e2e::kills::{self, Plan};

/// Kills controllers at random moments of install, upgrade, prune and delete, and compares the ends.
#[derive(Parser)]
struct Args {
    /// How many kills
    #[arg(long, default_value_t = 300)]
    count: usize,
    /// The same seed kills at the same moments
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match e2e::run(kills::run(Plan { kills: args.count, seed: args.seed })) {
        Ok(report) => {
            let kills::Report { kills, of_source, slowest, differences } = &report;
            eprintln!(
                "{kills} kills ({of_source} of source-controller), slowest phase {:.1} s",
                slowest.as_secs_f64()
            );
            for difference in differences {
                eprintln!("{difference}");
            }
            if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("kills: {error:#}");
            ExitCode::FAILURE
        }
    }
}
