//! The time of the last change, which the MAC is bound to.

use krm::{Rules, Scalar, ScalarKind, ScalarValue};

/// A time in RFC 3339 as Go prints it in whole seconds.
pub(super) fn normal(text: &str) -> Option<String> {
    let is_rfc3339 = text.as_bytes().get(10) == Some(&b'T');
    let scalar = Scalar::resolved(text, Rules::V3);
    match scalar.value() {
        ScalarValue::Str(time) if is_rfc3339 && scalar.kind == ScalarKind::Timestamp => Some(seconds(&time)),
        _ => None,
    }
}

fn seconds(time: &str) -> String {
    let Some((seconds, rest)) = time.split_once('.') else { return time.to_owned() };
    format!("{seconds}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
}
