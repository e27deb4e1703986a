//! A clock that time asleep counts on.

use std::sync::Arc;
use std::time::Duration;

/// Time since an arbitrary start; never goes back, and goes on while the process or the machine is stopped.
pub(crate) type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// Returns the kernel's `CLOCK_BOOTTIME`.
///
/// `std::time::Instant` is `CLOCK_MONOTONIC`, which stands still while the machine is suspended: a leader that
/// wakes up would believe that its lease still runs.
pub(crate) fn boot() -> Clock {
    Arc::new(|| {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
    })
}
