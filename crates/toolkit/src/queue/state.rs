//! The queue's rules, without waiting: every call says what time it is.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

use super::trigger::{Notice, Superseded, Trigger};
use super::{Priority, QueueMetrics};

/// Orders ready keys: the higher priority first, then the earlier number.
type Rank = (std::cmp::Reverse<Priority>, u64);

pub(super) struct State<K> {
    /// Every key that waits, whatever for.
    items: HashMap<K, Item>,
    ready: BTreeMap<Rank, K>,
    waiting: BTreeMap<(Instant, u64), K>,
    /// What workers have.
    running: HashMap<K, Running>,
    next: u64,
    metrics: QueueMetrics,
}

struct Item {
    priority: Priority,
    number: u64,
    due: Due,
}

struct Running {
    /// What it was taken with.
    priority: Priority,
    since: Instant,
    notice: Notice,
}

#[derive(Clone, Copy)]
enum Due {
    /// At that time.
    At(Instant),
    /// Since that time.
    Since(Instant),
}

impl<K: Clone + Eq + Hash> State<K> {
    pub(super) fn new(metrics: QueueMetrics) -> Self {
        Self {
            items: HashMap::new(),
            ready: BTreeMap::new(),
            waiting: BTreeMap::new(),
            running: HashMap::new(),
            next: 0,
            metrics,
        }
    }

    /// Makes the key due because something changed; whoever works on it hears of that.
    ///
    /// What is merely listed is no change.
    pub(super) fn request(&mut self, key: K, priority: Priority, trigger: Option<Trigger>, now: Instant) {
        if priority == Priority::High
            && let Some(running) = self.running.get(&key)
        {
            running.notice.give(trigger);
        }
        self.add(key, Some(priority), now);
    }

    /// Follows requests for a key that is being worked on.
    pub(super) fn follow(&self, key: &K) -> Superseded {
        // Of a key that nobody works on there is nothing to hear: the notice ends here.
        self.running.get(key).map_or_else(|| Notice::new().follow(), |running| running.notice.follow())
    }

    /// Makes the key due. Without a priority, it keeps the one it has, or was taken with, or gets a high one.
    pub(super) fn add(&mut self, key: K, priority: Option<Priority>, now: Instant) {
        let wanted = priority.unwrap_or_else(|| self.known_priority(&key));
        match self.items.get(&key).map(|item| (item.due, item.priority, item.number)) {
            Some((Due::Since(_), old, number)) => {
                if wanted > old {
                    self.raise(&key, old, wanted, number);
                }
            }
            // What it waited for is no reason to come first.
            Some((Due::At(at), _, number)) => {
                self.waiting.remove(&(at, number));
                self.make_ready(key, wanted, now);
            }
            None => self.make_ready(key, wanted, now),
        }
    }

    /// Makes the key due later, unless it is so sooner anyway.
    pub(super) fn add_after(&mut self, key: K, now: Instant, delay: Duration) {
        self.metrics.retried();
        // A delay beyond what the clock can tell never ends.
        let Some(at) = now.checked_add(delay) else { return };
        let priority = self.known_priority(&key);
        match self.items.get(&key).map(|item| (item.due, item.number)) {
            Some((Due::Since(_), _)) => return,
            Some((Due::At(old), _)) if old <= at => return,
            Some((Due::At(old), number)) => {
                self.waiting.remove(&(old, number));
            }
            None => {}
        }
        let number = self.number();
        self.waiting.insert((at, number), key.clone());
        self.items.insert(key, Item { priority, number, due: Due::At(at) });
    }

    /// Takes the first key that is due and not with another worker.
    pub(super) fn take(&mut self, now: Instant) -> Option<K> {
        self.promote(now);
        let (_, key) = self.ready.pop_first()?;
        let item = self.items.remove(&key)?;
        let since = match item.due {
            Due::Since(since) | Due::At(since) => since,
        };
        self.metrics.taken(item.priority.number(), now.saturating_duration_since(since));
        let running = Running { priority: item.priority, since: now, notice: Notice::new() };
        self.running.insert(key.clone(), running);
        Some(key)
    }

    pub(super) fn done(&mut self, key: &K, now: Instant) {
        let Some(Running { since, .. }) = self.running.remove(key) else { return };
        self.metrics.finished(now.saturating_duration_since(since));
        // It was added while it was being worked on, and held back until now.
        if let Some(Item { due: Due::Since(_), priority, number }) = self.items.get(key) {
            self.ready.insert((std::cmp::Reverse(*priority), *number), key.clone());
        }
    }

    /// When the next key becomes due, if none is.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.keys().next().map(|(at, _)| *at)
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn ages(&self, now: Instant) -> Vec<Duration> {
        self.running.values().map(|running| now.saturating_duration_since(running.since)).collect()
    }

