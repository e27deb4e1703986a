//! The work queue of a controller, with controller-runtime's rules.
//!
//! A key waits at most once and is never with two workers at a time. Keys of high priority come before those of
//! low, equals in the order they became ready. Failures of a key double its delay; there is no limit over all
//! keys.

mod backoff;
mod jitter;
mod state;
mod trigger;

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

pub use jitter::jitter;
pub use trigger::{Superseded, Trigger};

use crate::metrics::{InProgress, Metrics, QueueMetrics};
use backoff::Backoff;
use state::State;

/// What comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Objects that are merely listed, as at start.
    Low,
    /// Changes and requests.
    High,
}

impl Priority {
    /// controller-runtime's number, which is a label of `workqueue_depth`.
    fn number(self) -> i32 {
        match self {
            Self::Low => -100,
            Self::High => 0,
        }
    }
}

/// A queue of keys. Clones share it.
pub struct Queue<K>(Arc<Inner<K>>);

impl<K> Clone for Queue<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

struct Inner<K> {
    name: String,
    state: Mutex<State<K>>,
    backoff: Mutex<Backoff<K>>,
    changed: Notify,
}

impl<K: Clone + Eq + Hash + Send + 'static> Queue<K> {
    /// Creates the queue of a controller, whose retries wait `min_delay`, doubled at each failure up to `max_delay`.
    #[must_use]
    pub fn new(controller: &str, metrics: &Metrics, min_delay: Duration, max_delay: Duration) -> Self {
        let inner = Arc::new(Inner {
            name: controller.to_owned(),
            state: Mutex::new(State::new(metrics.queue(controller))),
            backoff: Mutex::new(Backoff::new(min_delay, max_delay)),
            changed: Notify::new(),
        });
        let weak = Arc::downgrade(&inner);
        metrics.watch_queue(weak);
        Self(inner)
    }

    /// Adds a key that is due now, with high priority.
    pub fn add(&self, key: K) {
        self.add_with_priority(key, Priority::High);
    }

    /// Adds a key that is due now, with high priority, because another object changed.
    ///
    /// A run of this key that is under way hears of it (see [`Queue::superseded`]).
    pub fn add_triggered(&self, key: K, trigger: Trigger) {
        self.request(key, Priority::High, Some(trigger));
    }

    /// Adds a key that is due now. One that is due already takes the higher priority, one that is due later this one.
    pub fn add_with_priority(&self, key: K, priority: Priority) {
        self.request(key, priority, None);
    }

    fn request(&self, key: K, priority: Priority, trigger: Option<Trigger>) {
        self.0.state.lock().request(key, priority, trigger, Instant::now());
        self.0.changed.notify_one();
    }

    /// Follows whether a key that was handed out is added again, with high priority, before [`Queue::done`].
    #[must_use]
    pub fn superseded(&self, key: &K) -> Superseded {
        self.0.state.lock().follow(key)
    }

    /// Adds a key that is due after `delay`; one that is due sooner stays so.
    ///
    /// A key that is with a worker keeps the priority it was taken with.
    pub fn add_after(&self, key: K, delay: Duration) {
        if delay.is_zero() {
            self.0.state.lock().add(key, None, Instant::now());
        } else {
            self.0.state.lock().add_after(key, Instant::now(), delay);
        }
        self.0.changed.notify_one();
    }

    /// Adds a key after its backoff, which grows with every call until [`Queue::forget`].
    pub fn add_rate_limited(&self, key: K) {
        let delay = self.0.backoff.lock().next(&key);
        self.add_after(key, delay);
    }

    /// Resets a key's backoff.
    pub fn forget(&self, key: &K) {
        self.0.backoff.lock().forget(key);
    }

    /// Waits for the next key. Call [`Queue::done`] with it when its work is finished.
    ///
    /// Dropping the future loses no key.
    pub async fn get(&self) -> K {
        loop {
            let changed = self.0.changed.notified();
            let due = {
                let mut state = self.0.state.lock();
                if let Some(key) = state.take(Instant::now()) {
                    if !state.is_empty() {
                        // Notifications don't add up, and this worker may have been the one that kept the time.
                        self.0.changed.notify_one();
                    }
                    return key;
                }
                state.next_due()
            };
            match due {
                Some(due) => {
                    // Either way the loop looks again.
                    let _ = tokio::time::timeout_at(due, changed).await;
                }
                None => changed.await,
            }
        }
    }

    /// Ends the work on a key; if it was added meanwhile, it is handed out again.
    pub fn done(&self, key: &K) {
        self.0.state.lock().done(key, Instant::now());
        self.0.changed.notify_one();
    }

    /// How many keys wait, whether due or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.state.lock().len()
    }

    /// Whether no key waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.state.lock().is_empty()
    }
}

