//! Keeps tokens for 80 % of their life.

mod slots;

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{self, SHA256};
use jiff::Timestamp;
use parking_lot::Mutex;

use crate::{Clock, Error, InvolvedObject};
use slots::{Kept, Slot, Slots};

/// The longest time for which a token is kept, whatever the flag says.
///
/// Source: `fluxcd/pkg/cache` `TokenMaxDuration`.
const MAX_DURATION: Duration = Duration::from_secs(3600);

/// Whether a token was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheEvent {
    /// It was there, and still good.
    Hit,
    /// It had to be asked for.
    Miss,
}

impl CacheEvent {
    /// Both, for removing the series of an object that is gone.
    pub const ALL: [Self; 2] = [Self::Hit, Self::Miss];

    /// The value of the label `event_type`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "cache_hit",
            Self::Miss => "cache_miss",
        }
    }
}

/// Is told what a cache does.
///
/// The series that Flux makes of it: `gotk_token_cache_events_total{event_type,kind,name,namespace,operation}`,
/// `gotk_token_cache_requests_total{status}`, `gotk_token_cached_items`, `gotk_token_cache_evictions_total`.
pub trait CacheMetrics: Send + Sync {
    /// A token was found or not, for an object.
    fn event(&self, event: CacheEvent, object: &InvolvedObject);
    /// A token was asked for; `success` is false when none could be had (label `status`: `success`, `failure`).
    fn request(&self, success: bool);
    /// How many tokens are kept now.
    fn items(&self, count: usize);
    /// A token was given up for another.
    fn evicted(&self);
}

impl CacheMetrics for () {
    fn event(&self, _: CacheEvent, _: &InvolvedObject) {}
    fn request(&self, _: bool) {}
    fn items(&self, _: usize) {}
    fn evicted(&self) {}
}

/// What tokens are found by: a digest of everything that they depend on.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 32]);

impl Key {
    /// Parts are set off by their length: no two lists of parts are the same text.
    pub(crate) fn of(parts: &[&str]) -> Self {
        let mut context = digest::Context::new(&SHA256);
        for part in parts {
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part.as_bytes());
        }
        let mut key = [0; 32];
        key.copy_from_slice(context.finish().as_ref());
        Self(key)
    }
}

/// Something that ends.
pub(crate) trait Expiring: Any + Clone + Send + Sync {
    /// When; `None` is never.
    fn expires(&self) -> Option<Timestamp>;
}

/// Keeps tokens for 80 % of their life, at most as many and as long as it is told.
///
/// Who asks for a token that another is asking for waits for that one, and shares its error. The one that was
/// used least recently makes room.
///
/// Source: `fluxcd/pkg/cache` `TokenCache`. Deviation: only requests for the same token wait for each other.
pub struct Cache {
    max_size: usize,
    max_duration: Duration,
    metrics: Arc<dyn CacheMetrics>,
    slots: Mutex<Slots>,
}

impl Cache {
    /// An empty cache of at least one token; durations above an hour are an hour.
    #[must_use]
    pub fn new(max_size: usize, max_duration: Duration, metrics: Arc<dyn CacheMetrics>) -> Self {
        Self {
            max_size: max_size.max(1),
            max_duration: max_duration.min(MAX_DURATION),
            metrics,
            slots: Mutex::default(),
        }
    }

    /// Returns the token of the key, asking for it when it isn't there or is too old.
    pub(crate) async fn get<T: Expiring>(
        &self,
        key: Key,
        object: &InvolvedObject,
        clock: &Clock,
        ask: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let outcome = self.get_or_ask(key, clock, ask).await;
        self.metrics.request(outcome.is_ok());
        let hit = matches!(outcome, Ok((_, CacheEvent::Hit)));
        self.metrics.event(if hit { CacheEvent::Hit } else { CacheEvent::Miss }, object);
        outcome.map(|(token, _)| token)
    }

    async fn get_or_ask<T: Expiring>(
        &self,
        key: Key,
        clock: &Clock,
        ask: impl Future<Output = Result<T, Error>>,
    ) -> Result<(T, CacheEvent), Error> {
        let slot = self.slot(key);
        let before = slot.attempts();
        let mut kept = slot.lock().await;
        if let Some(token) = kept.good::<T>(clock) {
            return Ok((token, CacheEvent::Hit));
        }
        if let Some(error) = kept.failed_since(before) {
            return Err(error);
        }
        match ask.await {
            Ok(token) => {
                *kept = Kept::token(token.clone(), self.life(&token, clock), clock);
                Ok((token, CacheEvent::Miss))
            }
            Err(error) => {
                *kept = Kept::failure(error.clone(), slot.attempted());
                drop(kept);
                self.forget(key, &slot);
                Err(error)
            }
        }
    }

    fn life<T: Expiring>(&self, token: &T, clock: &Clock) -> Duration {
        let Some(expires) = token.expires() else { return self.max_duration };
        let left = Duration::try_from(expires.duration_since(clock.now())).unwrap_or_default();
        (left * 8 / 10).min(self.max_duration)
    }

    fn slot(&self, key: Key) -> Arc<Slot> {
        let mut slots = self.slots.lock();
        let (slot, evicted) = slots.get(key, self.max_size);
        if evicted {
            self.metrics.evicted();
        }
        self.metrics.items(slots.len());
        slot
    }

    /// A failure takes no room.
    fn forget(&self, key: Key, slot: &Arc<Slot>) {
        let mut slots = self.slots.lock();
        slots.remove(key, slot);
        self.metrics.items(slots.len());
    }
}

/// Until when a token is good, by a clock that can't be set and by one that doesn't stop in sleep.
#[derive(Clone, Copy)]
struct Deadline {
    steady: Duration,
    wall: Timestamp,
}

impl Deadline {
    fn after(life: Duration, clock: &Clock) -> Self {
        let wall = clock.now();
        Self { steady: clock.steady().saturating_add(life), wall: wall.checked_add(life).unwrap_or(wall) }
    }

    fn is_over(self, clock: &Clock) -> bool {
        self.steady <= clock.steady() || self.wall <= clock.now()
    }
}

#[cfg(test)]
mod tests;
