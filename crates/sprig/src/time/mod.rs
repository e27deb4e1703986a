//! Go's `time`: instants with a zone, durations, layouts.
//!
//! Source: Go 1.26 `time`. A time here has no monotonic clock reading, so that one from the clock
//! prints without Go's `m=+0.01`.

mod civil;
mod duration;
mod format;
mod instant;
mod layout;
mod parse;
mod scan;
mod zone;

pub use duration::{Duration, DurationError};
pub use instant::Time;
pub(crate) use instant::{month_name, weekday_name};
pub use parse::TimeError;
pub use zone::{Zone, Zones};

/// Go's `quote` of this package: everything but printable ASCII as `\x…`.
fn quote(text: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for &byte in text {
        match byte {
            0..0x20 | 0x80.. => quoted.push_str(&format!("\\x{byte:02x}")),
            b'"' | b'\\' => quoted.extend(['\\', byte.into()]),
            _ => quoted.push(byte.into()),
        }
    }
    quoted.push('"');
    quoted
}
