//! Changes of applied objects by others: whom they wake, and how soon.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;
use toolkit::reconcile::Key;

/// The first correction comes at once, the next ones at growing distances.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Longest distance between corrections: Flux's usual interval.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// Longest distance while there is nothing to correct.
const HARMLESS_PAUSE: Duration = Duration::from_secs(10);

/// Without a change for this long, the next one is corrected at once again.
const CALM: Duration = Duration::from_secs(300);

/// Keeps two controllers that undo each other's work from doing it as fast as they can.
#[derive(Default)]
pub(crate) struct Pace(Mutex<HashMap<Key, Turn>>);

struct Turn {
    /// When the last correction was to come.
    at: Instant,
    /// The distance to the next one.
    pause: Duration,
}

impl Pace {
    /// How long a correction that is due now has to wait.
    pub(crate) fn delay(&self, key: &Key, now: Instant) -> Duration {
        let mut turns = self.0.lock();
        let Some(turn) =
            turns.get_mut(key).filter(|turn| now.saturating_duration_since(turn.at) < CALM + turn.pause)
        else {
            turns.insert(key.clone(), Turn { at: now, pause: FIRST_PAUSE });
            return Duration::ZERO;
        };
        if turn.at > now {
            // One is on its way and sees this change, too.
            return turn.at - now;
        }
        let next = turn.at + turn.pause;
        turn.at = next.max(now);
        turn.pause = (turn.pause * 2).min(LONGEST_PAUSE);
        turn.at - now
    }

    /// The run for the last change had nothing to correct, such as a replica count that is left to others.
    pub(crate) fn harmless(&self, key: &Key) {
        if let Some(turn) = self.0.lock().get_mut(key) {
            turn.pause = turn.pause.min(HARMLESS_PAUSE);
        }
    }

    pub(crate) fn forget(&self, key: &Key) {
        self.0.lock().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key { namespace: "apps".to_owned(), name: "app".to_owned() }
    }

    #[test]
    fn the_first_change_is_corrected_at_once_and_a_fight_slows_down() {
        let (pace, start) = (Pace::default(), Instant::now());
        let mut now = start;
        let mut waits = Vec::new();
        for _ in 0..14 {
            let wait = pace.delay(&key(), now);
            waits.push(wait.as_secs());
            now += wait;
        }
        assert_eq!(waits, [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600]);
    }

    #[test]
    fn changes_that_need_no_correction_slow_down_less() {
        let (pace, mut now) = (Pace::default(), Instant::now());
        let mut longest = Duration::ZERO;
        for _ in 0..14 {
            let wait = pace.delay(&key(), now);
            longest = longest.max(wait);
            now += wait;
            pace.harmless(&key());
        }
        assert_eq!(longest, HARMLESS_PAUSE);
    }

    #[test]
    fn a_change_while_one_is_on_its_way_waits_for_the_same() {
        let (pace, now) = (Pace::default(), Instant::now());
        assert_eq!(pace.delay(&key(), now), Duration::ZERO);
        assert_eq!(pace.delay(&key(), now), Duration::from_secs(1));
        let later = now + Duration::from_millis(400);
        assert_eq!(pace.delay(&key(), later), Duration::from_millis(600));
    }

    #[test]
    fn after_a_calm_time_it_is_at_once_again() {
        let (pace, now) = (Pace::default(), Instant::now());
        for _ in 0..3 {
            pace.delay(&key(), now);
        }
        assert_eq!(pace.delay(&key(), now + CALM + Duration::from_secs(60)), Duration::ZERO);
        assert!(!pace.delay(&key(), now + CALM + Duration::from_secs(60)).is_zero(), "a fight is a fight");
        pace.forget(&key());
        assert_eq!(pace.delay(&key(), now), Duration::ZERO);
    }
}
