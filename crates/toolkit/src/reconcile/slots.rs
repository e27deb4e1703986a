//! Bounds how many runs work at a time. A run that merely waits gives its slot to another.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::metrics::{ActiveWorker, Metrics};
use crate::queue::Superseded;

/// The slots of one controller.
pub(super) struct Slots {
    permits: Arc<Semaphore>,
    /// How many runs want a slot back.
    returning: watch::Sender<usize>,
    controller: String,
    metrics: Metrics,
}

/// A slot for a key that is still to come.
pub(super) struct Vacancy(OwnedSemaphorePermit);

/// A run's slot; given back when dropped.
pub(super) struct Slot {
    slots: Arc<Slots>,
    /// `None` while the run waits.
    held: Mutex<Option<Held>>,
}

struct Held {
    _permit: OwnedSemaphorePermit,
    _active: ActiveWorker,
}

impl Slots {
    pub(super) fn new(count: usize, controller: &str, metrics: Metrics) -> Arc<Self> {
        Arc::new(Self {
            permits: Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS))),
            returning: watch::Sender::new(0),
            controller: controller.to_owned(),
            metrics,
        })
    }

    /// Waits for a slot that no run wants back.
    pub(super) async fn vacancy(&self) -> Vacancy {
        let mut returning = self.returning.subscribe();
        // The sender is `self`, so the wait can't fail.
        let _ = returning.wait_for(|count| *count == 0).await;
        Vacancy(self.permit().await)
    }

    /// Waits until a run wants a slot back, which is when a [`Vacancy`] has to be dropped.
    pub(super) async fn wanted(&self) {
        let mut returning = self.returning.subscribe();
        let _ = returning.wait_for(|count| *count > 0).await;
    }

    /// Turns a free slot into that of a run.
    pub(super) fn occupy(self: &Arc<Self>, Vacancy(permit): Vacancy) -> Slot {
        Slot { slots: Arc::clone(self), held: Mutex::new(Some(self.held(permit))) }
    }

    fn held(&self, permit: OwnedSemaphorePermit) -> Held {
        Held { _permit: permit, _active: self.metrics.active_worker(&self.controller) }
    }

    async fn permit(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed")
    }
}

impl Slot {
    /// Gives the slot to others, for now.
    fn leave(&self) {
        drop(self.held.lock().take());
    }

    /// Takes a slot again, before any key that waits in the queue.
    async fn come_back(&self) {
        let permit = match Arc::clone(&self.slots.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                let _returning = Returning::announce(&self.slots.returning);
                self.slots.permit().await
            }
        };
        *self.held.lock() = Some(self.slots.held(permit));
    }
}

/// Counts a run that wants its slot back, for as long as it does.
struct Returning<'a>(&'a watch::Sender<usize>);

impl<'a> Returning<'a> {
    fn announce(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Returning<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// The process stops, so what was waited for will not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the controller is shutting down")]
pub struct Cancelled;

/// What a run has of its controller while it lasts.
pub(super) struct Turn {
    pub(super) slot: Slot,
    pub(super) superseded: Superseded,
    pub(super) shutdown: CancellationToken,
}

impl Turn {
    /// See [`super::Run::parked`].
    pub(super) async fn parked<T>(&self, waiting: impl Future<Output = T>) -> Result<T, Cancelled> {
        self.slot.leave();
        let Some(ended) = self.shutdown.run_until_cancelled(waiting).await else {
            // Nothing new is begun any more, and what is left is to write down where the run stands.
            return Err(Cancelled);
        };
        // At shutdown nobody minds one more at work, and a queue for slots would cost the time that is left.
        let _ = self.shutdown.run_until_cancelled(self.slot.come_back()).await;
        Ok(ended)
    }
}
