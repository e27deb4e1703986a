//! How long a failing key waits.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// Doubles a key's delay with each failure (client-go's `ItemExponentialFailureRateLimiter`).
pub(super) struct Backoff<K> {
    min: Duration,
    max: Duration,
    failures: HashMap<K, u32>,
}

impl<K: Clone + Eq + Hash> Backoff<K> {
    pub(super) fn new(min: Duration, max: Duration) -> Self {
        Self { min, max, failures: HashMap::new() }
    }

    pub(super) fn next(&mut self, key: &K) -> Duration {
        let failures = self.failures.entry(key.clone()).or_insert(0);
        let factor = 1_u32.checked_shl(*failures).unwrap_or(u32::MAX);
        *failures = failures.saturating_add(1);
        self.min.saturating_mul(factor).min(self.max)
    }

    pub(super) fn forget(&mut self, key: &K) {
        self.failures.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Backoff;

    #[test]
    fn the_delay_doubles_up_to_the_maximum_and_starts_anew_after_forget() {
        let mut backoff = Backoff::new(Duration::from_millis(750), Duration::from_secs(900));
        let delays: Vec<u128> = (0..12).map(|_| backoff.next(&"a").as_millis()).collect();
        assert_eq!(
            delays,
            [750, 1500, 3000, 6000, 12_000, 24_000, 48_000, 96_000, 192_000, 384_000, 768_000, 900_000]
        );
        assert!((0..100).all(|_| backoff.next(&"a") == Duration::from_secs(900)));
        assert_eq!(backoff.next(&"b"), Duration::from_millis(750));
        backoff.forget(&"a");
        assert_eq!(backoff.next(&"a"), Duration::from_millis(750));
    }
}
