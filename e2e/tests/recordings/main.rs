//! Plays what Flux's own controllers were recorded doing, with ours, and compares.
//!
//! `cargo test -p e2e --test recordings -- ks-wait git-` plays only scenarios whose name contains one of the
//! words. The recordings lie beside the project; without them there is nothing to play.

mod archive;
mod compare;
mod expected;
mod observe;
mod oci;
mod places;
mod play;
mod report;
mod scenario;
mod scope;
mod transitions;
mod wait;

use std::{env, process::ExitCode, sync::Arc};

use anyhow::Result;
use e2e::{Bed, programs};
use futures::{StreamExt, stream};

use crate::{observe::Observer, play::Stage, report::Report, scenario::Scenario};

/// Scenarios at the same time; most of the time each of them waits.
const PARALLEL: usize = 8;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let Some(shared) = programs::shared() else {
        eprintln!("skipped: the recordings are not there");
        return ExitCode::SUCCESS;
    };
    let recordings = shared.join("conformance/recordings");
    let report = e2e::run(async {
        let scenarios = scope::scenarios(&recordings, &words)?;
        play_all(scenarios).await
    });
    match report {
        Ok(report) => report.print(words.is_empty()),
        Err(error) => {
            eprintln!("recordings: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn play_all(scenarios: Vec<Scenario>) -> Result<Report> {
    let bed = Bed::start(&["--concurrent=10"]).await?;
    let observer = Observer::start(&bed.cluster.client());
    let stage = Arc::new(Stage { bed, observer });
    // Whoever restarts a controller plays alone, after the others.
    let (alone, together): (Vec<_>, Vec<_>) = scenarios.into_iter().partition(Scenario::restarts);
    let mut report = Report::default();
    let mut outcomes =
        stream::iter(together).map(|scenario| one(&stage, scenario)).buffer_unordered(PARALLEL);
    while let Some((name, differences)) = outcomes.next().await {
        report.add(name, differences);
    }
    for scenario in alone {
        let (name, differences) = one(&stage, scenario).await;
        report.add(name, differences);
    }
    Ok(report)
}

async fn one(stage: &Stage, scenario: Scenario) -> (String, Vec<compare::Difference>) {
    let name = scenario.name.clone();
    let played = match stage.bed.check() {
        Ok(()) => play::play(stage, &scenario).await,
        Err(ended) => Err(ended),
    };
    let differences = match played {
        Ok(differences) => differences,
        Err(error) => vec![compare::Difference::new("play", "", format!("{error:#}"))],
    };
    (name, differences)
}
