//! Texts in other encodings: base64, base32, JSON.

mod base32;
mod base64;

use gotemplate::{CallError, Functions, Value};

use crate::arguments::{ANY, Answer, STRING, any, plain, text};
use crate::json::{self, Options};
use crate::limits;

pub(crate) use base64::{decode as decode_base64, encode as base64};

pub(crate) fn register(functions: &mut Functions) {
    plain(functions, "b64enc", [STRING], |arguments| encoded(arguments, base64::encode));
    plain(functions, "b64dec", [STRING], |arguments| decoded(arguments, base64::decode));
    plain(functions, "b32enc", [STRING], |arguments| encoded(arguments, base32::encode));
    plain(functions, "b32dec", [STRING], |arguments| decoded(arguments, base32::decode));

    plain(functions, "toJson", [ANY], |arguments| Ok(or_empty(written(arguments, COMPACT))));
    plain(functions, "toPrettyJson", [ANY], |arguments| Ok(or_empty(written(arguments, PRETTY))));
    plain(functions, "toRawJson", [ANY], |arguments| written(arguments, RAW));
    plain(functions, "mustToJson", [ANY], |arguments| written(arguments, COMPACT));
    plain(functions, "mustToPrettyJson", [ANY], |arguments| written(arguments, PRETTY));
    plain(functions, "mustToRawJson", [ANY], |arguments| written(arguments, RAW));
    plain(functions, "fromJson", [STRING], |arguments| Ok(json::decode_any(text(arguments, 0)?).value));
    plain(functions, "mustFromJson", [STRING], |arguments| {
        json::decode(text(arguments, 0)?).map_err(CallError::from)
    });
}

const COMPACT: Options = Options { escape_html: true, indent: 0 };
const PRETTY: Options = Options { escape_html: true, indent: 2 };
const RAW: Options = Options { escape_html: false, indent: 0 };

fn encoded(arguments: &[Value], encode: fn(&[u8]) -> Vec<u8>) -> Answer {
    let plain = text(arguments, 0)?;
    limits::check_bytes(plain.len().saturating_mul(8) / 5)?;
    Ok(Value::string(encode(plain)))
}

/// What can't be decoded gives the error's text, not an error.
fn decoded(arguments: &[Value], decode: fn(&[u8]) -> Result<Vec<u8>, String>) -> Answer {
    Ok(decode(text(arguments, 0)?).map_or_else(Value::from, Value::string))
}

fn written(arguments: &[Value], options: Options) -> Answer {
    Ok(Value::string(json::encode(any(arguments, 0)?, options)?))
}

fn or_empty(answer: Answer) -> Value {
    answer.unwrap_or_else(|_| Value::from(""))
}
