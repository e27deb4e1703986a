//! Kills controllers at random moments and looks whether the cluster ends up as it would have anyway.
//!
//! A round is one [life](crate::life) in a namespace of its own. The first round isn't disturbed: it says what each
//! phase ends in and how long it takes. In every later phase one controller is killed at a random moment and started
//! again. Then the state has to become the same and to stay it when everything is reconciled once more, and whatever
//! was there before and after the phase has to be the same object, not a new one of its name. After the last phase
//! nothing is left in the storage either.

use std::time::{Duration, Instant};

use anyhow::Result;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    Bed,
    life::{Phase, Snapshot, World},
};

/// After the kill of a controller, until everything is as expected.
const LIMIT: Duration = Duration::from_secs(90);

/// How much is to be done.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Kills, one for each phase of a round.
    pub kills: usize,
    /// The same seed kills at the same moments.
    pub seed: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// Kills done.
    pub kills: usize,
    /// Kills of source-controller among them.
    pub of_source: usize,
    /// The longest time from a phase's begin to its expected end, kill included.
    pub slowest: Duration,
    /// What was not as in the undisturbed round.
    pub differences: Vec<String>,
}

/// What a phase ends in, and how long it takes when nobody interferes.
struct Expectation {
    snapshot: Snapshot,
    takes: Duration,
}

/// One kill.
struct Blow {
    phase: Phase,
    of_source: bool,
    /// After the begin of the phase.
    moment: Duration,
}

/// Starts a cluster of its own and kills controllers on it.
pub async fn run(plan: Plan) -> Result<Report> {
    let bed = Bed::start(&[]).await?;
    let expectations = undisturbed(&bed).await?;
    let mut random = StdRng::seed_from_u64(plan.seed);
    let mut report = Report::default();
    let mut round = 1;
    while report.kills < plan.kills {
        let mut world = World::new(&bed, &format!("kill-{round}")).await?;
        let mut before = Snapshot::default();
        for (phase, expectation) in Phase::ALL.into_iter().zip(&expectations) {
            let blow = Blow::random(phase, expectation.takes, &mut random);
            let (after, took) = strike(&bed, &mut world, &blow, &expectation.snapshot).await?;
            let mut differences = expectation.snapshot.differences(&after);
            differences.extend(before.replaced(&after));
            report.add(&blow, round, took, &differences);
            before = after;
        }
        report.differences.extend(world.left_in_storage()?);
        world.tear_down().await?;
        eprintln!("kills: {} of {} done, {} differences", report.kills, plan.kills, report.differences.len());
        round += 1;
    }
    Ok(report)
}

async fn undisturbed(bed: &Bed) -> Result<Vec<Expectation>> {
    let mut world = World::new(bed, "kill-0").await?;
    let mut expectations = Vec::new();
    for phase in Phase::ALL {
        let begin = Instant::now();
        world.begin(phase).await?;
        world.done(phase, LIMIT).await?;
        let takes = begin.elapsed();
        expectations.push(Expectation { snapshot: world.snapshot().await?, takes });
    }
    world.tear_down().await?;
    Ok(expectations)
}

/// Goes through a phase with a kill in it. Returns the state at the end and how long it took to get there.
async fn strike(
    bed: &Bed,
    world: &mut World<'_>,
    blow: &Blow,
    expected: &Snapshot,
) -> Result<(Snapshot, Duration)> {
    let begin = Instant::now();
    world.begin(blow.phase).await?;
    let victim = if blow.of_source { &bed.source } else { &bed.kustomize };
    tokio::time::sleep_until((begin + blow.moment).into()).await;
    victim.kill();
    victim.spawn()?;
    let after = world.settled(expected, LIMIT).await?;
    let took = begin.elapsed();

    // It may be there already when the controller dies: whoever comes after must not spoil it.
    victim.ready().await?;
    if blow.phase == Phase::Delete || !expected.differences(&after).is_empty() {
        return Ok((world.snapshot().await?, took));
    }
    world.reconcile(LIMIT).await?;
    Ok((world.settled(expected, LIMIT).await?, took))
}

impl Blow {
    fn random(phase: Phase, takes: Duration, random: &mut StdRng) -> Self {
        let moment = takes.mul_f64(random.random_range(0.0..1.3));
        Self { phase, of_source: random.random_bool(0.4), moment }
    }
}

impl Report {
    fn add(&mut self, blow: &Blow, round: usize, took: Duration, differences: &[String]) {
        let Blow { phase, of_source, moment } = blow;
        self.kills += 1;
        self.of_source += usize::from(*of_source);
        self.slowest = self.slowest.max(took);
        let victim = if *of_source { "source" } else { "kustomize" };
        let place = format!("round {round}, {phase:?}, {victim}-controller killed after {moment:?}");
        self.differences.extend(differences.iter().map(|line| format!("{place}: {line}")));
    }
}
