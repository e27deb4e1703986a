//! How a process ends.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tracing::{error, info};

use super::{Prepared, StartError, failed};
use crate::leader::Ended;

/// How long running work has.
const GRACE: Duration = Duration::from_secs(10);
/// How long the last events have.
const EVENTS: Duration = Duration::from_secs(3);
/// How long the last traces have.
const TRACES: Duration = Duration::from_secs(2);

/// Why it ends.
pub(super) enum Cause {
    Signal,
    LeaseLost,
    NotStarted(StartError),
}

pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    pub(super) async fn received(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Waits until the election ends by itself, which it does only when the lease is lost.
pub(super) async fn election_ended(election: &mut Option<JoinHandle<Ended>>) {
    match election {
        Some(task) => {
            if let Err(e) = task.await {
                error!(error = &e as &dyn std::error::Error, "the election failed");
            }
            *election = None;
        }
        None => std::future::pending().await,
    }
}

impl Prepared {
    pub(super) async fn stop(self, cause: Cause, mut signals: Signals) -> ExitCode {
        let code = match cause {
            Cause::Signal => ExitCode::SUCCESS,
            Cause::LeaseLost => ExitCode::FAILURE,
            Cause::NotStarted(e) => failed(&e),
        };
        tokio::select! {
            () = self.wind_down() => code,
            // Whoever asks twice doesn't want to wait.
            () = signals.received() => ExitCode::FAILURE,
        }
    }

    async fn wind_down(self) {
        let runtime = self.runtime;
        info!("Shutdown signal received, waiting for all workers to finish");
        runtime.shutdown.cancel();
        runtime.tasks.close();
        let drained = tokio::time::timeout(GRACE, runtime.tasks.wait()).await.is_ok();
        if drained {
            info!("All workers finished");
        } else {
            error!(grace = ?GRACE, "not all workers finished in time");
        }
        runtime.events.flush(EVENTS).await;
        if let Some(election) = self.election {
            if drained {
                self.stop_election.cancel();
                // A panic in it was logged where it happened.
                let _ = election.await;
            } else {
                // Work may still be under way: the lease runs out instead of being handed over.
                election.abort();
            }
        }
        self.stop_servers.cancel();
    }
}

/// Sends the spans that wait.
pub(super) async fn flush_traces(provider: SdkTracerProvider) {
    let flushed = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(TRACES));
    if let Ok(Ok(Err(e))) = tokio::time::timeout(TRACES, flushed).await {
        error!(error = &e as &dyn std::error::Error, "failed to send the last traces");
    }
}
