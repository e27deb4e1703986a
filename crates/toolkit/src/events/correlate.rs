//! Which events are written, repeated or held back: client-go's `EventCorrelator`, with its numbers.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::time::Duration;

use super::Prepared;

/// How many keys each memory holds; the oldest is forgotten first.
const MEMORY: usize = 4096;
/// Events per object that may come at once, and after how long another one may.
const BURST: f64 = 25.0;
const REFILL: Duration = Duration::from_secs(300);
/// From how many different messages of one reason within the interval on they are combined.
const DISTINCT: usize = 10;
const INTERVAL: Duration = Duration::from_secs(600);

/// Who and what, without the message.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Group {
    object: ObjectKey,
    warning: bool,
    reason: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct ObjectKey([String; 5]);

/// Equal keys are one Event with a count. The message is left out when messages are combined.
pub(super) type Key = (Group, Option<String>);

/// An Event that exists in the cluster.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Written {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) count: i32,
    pub(super) first: jiff::Timestamp,
}

/// What to do with an event.
#[derive(Debug, PartialEq)]
pub(super) enum Decision {
    /// Nothing: the object had too many.
    Skip,
    /// Write a new Event.
    Create { key: Key, message: String },
    /// Count up the one that is there.
    Repeat { key: Key, message: String, written: Written },
}

pub(super) struct Correlator {
    tokens: Memory<ObjectKey, (f64, Duration)>,
    messages: Memory<Group, (HashSet<String>, Duration)>,
    written: Memory<Key, Written>,
}

impl Correlator {
    pub(super) fn new() -> Self {
        Self { tokens: Memory::new(), messages: Memory::new(), written: Memory::new() }
    }

    /// Decides at the time `now`, which counts from any fixed point.
    pub(super) fn decide(&mut self, event: &Prepared, now: Duration) -> Decision {
        let group = group(event);
        let combined = self.is_combined(&group, &event.message, now);
        if !self.take_token(&group.object, now) {
            return Decision::Skip;
        }
        let (key, message) = if combined {
            ((group, None), format!("(combined from similar events): {}", event.message))
        } else {
            ((group, Some(event.message.clone())), event.message.clone())
        };
        match self.written.get(&key).cloned() {
            Some(written) => Decision::Repeat { key, message, written },
            None => Decision::Create { key, message },
        }
    }

    /// Remembers what was written for the key.
    pub(super) fn remember(&mut self, key: Key, written: Written) {
        self.written.insert(key, written);
    }

    fn is_combined(&mut self, group: &Group, message: &str, now: Duration) -> bool {
        let fresh = || (HashSet::new(), now);
        let (messages, last) = self.messages.entry(group.clone(), fresh);
        if now.saturating_sub(*last) > INTERVAL {
            messages.clear();
        }
        *last = now;
        messages.insert(message.to_owned());
        if messages.len() < DISTINCT {
            return false;
        }
        // Keeps the set at its size; which one goes doesn't matter (client-go pops any).
        messages.remove(message);
        true
    }

    fn take_token(&mut self, object: &ObjectKey, now: Duration) -> bool {
        let (tokens, since) = self.tokens.entry(object.clone(), || (BURST, now));
        let refill = now.saturating_sub(*since).as_secs_f64() / REFILL.as_secs_f64();
        *tokens = (*tokens + refill).min(BURST);
        *since = now;
        if *tokens < 1.0 {
            return false;
        }
        *tokens -= 1.0;
        true
    }
}

fn group(event: &Prepared) -> Group {
    let o = &event.object;
    let object =
        [&o.kind, &o.namespace, &o.name, &o.uid, &o.api_version].map(|f| f.clone().unwrap_or_default());
    let warning = event.severity == super::Severity::Error;
    Group { object: ObjectKey(object), warning, reason: event.reason.clone() }
}

/// A map that forgets its oldest entry beyond [`MEMORY`].
struct Memory<K, V> {
    entries: HashMap<K, V>,
    order: VecDeque<K>,
}

impl<K: Clone + Eq + Hash, V> Memory<K, V> {
    fn new() -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new() }
    }

    fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    fn insert(&mut self, key: K, value: V) {
        if self.entries.insert(key.clone(), value).is_none() {
            self.remember_order(key);
        }
    }

    fn entry(&mut self, key: K, default: impl FnOnce() -> V) -> &mut V {
        if !self.entries.contains_key(&key) {
            self.remember_order(key.clone());
        }
        self.entries.entry(key).or_insert_with(default)
    }

    fn remember_order(&mut self, key: K) {
        self.order.push_back(key);
        if self.order.len() > MEMORY
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::{Correlator, Decision, MEMORY, Prepared, Written};
    use crate::events::Severity;

    fn event(name: &str, message: &str) -> Prepared {
        let object =
            k8s_openapi::api::core::v1::ObjectReference { name: Some(name.to_owned()), ..Default::default() };
        Prepared {
            object,
            severity: Severity::Info,
            reason: "R".to_owned(),
            message: message.to_owned(),
            annotations: BTreeMap::new(),
            time: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn the_same_event_is_counted_up_and_another_message_is_a_new_one() {
        let mut correlator = Correlator::new();
        let Decision::Create { key, .. } = correlator.decide(&event("a", "m"), seconds(0)) else { panic!() };
        let written = Written {
            namespace: "ns".into(),
            name: "a.1".into(),
            count: 1,
            first: jiff::Timestamp::UNIX_EPOCH,
        };
        correlator.remember(key, written.clone());
        assert!(
            matches!(correlator.decide(&event("a", "m"), seconds(1)), Decision::Repeat { written: w, .. } if w == written)
        );
        assert!(matches!(correlator.decide(&event("a", "n"), seconds(1)), Decision::Create { .. }));
        assert!(matches!(correlator.decide(&event("b", "m"), seconds(1)), Decision::Create { .. }));
    }

    #[test]
    fn an_object_may_have_25_at_once_and_one_more_every_five_minutes() {
        let mut correlator = Correlator::new();
        let mut count = |now, tries: usize| {
            (0..tries).filter(|_| correlator.decide(&event("a", "m"), now) != Decision::Skip).count()
        };
        assert_eq!(count(seconds(0), 40), 25);
        assert_eq!(count(seconds(299), 40), 0);
        assert_eq!(count(seconds(300), 40), 1);
        assert_eq!(count(seconds(300_000), 40), 25);
    }

    #[test]
    fn many_messages_of_one_reason_are_combined_from_the_tenth_on() {
        let mut correlator = Correlator::new();
        let decisions: Vec<_> =
            (0..12).map(|n| correlator.decide(&event("a", &n.to_string()), seconds(n))).collect();
        let messages: Vec<&str> = decisions
            .iter()
            .map(|d| match d {
                Decision::Create { message, .. } => message.as_str(),
                _ => "",
            })
            .collect();
        assert_eq!(messages[8..10], ["8", "(combined from similar events): 9"]);
        assert!(messages[11].starts_with("(combined"));
        // After ten quiet minutes it starts anew.
        let later = correlator.decide(&event("a", "later"), seconds(1000));
        assert!(matches!(later, Decision::Create { message, .. } if message == "later"));
    }

    #[test]
    fn memory_is_bounded() {
        let mut correlator = Correlator::new();
        for n in 0..2 * MEMORY {
            correlator.decide(&event(&n.to_string(), "m"), seconds(0));
        }
        assert_eq!((correlator.tokens.entries.len(), correlator.messages.entries.len()), (MEMORY, MEMORY));
    }
}