impl<K: Clone + Eq + Hash + Send + 'static> InProgress for Inner<K> {
    fn name(&self) -> &str {
        &self.name
    }

    fn ages(&self) -> Vec<Duration> {
        self.state.lock().ages(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::FutureExt;

    use super::{Priority, Queue, Trigger};
    use crate::metrics::Metrics;

    fn queue() -> Queue<u32> {
        Queue::new("test", &Metrics::new(), Duration::from_millis(1), Duration::from_millis(4))
    }

    #[tokio::test]
    async fn every_key_reaches_exactly_one_of_many_workers() {
        let queue = queue();
        let workers: Vec<_> = (0..8)
            .map(|_| {
                let queue = queue.clone();
                tokio::spawn(async move {
                    let mut seen = Vec::new();
                    loop {
                        let key = queue.get().await;
                        queue.done(&key);
                        if key >= 1000 {
                            return seen;
                        }
                        seen.push(key);
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        (0..500).for_each(|key| queue.add(key));
        (1000..1008).for_each(|stop| queue.add_with_priority(stop, Priority::Low));
        let mut seen = Vec::new();
        for worker in workers {
            seen.extend(worker.await.unwrap());
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..500).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_waiting_worker_is_woken_when_a_delayed_key_becomes_due() {
        let queue = queue();
        let worker = tokio::spawn({
            let queue = queue.clone();
            async move { queue.get().await }
        });
        tokio::task::yield_now().await;
        queue.add_after(2, Duration::from_secs(3600));
        queue.add_rate_limited(1);
        assert_eq!(tokio::time::timeout(Duration::from_secs(30), worker).await.unwrap().unwrap(), 1);
        assert_eq!(queue.len(), 1);
    }

    #[tokio::test]
    async fn work_on_a_key_hears_that_it_is_asked_for_again_and_by_whom() {
        let trigger = |name: &str| Trigger {
            kind: "GitRepository".to_owned(),
            namespace: "apps".to_owned(),
            name: name.to_owned(),
        };
        let queue = queue();
        queue.add_triggered(1, trigger("before"));
        let key = queue.get().await;
        let superseded = queue.superseded(&key);
        queue.add_with_priority(1, Priority::Low);
        queue.add_after(1, Duration::ZERO);
        queue.add(2);
        assert_eq!(superseded.clone().wait().now_or_never(), None, "nobody asked for this key");
        queue.add_triggered(1, trigger("first"));
        queue.add_triggered(1, trigger("second"));
        let by = superseded.wait().now_or_never().unwrap().unwrap();
        assert_eq!(by.to_string(), "GitRepository/apps/first");
    }

    #[tokio::test]
    async fn what_nobody_works_on_is_not_superseded() {
        let queue = queue();
        let idle = queue.superseded(&1);
        queue.add(1);
        let key = queue.get().await;
        let finished = queue.superseded(&key);
        queue.done(&key);
        queue.add(1);
        assert_eq!(idle.wait().now_or_never(), None);
        assert_eq!(finished.wait().now_or_never(), None);
    }
}
