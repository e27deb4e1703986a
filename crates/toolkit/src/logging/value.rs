use std::fmt;

use serde::Serialize;
use tracing::field::{DisplayValue, display};

/// Fills the place between a field and its alignment where the log layer asks for JSON; no one else uses it.
pub(super) const ASKS_FOR_JSON: char = '\u{1}';

/// Stands before the text when the log layer asked, so that it knows JSON from text that looks like it.
pub(super) const IS_JSON: char = '\u{1}';

/// A value that is logged as JSON, not as text.
///
/// Elsewhere, for instance as attribute of a trace, it is its JSON text.
pub struct Json(String);

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.fill() == ASKS_FOR_JSON {
            fmt::Write::write_char(f, IS_JSON)?;
        }
        f.write_str(&self.0)
    }
}

/// Logs a map or a list as such: `info!(output = json(&changes), "server-side apply completed")`.
pub fn json(value: &(impl Serialize + ?Sized)) -> DisplayValue<Json> {
    display(Json(serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())))
}
