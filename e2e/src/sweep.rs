//! Kills kustomize-controller at every write of an application's life, before the server has it and after.
//!
//! A round is one [life](crate::life) behind a [proxy](crate::proxy) that counts the controller's writes. The first
//! round isn't disturbed: it says what each phase ends in and how many writes it takes. Round n kills the controller
//! at the n-th write of each phase, once before the write is passed on and once after the server has done it, and
//! starts it again. Nothing that comes after the fatal write gets through. Then the state has to become the same as
//! in the undisturbed round, and to stay it when everything is reconciled once more; what was there before and after
//! the phase has to be the same object.

use std::{
    collections::BTreeSet,
    fmt,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::{
    Bed, Proxy,
    life::{Phase, Snapshot, World},
    proxy::{Call, Moment},
};

/// After a kill, until everything is as expected.
const LIMIT: Duration = Duration::from_secs(90);

/// How long no write may come before a phase counts as over.
const QUIET: Duration = Duration::from_millis(500);

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// Writes of each phase when nobody interferes.
    pub writes: Vec<(Phase, usize)>,
    /// Kills done.
    pub points: usize,
    /// Kinds of writes that were hit, as `Phase, moment: write`.
    pub hit: BTreeSet<String>,
    /// Points that weren't reached: the phase took fewer writes than when undisturbed.
    pub unreached: usize,
    /// The longest time from a kill to the expected state.
    pub slowest: Duration,
    /// What was not as in the undisturbed round.
    pub differences: Vec<String>,
}

/// What a phase ends in, and how many writes it takes.
struct Expectation {
    phase: Phase,
    snapshot: Snapshot,
    writes: usize,
}

/// Where the controller dies.
#[derive(Clone, Copy)]
struct Point {
    number: usize,
    moment: Moment,
}

/// What became of a phase.
struct Outcome {
    state: Snapshot,
    /// The write that was hit, and how long it took from there to the expected state.
    hit: Option<(Call, Duration)>,
}

/// Starts a cluster of its own and kills the controller on it, at every point or at about `points` of them.
pub async fn run(points: Option<usize>) -> Result<Report> {
    let (bed, proxy) = Bed::behind_proxy(&[]).await?;
    let mut sweep = Sweep { bed: &bed, proxy: &proxy, report: Report::default() };
    let expectations = sweep.undisturbed().await?;
    for point in chosen(&expectations, points) {
        sweep.round(point, &expectations).await?;
        let Report { points, differences, .. } = &sweep.report;
        eprintln!("sweep: {point}: {points} kills done, {} differences", differences.len());
    }
    Ok(sweep.report)
}

/// One point for each round; a round uses it in all phases that are long enough.
fn chosen(expectations: &[Expectation], limit: Option<usize>) -> Vec<Point> {
    let longest = expectations.iter().map(|expectation| expectation.writes).max().unwrap_or_default();
    let all = (1..=longest).flat_map(|number| Moment::ALL.map(|moment| Point { number, moment }));
    let all: Vec<Point> = all.collect();
    let kills = |point: &Point| expectations.iter().filter(|e| e.writes >= point.number).count();
    let total: usize = all.iter().map(kills).sum();
    // Spread over the whole: a point is taken when the sum of kills so far passes the next multiple of the step.
    let step = limit.map_or(1.0, |limit| total as f64 / limit.max(1) as f64);
    let (mut chosen, mut passed) = (Vec::new(), 0.0);
    for point in all {
        passed += kills(&point) as f64;
        if chosen.iter().map(kills).sum::<usize>() as f64 * step < passed {
            chosen.push(point);
        }
    }
    chosen
}

struct Sweep<'a> {
    bed: &'a Bed,
    proxy: &'a Proxy,
    report: Report,
}

