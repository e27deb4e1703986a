//! The series of caches of tokens.

use prometheus::core::Collector;

use super::Metrics;

/// The object for which a token was looked up.
#[derive(Clone, Copy, Debug)]
pub struct TokenUse<'a> {
    /// Its kind.
    pub kind: &'a str,
    /// `metadata.name`.
    pub name: &'a str,
    /// `metadata.namespace`.
    pub namespace: &'a str,
    /// What for, as in `fetch_kubeconfig`.
    pub operation: &'a str,
}

impl Metrics {
    /// Counts a look-up in the cache (`gotk_token_cache_events_total`).
    pub fn token_cache_event(&self, hit: bool, by: TokenUse<'_>) {
        let event = if hit { "cache_hit" } else { "cache_miss" };
        let labels = [event, by.kind, by.name, by.namespace, by.operation];
        self.0.series.token_events.with_label_values(&labels).inc();
    }

    /// Counts that a token was asked for (`gotk_token_cache_requests_total`).
    pub fn token_cache_request(&self, success: bool) {
        let status = if success { "success" } else { "failure" };
        self.0.series.token_requests.with_label_values(&[status]).inc();
    }

    /// Sets how many tokens are kept (`gotk_token_cached_items`).
    pub fn token_cache_items(&self, count: usize) {
        self.0.series.token_items.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Counts a token that was given up for another (`gotk_token_cache_evictions_total`).
    pub fn token_cache_evicted(&self) {
        self.0.series.token_evictions.inc();
    }

    /// Removes the series of an object that is gone, whatever its tokens were for.
    pub(super) fn forget_tokens(&self, kind: &str, name: &str, namespace: &str) {
        let events = &self.0.series.token_events;
        for metric in events.collect().iter().flat_map(|family| family.get_metric()) {
            let value = |label: &str| {
                let found = metric.get_label().iter().find(|pair| pair.name() == label);
                found.map(|pair| pair.value()).unwrap_or_default()
            };
            if (value("kind"), value("name"), value("namespace")) == (kind, name, namespace) {
                let labels = [value("event_type"), kind, name, namespace, value("operation")];
                // Fails only when it went in between, which is fine.
                let _ = events.remove_label_values(&labels);
            }
        }
    }
}
