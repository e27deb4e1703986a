//! A queue of bounded length that gives up its oldest for the newest.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::metrics::Metrics;

pub(super) struct Mailbox<T>(Arc<Inner<T>>);

impl<T> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

struct Inner<T> {
    sink: &'static str,
    capacity: usize,
    metrics: Metrics,
    letters: Mutex<Letters<T>>,
    changed: Notify,
}

struct Letters<T> {
    queue: VecDeque<T>,
    closed: bool,
}

impl<T> Mailbox<T> {
    pub(super) fn new(sink: &'static str, capacity: usize, metrics: &Metrics) -> Self {
        Self(Arc::new(Inner {
            sink,
            capacity,
            metrics: metrics.clone(),
            letters: Mutex::new(Letters { queue: VecDeque::new(), closed: false }),
            changed: Notify::new(),
        }))
    }

    /// Puts it at the end. When the mailbox is full the oldest is given up; when it is closed, this one.
    pub(super) fn push(&self, letter: T) {
        let dropped = {
            let mut letters = self.0.letters.lock();
            let full = letters.queue.len() >= self.0.capacity;
            if letters.closed {
                true
            } else {
                if full {
                    letters.queue.pop_front();
                }
                letters.queue.push_back(letter);
                full
            }
        };
        self.0.changed.notify_one();
        if dropped {
            self.0.metrics.event_dropped(self.0.sink);
            tracing::error!(sink = self.0.sink, "unable to record event: too many wait to be sent");
        }
    }

    /// Waits for the next; `None` once it is closed and empty. There may be one caller at a time.
    pub(super) async fn pop(&self) -> Option<T> {
        loop {
            let changed = self.0.changed.notified();
            {
                let mut letters = self.0.letters.lock();
                if let Some(letter) = letters.queue.pop_front() {
                    return Some(letter);
                }
                if letters.closed {
                    return None;
                }
            }
            changed.await;
        }
    }

    pub(super) fn close(&self) {
        self.0.letters.lock().closed = true;
        self.0.changed.notify_one();
    }

    /// Waits at most for `delay`; returns whether it is closed, so that what is left should be hurried.
    pub(super) async fn pause(&self, delay: std::time::Duration) -> bool {
        let deadline = tokio::time::Instant::now() + delay;
        loop {
            let changed = self.0.changed.notified();
            if self.0.letters.lock().closed {
                return true;
            }
            if tokio::time::timeout_at(deadline, changed).await.is_err() {
                return false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Mailbox;
    use crate::metrics::Metrics;

    #[tokio::test]
    async fn a_full_mailbox_gives_up_its_oldest_and_counts_it() {
        let metrics = Metrics::new();
        let mailbox = Mailbox::new("post", 2, &metrics);
        (1..=3).for_each(|n| mailbox.push(n));
        mailbox.close();
        mailbox.push(4);
        assert_eq!((mailbox.pop().await, mailbox.pop().await, mailbox.pop().await), (Some(2), Some(3), None));
        assert!(metrics.encode().contains("ferrite_events_dropped_total{sink=\"post\"} 2"));
    }
}
