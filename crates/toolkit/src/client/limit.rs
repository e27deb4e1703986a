//! The client's own rate limit, for API servers that have none.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::HeaderMap;
use parking_lot::Mutex;
use tokio::time::Instant;

/// The header by which an API server shows that it has priority and fairness.
const PRIORITY_AND_FAIRNESS: &str = "x-kubernetes-pf-prioritylevel-uid";

/// A token bucket, first come first served. Clones share it.
#[derive(Clone)]
pub(crate) struct Limiter(Arc<Inner>);

struct Inner {
    qps: f64,
    burst: f64,
    bucket: Mutex<(f64, Instant)>,
    off: AtomicBool,
}

impl Limiter {
    pub(crate) fn new(qps: f32, burst: u32) -> Self {
        let burst = f64::from(burst.max(1));
        // Zero or less is no limit, as in client-go.
        let off = AtomicBool::new(qps <= 0.0);
        Self(Arc::new(Inner { qps: f64::from(qps), burst, bucket: Mutex::new((burst, Instant::now())), off }))
    }

    /// Waits for its turn.
    pub(crate) async fn acquire(&self) {
        let wait = self.reserve(Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// Turns itself off when the answer shows that the server limits by itself.
    ///
    /// Flux asks once at start (`HEAD /livez/ping`); every answer has the header, so that request can be saved.
    pub(crate) fn learn(&self, answer: &HeaderMap) {
        if answer.contains_key(PRIORITY_AND_FAIRNESS) {
            self.0.off.store(true, Ordering::Relaxed);
        }
    }

    /// Takes a token and says how long to wait until it is there.
    fn reserve(&self, now: Instant) -> Duration {
        if self.0.off.load(Ordering::Relaxed) {
            return Duration::ZERO;
        }
        let mut bucket = self.0.bucket.lock();
        let (tokens, since) = &mut *bucket;
        *tokens =
            (*tokens + now.saturating_duration_since(*since).as_secs_f64() * self.0.qps).min(self.0.burst);
        *since = now;
        *tokens -= 1.0;
        Duration::try_from_secs_f64(-*tokens / self.0.qps).unwrap_or(Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderMap;
    use tokio::time::Instant;

    use super::Limiter;

    #[test]
    fn after_the_burst_requests_are_spaced() {
        let (limiter, now) = (Limiter::new(50.0, 3), Instant::now());
        let waits: Vec<u128> = (0..5).map(|_| limiter.reserve(now).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 20, 40]);
        assert_eq!(limiter.reserve(now + Duration::from_secs(60)), Duration::ZERO);
    }

    #[test]
    fn a_server_with_priority_and_fairness_is_not_limited() {
        let (limiter, now) = (Limiter::new(1.0, 1), Instant::now());
        limiter.learn(&HeaderMap::new());
        assert_eq!((limiter.reserve(now), limiter.reserve(now)), (Duration::ZERO, Duration::from_secs(1)));
        limiter.learn(&HeaderMap::from_iter([(
            http::HeaderName::from_static("x-kubernetes-pf-prioritylevel-uid"),
            http::HeaderValue::from_static("u"),
        )]));
        assert_eq!(limiter.reserve(now), Duration::ZERO);
    }
}
