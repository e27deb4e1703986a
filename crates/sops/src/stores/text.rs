//! Secret text that grows, and values as text.

use crate::tree::{Text, Value};
use zeroize::Zeroizing;

/// Appends bytes; memory that becomes too small is wiped before it is given back.
pub(super) fn push(out: &mut Text, bytes: &[u8]) {
    let needed = out.len() + bytes.len();
    if needed > out.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(2 * out.capacity())));
        larger.extend_from_slice(out);
        *out = larger;
    }
    out.extend_from_slice(bytes);
}

/// A simple value as text, for formats that know no types; lists and maps are nothing.
///
/// Source: sops `stores.ValToString`.
pub(super) fn plain(value: &Value) -> Text {
    let text = match value {
        Value::Str(text) => return text.clone(),
        Value::Null => "<nil>".to_owned(),
        Value::Int(int) => int.to_string(),
        Value::Bool(bool) => bool.to_string(),
        Value::Float(float) => self::float(*float),
        Value::Time(time) => without_fraction(time),
        Value::Bytes(bytes) => {
            let numbers: Vec<String> = bytes.iter().map(ToString::to_string).collect();
            format!("[{}]", numbers.join(" "))
        }
        Value::List(_) | Value::Map(_) => String::new(),
    };
    Zeroizing::new(text.into_bytes())
}

fn float(float: f64) -> String {
    if float.is_nan() {
        return "NaN".to_owned();
    }
    if float.is_infinite() {
        return crate::tree::fixed_float(float);
    }
    let text = krm::general_float(float).replace('e', "E");
    if text.contains(['.', 'E']) { text } else { format!("{float:.1}") }
}

/// RFC 3339 in whole seconds.
fn without_fraction(time: &str) -> String {
    let Some((seconds, rest)) = time.split_once('.') else { return time.to_owned() };
    format!("{seconds}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
}