impl Sweep<'_> {
    async fn undisturbed(&mut self) -> Result<Vec<Expectation>> {
        let mut world = World::new(self.bed, "sweep-0").await?;
        let mut expectations = Vec::new();
        for phase in Phase::ALL {
            self.proxy.forget();
            world.begin(phase).await?;
            world.done(phase, LIMIT).await?;
            self.proxy.quiet(QUIET, LIMIT).await?;
            let writes = self.proxy.writes().len();
            self.report.writes.push((phase, writes));
            expectations.push(Expectation { phase, snapshot: world.snapshot().await?, writes });
        }
        world.tear_down().await?;
        Ok(expectations)
    }

    async fn round(&mut self, point: Point, expectations: &[Expectation]) -> Result<()> {
        let mut world = World::new(self.bed, &format!("sweep-{point}")).await?;
        let mut before = Snapshot::default();
        for expectation in expectations {
            let outcome = if point.number <= expectation.writes {
                self.strike(&mut world, expectation, point).await?
            } else {
                self.leave_alone(&mut world, expectation).await?
            };
            let mut differences = expectation.snapshot.differences(&outcome.state);
            differences.extend(before.replaced(&outcome.state));
            before = outcome.state;
            self.report.add(expectation, point, outcome.hit, &differences);
        }
        world.tear_down().await
    }

    async fn leave_alone(&self, world: &mut World<'_>, expectation: &Expectation) -> Result<Outcome> {
        world.begin(expectation.phase).await?;
        world.done(expectation.phase, LIMIT).await?;
        Ok(Outcome { state: world.settled(&expectation.snapshot, LIMIT).await?, hit: None })
    }

    /// Goes through a phase with a kill in it.
    async fn strike(
        &self,
        world: &mut World<'_>,
        expectation: &Expectation,
        point: Point,
    ) -> Result<Outcome> {
        let phase = expectation.phase;
        let sprung = self.proxy.trap(point.number, point.moment);
        world.begin(phase).await?;
        let hit = tokio::select! {
            biased;
            Ok(call) = sprung => Some(call),
            _ = self.past_the_end(world, phase) => None,
        };
        let begin = Instant::now();
        if hit.is_some() {
            self.bed.kustomize.kill();
        }
        self.proxy.release();
        self.bed.kustomize.spawn()?;
        self.bed.kustomize.ready().await?;
        // A state that isn't reached shows as differences.
        let _ = world.done(phase, LIMIT).await;
        let mut state = world.settled(&expectation.snapshot, LIMIT).await?;
        let took = begin.elapsed();
        if phase != Phase::Delete && expectation.snapshot.differences(&state).is_empty() {
            world.reconcile(LIMIT).await?;
            state = world.settled(&expectation.snapshot, LIMIT).await?;
        }
        Ok(Outcome { state, hit: hit.map(|call| (call, took)) })
    }

    /// Comes to an end when the phase does without the trap.
    async fn past_the_end(&self, world: &World<'_>, phase: Phase) -> Result<()> {
        // With the trap sprung it would never: the other branch is then taken long before the limit.
        world.done(phase, LIMIT).await?;
        self.proxy.quiet(QUIET, LIMIT).await
    }
}

impl Report {
    fn add(
        &mut self,
        expectation: &Expectation,
        point: Point,
        hit: Option<(Call, Duration)>,
        differences: &[String],
    ) {
        let phase = expectation.phase;
        let place = match hit {
            Some((call, took)) => {
                self.points += 1;
                self.slowest = self.slowest.max(took);
                self.hit.insert(format!("{phase:?}, {:?}: {}", point.moment, without_namespace(&call)));
                format!("{phase:?}, killed at {point}, {call}")
            }
            None => {
                self.unreached += usize::from(point.number <= expectation.writes);
                format!("{phase:?}, not killed at {point}")
            }
        };
        self.differences.extend(differences.iter().map(|line| format!("{place}: {line}")));
    }
}

fn without_namespace(call: &Call) -> String {
    let namespace = call.namespace.clone();
    if namespace.is_empty() {
        call.to_string()
    } else {
        call.to_string().replace(&format!("/{namespace}"), "")
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = match self.moment {
            Moment::Before => "before",
            Moment::After => "after",
        };
        write!(f, "{moment}-{}", self.number)
    }
}
