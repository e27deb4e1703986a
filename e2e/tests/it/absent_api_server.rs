//! An API server that takes connections and answers nothing, that isn't there, or that forgot something.

use std::time::{Duration, Instant};

use e2e::{Bed, Part};

use crate::{
    outage::{Trouble, length},
    stage::alone,
};

/// Longer than a client's patience for one request.
const FROZEN: Duration = Duration::from_secs(35);
const DEAD: Duration = Duration::from_secs(10);

#[test]
fn a_frozen_api_server_is_survived_without_exit() {
    alone(async || {
        let bed = Bed::start(&[]).await?;
        let mut trouble = Trouble::prepare(&bed, "frozen").await?;
        bed.cluster.pause(Part::ApiServer)?;
        let length = length(FROZEN);
        trouble.last(length).await?;
        bed.cluster.resume(Part::ApiServer)?;
        let begin = Instant::now();
        trouble.change().await?;
        trouble.recovered().await?;
        report("frozen", length, begin.elapsed());
        Ok(())
    });
}

#[test]
fn a_dead_api_server_is_survived_without_exit() {
    alone(async || {
        let bed = Bed::start(&[]).await?;
        let mut trouble = Trouble::prepare(&bed, "dead").await?;
        bed.cluster.kill(Part::ApiServer)?;
        let length = length(DEAD);
        trouble.last(length).await?;
        bed.cluster.revive(Part::ApiServer).await?;
        let begin = Instant::now();
        trouble.change().await?;
        trouble.recovered().await?;
        report("dead", length, begin.elapsed());
        Ok(())
    });
}

#[test]
fn a_store_that_went_back_in_time_is_followed() {
    alone(async || {
        let bed = Bed::start(&[]).await?;
        let mut trouble = Trouble::prepare(&bed, "restored").await?;
        let begin = Instant::now();
        let backup = bed.cluster.back_up().await?;
        trouble.change().await?;
        trouble.recovered().await?;
        let length = begin.elapsed();

        bed.cluster.restore(&backup).await?;
        let begin = Instant::now();
        trouble.change_again().await?;
        trouble.recovered().await?;
        report("restored", length, begin.elapsed());
        Ok(())
    });
}

fn report(what: &str, length: Duration, recovery: Duration) {
    eprintln!(
        "API server {what} for {:.0} s: in order {:.1} s after",
        length.as_secs_f64(),
        recovery.as_secs_f64()
    );
}
