//! Keeps a process that may no longer lead from writing.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::Clock;

/// Says whether a request that changes something may be sent, and until when it must be over.
///
/// It looks at nothing but the process's own clock, which goes on while the process is stopped: a leader that was
/// paused for longer than its lease is refused before it sends a byte. Cheap to clone.
#[derive(Clone)]
pub struct Fence(Option<Arc<Inner>>);

struct Inner {
    clock: Clock,
    /// How long after a renewal requests may still be sent.
    renew_deadline: Duration,
    /// How long after a renewal no other may lead.
    lease_duration: Duration,
    renewed: Mutex<Option<Duration>>,
}

/// A request would change something while this process may not lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("refused to write: this process does not hold the leader lease")]
pub struct Refused;

/// Until when a permitted request must be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// There is no lease to outlive.
    Unlimited,
    /// So much longer.
    For(Duration),
}

impl Fence {
    /// A fence that lets everything through: leader election is off.
    #[must_use]
    pub fn open() -> Self {
        Self(None)
    }

    /// A fence that refuses until the lease is held.
    pub(super) fn closed(clock: Clock, renew_deadline: Duration, lease_duration: Duration) -> Self {
        Self(Some(Arc::new(Inner { clock, renew_deadline, lease_duration, renewed: Mutex::new(None) })))
    }

    /// The lease was renewed by a request that was sent at `sent`.
    pub(super) fn renewed(&self, sent: Duration) {
        if let Some(inner) = &self.0 {
            *inner.renewed.lock() = Some(sent);
        }
    }

    /// The lease is lost or given up.
    pub(super) fn close(&self) {
        if let Some(inner) = &self.0 {
            *inner.renewed.lock() = None;
        }
    }

    /// Asks to send a request that changes something.
    ///
    /// # Errors
    /// When the lease isn't held, or the last renewal is longer ago than the renew deadline.
    pub fn permit(&self) -> Result<Permit, Refused> {
        let Some(inner) = &self.0 else { return Ok(Permit::Unlimited) };
        let renewed = inner.renewed.lock().ok_or(Refused)?;
        let age = (inner.clock)().saturating_sub(renewed);
        if age >= inner.renew_deadline {
            return Err(Refused);
        }
        Ok(Permit::For(inner.lease_duration.saturating_sub(age)))
    }
}

#[cfg(test)]
impl Fence {
    /// A fence whose lease was renewed when its clock began.
    pub(crate) fn renewed_at_start(clock: Clock, renew_deadline: Duration, lease_duration: Duration) -> Self {
        let fence = Self::closed(clock, renew_deadline, lease_duration);
        fence.renewed(Duration::ZERO);
        fence
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use super::{Fence, Permit, Refused};

    #[test]
    fn a_request_must_end_before_another_may_lead_and_begin_before_the_renew_deadline() {
        let time = Arc::new(AtomicU64::new(0));
        let own = Arc::clone(&time);
        let seconds = Duration::from_secs;
        let fence =
            Fence::closed(Arc::new(move || seconds(own.load(Ordering::Relaxed))), seconds(30), seconds(35));
        assert_eq!(fence.permit(), Err(Refused));
        fence.renewed(seconds(0));
        let at = |now| {
            time.store(now, Ordering::Relaxed);
            fence.permit()
        };
        assert_eq!(at(1), Ok(Permit::For(seconds(34))));
        assert_eq!(at(29), Ok(Permit::For(seconds(6))));
        assert_eq!(at(30), Err(Refused));
        fence.renewed(seconds(30));
        assert_eq!(fence.permit(), Ok(Permit::For(seconds(35))));
        fence.close();
        assert_eq!(fence.permit(), Err(Refused));
        assert_eq!(Fence::open().permit(), Ok(Permit::Unlimited));
    }
}
