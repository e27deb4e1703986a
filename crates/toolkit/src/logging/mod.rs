//! Log lines as Flux's controllers write them: zap's JSON, or columns for people.
//!
//! ```text
//! {"level":"info","ts":"2026-01-02T15:04:05.000Z","msg":"stored artifact","controller":"gitrepository",…}
//! ```

mod fields;
mod layer;
mod value;

use std::error::Error;
use std::io::Write;
use std::sync::Arc;

use tracing::level_filters::LevelFilter;
use tracing::{Span, error_span};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

use crate::args::{LogEncoding, LogLevel};
pub use value::{Json, json};

/// Libraries whose debug output is never shown: it may hold headers and bodies, and with them secrets.
pub(crate) const LIBRARIES: [&str; 16] = [
    "axum",
    "gix",
    "h2",
    "hyper",
    "hyper_util",
    "kube_runtime",
    "opentelemetry",
    "opentelemetry_otlp",
    "opentelemetry_sdk",
    "reqwest",
    "rustls",
    "tokio",
    "tokio_util",
    "tonic",
    "tower",
    "tower_http",
];

/// Opens the span of one reconcile, whose fields every line within it has.
///
/// It is of level error so that it is there for errors, too, whatever the log level.
#[must_use]
pub fn reconcile_span(
    controller: &str,
    group: &str,
    kind: &str,
    namespace: &str,
    name: &str,
    reconcile_id: &str,
) -> Span {
    error_span!(
        parent: None,
        "reconcile",
        controller,
        controllerGroup = group,
        controllerKind = kind,
        namespace,
        name,
        reconcileID = reconcile_id
    )
}

/// Joins an error and its causes with `: `.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&e| e.source());
    let mut text = String::new();
    for cause in causes.map(ToString::to_string) {
        // Some libraries repeat their cause in their own text.
        if text.ends_with(&cause) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause);
    }
    text
}

/// Where lines go.
type Sink = Arc<dyn Fn(&str) + Send + Sync>;

/// The layer that writes to standard error.
pub(crate) fn layer<S>(level: LogLevel, encoding: LogEncoding) -> impl Layer<S>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
{
    let sink: Sink = Arc::new(|line| {
        // With standard error gone there is nowhere left to say so.
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    });
    layer::Lines::new(encoding, sink).with_filter(filter(level))
}

fn filter(level: LogLevel) -> Targets {
    let (own, libraries) = match level {
        LogLevel::Trace => (LevelFilter::TRACE, LevelFilter::INFO),
        LogLevel::Debug => (LevelFilter::DEBUG, LevelFilter::INFO),
        LogLevel::Info => (LevelFilter::INFO, LevelFilter::WARN),
        LogLevel::Error => (LevelFilter::ERROR, LevelFilter::ERROR),
    };
    Targets::new()
        .with_default(own)
        .with_targets(LIBRARIES.map(|library| (library, libraries)))
        // It logs whole answers that it can't decode, Secrets among them, and each failed request once more.
        .with_target("kube_client", LevelFilter::OFF)
}

/// Logs panics by their place only: their text may hold what was being worked on.
pub(crate) fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "Observed a panic");
    }));
}

#[cfg(test)]
mod tests;
