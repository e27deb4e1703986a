//! What Helm logs beside its answer, in the form in which it does: `level=WARN msg="…"` on stderr.

use gotemplate::strconv;

use crate::output;

/// How much a line matters.
#[derive(Clone, Copy)]
pub(super) enum Level {
    /// Most of what Helm warns of goes through an older logger, whose lines all count as information.
    Info,
    Warn,
}

/// Logs a message.
pub(super) fn log(level: Level, message: &str) {
    let level = match level {
        Level::Info => "INFO",
        Level::Warn => "WARN",
    };
    output::note(&format!("level={level} msg={}", value(message)));
}

/// The value of a field: in quotes unless it is one plain word (Go's `log/slog`, `TextHandler`).
fn value(text: &str) -> String {
    let is_plain =
        |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '=') || !c.is_ascii() && c.is_alphanumeric();
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    strconv::quote(text.as_bytes())
}
