use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::error::Cause;

/// How an operation runs: its deadline, its folder, its bounds.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bounds the whole operation, connecting included.
    pub timeout: Duration,
    /// Ends the operation early when it becomes true; looked at several times a second.
    pub cancel: Arc<AtomicBool>,
    /// An existing folder; the fetched pack lies in a temporary folder of its own below.
    pub directory: PathBuf,
    /// What a server may make us read.
    pub limits: Limits,
}

impl Options {
    /// Returns options with Flux's default timeout of 60 seconds and the default limits.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            timeout: Duration::from_secs(60),
            cancel: Arc::new(AtomicBool::new(false)),
            directory: directory.into(),
            limits: Limits::default(),
        }
    }

    pub(crate) fn clock(&self) -> Clock {
        Clock { deadline: Instant::now() + self.timeout, cancel: Arc::clone(&self.cancel) }
    }
}

/// Bounds on what a server sends; what is beyond ends the operation with an error.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a list of references.
    pub references: u64,
    /// Bytes of the pack on the wire.
    pub pack: u64,
    /// Bytes of one object after decompression.
    pub object: usize,
    /// Files and folders in the tree.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { references: 32 << 20, pack: 4 << 30, object: 512 << 20, entries: 1_000_000 }
    }
}

/// When an operation has to end.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    deadline: Instant,
    cancel: Arc<AtomicBool>,
}

impl Clock {
    /// How often the cancellation flag is looked at while waiting.
    pub(crate) const TICK: Duration = Duration::from_millis(100);

    pub(crate) fn check(&self) -> Result<(), Cause> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(Cause::Cancelled);
        }
        if Instant::now() >= self.deadline {
            return Err(Cause::Deadline);
        }
        Ok(())
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }
}
