//! An API server that refuses, breaks off, talks nonsense or forgets who watches: through the proxy.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use e2e::{
    Bed, Proxy,
    proxy::{Fault, Spoil},
    wait,
};

use crate::{
    outage::{Trouble, length},
    stage::alone,
};

const USUAL: Duration = Duration::from_secs(5);

#[test]
fn refusals_are_survived_without_exit_or_wrong_delete() {
    survive(&refusals());
}

#[test]
fn broken_answers_are_survived_without_exit_or_wrong_delete() {
    survive(&broken_answers());
}

fn refusals() -> [(&'static str, Fault); 6] {
    let code = |code, retry_after| Fault::new(Spoil::Code(code, retry_after));
    [
        ("too-many", code(429, Some(1))),
        ("half-too-many", code(429, Some(2)).every(2)),
        ("too-many-no-hint", code(429, None).every(2)),
        ("internal-error", code(500, None)),
        ("unavailable", code(503, Some(1)).every(3)),
        ("reads-fail", code(500, None).of(|call| call.method == http::Method::GET && !call.watch)),
    ]
}

fn broken_answers() -> [(&'static str, Fault); 5] {
    [
        ("truncated", Fault::new(Spoil::Truncate)),
        ("truncated-at-times", Fault::new(Spoil::Truncate).every(3)),
        ("garbage", Fault::new(Spoil::Garbage)),
        ("silence", Fault::new(Spoil::Silence)),
        ("expired-watches", Fault::new(Spoil::Expired)),
    ]
}

/// Goes through one fault after the other on a cluster of its own.
fn survive(faults: &[(&str, Fault)]) {
    alone(async || {
        let (bed, proxy) = Bed::behind_proxy(&[]).await?;
        for (name, fault) in faults {
            let mut trouble = Trouble::prepare(&bed, name).await?;
            proxy.fault(Some(fault.clone()));
            trouble.change().await?;
            let length = length(USUAL);
            trouble.last(length).await?;
            proxy.fault(None);
            let begin = Instant::now();
            trouble.recovered().await?;
            report(name, length, fault, begin.elapsed());
        }
        Ok(())
    });
}

#[test]
fn watches_that_are_cut_again_and_again_lose_nothing() {
    alone(async || {
        let (bed, proxy) = Bed::behind_proxy(&[]).await?;
        let mut trouble = Trouble::prepare(&bed, "cut").await?;
        trouble.change().await?;
        let begin = Instant::now();
        cut_until(&proxy, trouble.recovered()).await?;
        eprintln!("watches cut ten times a second: in order {:.1} s after", begin.elapsed().as_secs_f64());
        Ok(())
    });
}

/// Cuts what is open, again and again, until the other thing is done.
async fn cut_until<T>(proxy: &Proxy, done: impl Future<Output = Result<T>>) -> Result<T> {
    let cut = wait::until("the other thing", Duration::from_secs(120), async || {
        proxy.cut();
        tokio::time::sleep(Duration::from_millis(100)).await;
        Ok(None)
    });
    tokio::select! {
        done = done => done,
        end = cut => end,
    }
}

fn report(name: &str, length: Duration, fault: &Fault, recovery: Duration) {
    eprintln!(
        "{name} for {:.0} s, {} requests: in order {:.1} s after",
        length.as_secs_f64(),
        fault.met(),
        recovery.as_secs_f64()
    );
}

#[test]
fn a_deletion_that_cannot_be_judged_keeps_the_finalizer() {
    alone(async || {
        let (bed, proxy) = Bed::behind_proxy(&[]).await?;
        let mut trouble = Trouble::prepare(&bed, "unjudged").await?;
        // Only what decides whether an object may be deleted fails.
        let fault = Fault::new(Spoil::Code(500, None))
            .of(|call| call.method == http::Method::GET && call.resource == "configmaps");
        proxy.fault(Some(fault.clone()));
        trouble.change().await?;
        wait::until("the deletion to be tried", Duration::from_secs(20), async || {
            Ok((fault.met() >= 3).then_some(()))
        })
        .await?;
        ensure!(trouble.waits_for_finalizer().await?, "the Kustomization is gone and its object is not");
        proxy.fault(None);
        trouble.recovered().await?;
        Ok(())
    });
}