    fn promote(&mut self, now: Instant) {
        while let Some(entry) = self.waiting.first_entry()
            && entry.key().0 <= now
        {
            let (at, _) = *entry.key();
            let key = entry.remove();
            let priority = self.known_priority(&key);
            self.make_ready(key, priority, at);
        }
    }

    fn make_ready(&mut self, key: K, priority: Priority, since: Instant) {
        let number = self.number();
        self.metrics.ready(priority.number());
        if !self.running.contains_key(&key) {
            self.ready.insert((std::cmp::Reverse(priority), number), key.clone());
        }
        self.items.insert(key, Item { priority, number, due: Due::Since(since) });
    }

    fn raise(&mut self, key: &K, from: Priority, to: Priority, number: u64) {
        if let Some(item) = self.items.get_mut(key) {
            item.priority = to;
        }
        if let Some(key) = self.ready.remove(&(std::cmp::Reverse(from), number)) {
            self.ready.insert((std::cmp::Reverse(to), number), key);
        }
        self.metrics.moved(from.number(), to.number());
    }

    fn known_priority(&self, key: &K) -> Priority {
        let waiting = self.items.get(key).map(|item| item.priority);
        waiting.or_else(|| self.running.get(key).map(|running| running.priority)).unwrap_or(Priority::High)
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::State;
    use crate::metrics::Metrics;
    use crate::queue::Priority::{High, Low};

    fn state() -> (State<&'static str>, Instant) {
        (State::new(Metrics::new().queue("test")), Instant::now())
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_key_waits_only_once() {
        let (mut state, now) = state();
        state.add("a", Some(High), now);
        state.add("a", Some(High), now);
        assert_eq!((state.take(now), state.take(now)), (Some("a"), None));
    }

    #[test]
    fn high_priority_comes_first_and_equals_in_order() {
        let (mut state, now) = state();
        for (key, priority) in [("low1", Low), ("low2", Low), ("high1", High), ("high2", High)] {
            state.add(key, Some(priority), now);
        }
        let order: Vec<_> = std::iter::from_fn(|| state.take(now)).collect();
        assert_eq!(order, ["high1", "high2", "low1", "low2"]);
    }

    #[test]
    fn a_change_lifts_a_listed_key() {
        let (mut state, now) = state();
        for (key, priority) in [("a", Low), ("b", Low), ("b", High), ("a", Low)] {
            state.add(key, Some(priority), now);
        }
        assert_eq!(state.take(now), Some("b"));
    }

    #[test]
    fn a_key_in_work_is_held_back_until_done() {
        let (mut state, now) = state();
        state.add("a", Some(High), now);
        state.take(now);
        state.add("a", Some(High), now);
        assert_eq!(state.take(now), None);
        state.done(&"a", now);
        assert_eq!(state.take(now), Some("a"));
        state.done(&"a", now);
        assert_eq!(state.take(now), None);
    }

    #[test]
    fn a_delayed_key_is_due_at_its_time_and_the_sooner_of_two_counts() {
        let (mut state, now) = state();
        state.add_after("a", now, 3 * SECOND);
        state.add_after("a", now, SECOND);
        state.add_after("a", now, 2 * SECOND);
        assert_eq!(state.next_due(), Some(now + SECOND));
        assert_eq!(state.take(now), None);
        assert_eq!(state.take(now + SECOND), Some("a"));
        state.done(&"a", now + SECOND);
        assert_eq!(state.take(now + 9 * SECOND), None);
    }

    #[test]
    fn an_add_makes_a_delayed_key_due_at_once() {
        let (mut state, now) = state();
        state.add_after("a", now, 3 * SECOND);
        state.add("a", Some(High), now);
        assert_eq!((state.take(now), state.next_due()), (Some("a"), None));
    }

    #[test]
    fn a_delay_for_a_key_that_is_due_changes_nothing() {
        let (mut state, now) = state();
        state.add("a", Some(High), now);
        state.add_after("a", now, SECOND);
        assert_eq!((state.take(now), state.len()), (Some("a"), 0));
    }

    #[test]
    fn a_requeued_key_keeps_the_priority_it_was_taken_with() {
        let (mut state, now) = state();
        state.add("listed", Some(Low), now);
        state.take(now);
        state.add_after("listed", now, SECOND);
        state.done(&"listed", now);
        state.add("changed", Some(High), now + 2 * SECOND);
        assert_eq!(state.take(now + 2 * SECOND), Some("changed"));
    }

    #[test]
    fn a_delayed_key_that_becomes_due_in_work_waits_for_done() {
        let (mut state, now) = state();
        state.add("a", Some(High), now);
        state.take(now);
        state.add_after("a", now, SECOND);
        assert_eq!(state.take(now + 2 * SECOND), None);
        state.done(&"a", now + 2 * SECOND);
        assert_eq!(state.take(now + 2 * SECOND), Some("a"));
    }
}
