use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};

use super::{Deadline, Key};
use crate::{Clock, Error};

/// The place of one token. Its lock is held while the token is asked for.
#[derive(Default)]
pub(super) struct Slot {
    kept: Mutex<Kept>,
    attempts: AtomicU64,
}

impl Slot {
    /// How many times the token was asked for in vain.
    pub(super) fn attempts(&self) -> u64 {
        self.attempts.load(Ordering::Acquire)
    }

    /// Counts an attempt that failed.
    pub(super) fn attempted(&self) -> u64 {
        self.attempts.fetch_add(1, Ordering::AcqRel) + 1
    }

    pub(super) async fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().await
    }
}

/// What the last who asked got.
#[derive(Default)]
pub(super) enum Kept {
    #[default]
    Nothing,
    Token(Box<dyn Any + Send + Sync>, Deadline),
    Failure(Error, u64),
}

impl Kept {
    pub(super) fn token<T: Any + Send + Sync>(token: T, life: Duration, clock: &Clock) -> Self {
        Self::Token(Box::new(token), Deadline::after(life, clock))
    }

    pub(super) fn failure(error: Error, attempt: u64) -> Self {
        Self::Failure(error, attempt)
    }

    /// The token, if it is there and young enough.
    pub(super) fn good<T: Any + Clone>(&self, clock: &Clock) -> Option<T> {
        match self {
            Self::Token(token, deadline) if !deadline.is_over(clock) => token.downcast_ref::<T>().cloned(),
            _ => None,
        }
    }

    /// The error of an attempt that began after `attempts` had failed: one that the caller waited for.
    pub(super) fn failed_since(&self, attempts: u64) -> Option<Error> {
        match self {
            Self::Failure(error, attempt) if *attempt > attempts => Some(error.clone()),
            _ => None,
        }
    }
}

/// The slots by key, and when each was last used.
#[derive(Default)]
pub(super) struct Slots {
    by_key: HashMap<Key, (Arc<Slot>, u64)>,
    uses: u64,
}

impl Slots {
    /// The slot of a key, made if need be; tells whether another had to go for it.
    pub(super) fn get(&mut self, key: Key, max: usize) -> (Arc<Slot>, bool) {
        self.uses += 1;
        if let Some((slot, used)) = self.by_key.get_mut(&key) {
            *used = self.uses;
            return (slot.clone(), false);
        }
        let evicted = self.by_key.len() >= max && self.evict();
        let slot = Arc::new(Slot::default());
        self.by_key.insert(key, (slot.clone(), self.uses));
        (slot, evicted)
    }

    fn evict(&mut self) -> bool {
        let oldest = self.by_key.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| *key);
        oldest.is_some_and(|key| self.by_key.remove(&key).is_some())
    }

    pub(super) fn remove(&mut self, key: Key, slot: &Arc<Slot>) {
        if self.by_key.get(&key).is_some_and(|(kept, _)| Arc::ptr_eq(kept, slot)) {
            self.by_key.remove(&key);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }
}
