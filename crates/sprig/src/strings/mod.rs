//! Texts. They are bytes: what counts or cuts does so by bytes, even amid a character.

mod case;
mod words;
mod wrap;

use gotemplate::{CallError, Functions, Str, Value, utf8};

use crate::arguments::{ANY, Answer, INT, STRING, any, int, plain, printed, text, to_text, variadic};
use crate::limits;
use crate::string_lists::find;

pub(crate) fn register(functions: &mut Functions) {
    case::register(functions);
    words::register(functions);
    wrap::register(functions);
    register_trimming(functions);
    register_tests(functions);

    plain(functions, "trunc", [INT, STRING], truncate);
    plain(functions, "substr", [INT, INT, STRING], substring);
    plain(functions, "repeat", [INT, STRING], |arguments| repeat(text(arguments, 1)?, int(arguments, 0)?));
    plain(functions, "replace", [STRING, STRING, STRING], |arguments| {
        replace(text(arguments, 2)?, text(arguments, 0)?, text(arguments, 1)?)
    });
    plain(functions, "indent", [INT, STRING], |arguments| {
        indent("", int(arguments, 0)?, text(arguments, 1)?)
    });
    plain(functions, "nindent", [INT, STRING], |arguments| {
        indent("\n", int(arguments, 0)?, text(arguments, 1)?)
    });
    plain(functions, "plural", [STRING, STRING, INT], |arguments| {
        let form = usize::from(int(arguments, 2)? != 1);
        Ok(text(arguments, form)?.clone().into())
    });
    plain(functions, "toString", [ANY], |arguments| Ok(to_text(any(arguments, 0)?).into()));
    variadic(functions, "quote", [], ANY, |arguments| {
        joined(arguments, |value| gotemplate::strconv::quote(&to_text(value)).into())
    });
    variadic(functions, "squote", [], ANY, |arguments| {
        joined(arguments, |value| [b"'", printed(value).as_bytes(), b"'"].concat().into())
    });
    variadic(functions, "cat", [], ANY, |arguments| joined(arguments, printed));
}

fn register_trimming(functions: &mut Functions) {
    plain(functions, "trim", [STRING], |arguments| {
        Ok(Value::string(trim(text(arguments, 0)?, char::is_whitespace)))
    });
    for name in ["trimAll", "trimall"] {
        plain(functions, name, [STRING, STRING], |arguments| {
            let set: Vec<char> = utf8::runes(text(arguments, 0)?).map(|(_, rune)| rune.char).collect();
            Ok(Value::string(trim(text(arguments, 1)?, |char| set.contains(&char))))
        });
    }
    plain(functions, "trimPrefix", [STRING, STRING], |arguments| {
        let whole = text(arguments, 1)?;
        Ok(whole.strip_prefix(text(arguments, 0)?.as_bytes()).map_or(whole.clone(), Str::from).into())
    });
    plain(functions, "trimSuffix", [STRING, STRING], |arguments| {
        let whole = text(arguments, 1)?;
        Ok(whole.strip_suffix(text(arguments, 0)?.as_bytes()).map_or(whole.clone(), Str::from).into())
    });
}

fn register_tests(functions: &mut Functions) {
    plain(functions, "contains", [STRING, STRING], |arguments| {
        Ok(find(text(arguments, 1)?, text(arguments, 0)?).is_some().into())
    });
    plain(functions, "hasPrefix", [STRING, STRING], |arguments| {
        Ok(text(arguments, 1)?.starts_with(text(arguments, 0)?).into())
    });
    plain(functions, "hasSuffix", [STRING, STRING], |arguments| {
        Ok(text(arguments, 1)?.ends_with(text(arguments, 0)?).into())
    });
}

/// Trims the characters of a kind at both ends. Invalid bytes count as U+FFFD.
fn trim(text: &[u8], is_trimmed: impl Fn(char) -> bool) -> &[u8] {
    if let Ok(text) = std::str::from_utf8(text) {
        return text.trim_matches(is_trimmed).as_bytes();
    }
    let mut kept: Option<(usize, usize)> = None;
    for (start, rune) in utf8::runes(text).filter(|(_, rune)| !is_trimmed(rune.char)) {
        let first = kept.map_or(start, |(first, _)| first);
        kept = Some((first, start + rune.width));
    }
    kept.map_or(&[], |(start, end)| &text[start..end])
}

/// The first so many bytes, or the last when negative.
fn truncate(arguments: &[Value]) -> Answer {
    let (count, text) = (int(arguments, 0)?, text(arguments, 1)?);
    let width = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    Ok(match width < text.len() {
        true if count < 0 => Value::string(&text[text.len() - width..]),
        true => Value::string(&text[..width]),
        false => text.clone().into(),
    })
}

/// From one byte to another. A negative start is the beginning; a negative end, or one beyond the
/// text, is the text's end.
fn substring(arguments: &[Value]) -> Answer {
    let (start, end, text) = (int(arguments, 0)?, int(arguments, 1)?, text(arguments, 2)?);
    let length = text.len();
    let position = |index: i64| usize::try_from(index).ok().filter(|index| *index <= length);
    let part = if start < 0 {
        let end = position(end).ok_or_else(|| match end {
            ..0 => out_of_range(format_args!("[:{end}]")),
            _ => out_of_range(format_args!("[:{end}] with length {length}")),
        })?;
        &text[..end]
    } else {
        match (position(start), position(end)) {
            (Some(start), None) => &text[start..],
            (None, None) => return Err(out_of_range(format_args!("[{start}:{length}]"))),
            (Some(start), Some(end)) if start <= end => &text[start..end],
            (_, Some(end)) => return Err(out_of_range(format_args!("[{start}:{end}]"))),
        }
    };
    Ok(Value::string(part))
}

fn out_of_range(bounds: std::fmt::Arguments<'_>) -> CallError {
    format!("runtime error: slice bounds out of range {bounds}").into()
}

fn repeat(text: &[u8], count: i64) -> Answer {
    let count = usize::try_from(count).map_err(|_| "strings: negative Repeat count")?;
    let length = text.len().checked_mul(count).filter(|length| isize::try_from(*length).is_ok());
    limits::check_bytes(length.ok_or("strings: Repeat output length overflow")?)?;
    Ok(Value::string(text.repeat(count)))
}

/// Replaces all occurrences. An empty text occurs before every character and at the end.
fn replace(text: &[u8], old: &[u8], new: &[u8]) -> Answer {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    if old.is_empty() {
        for (start, rune) in utf8::runes(text) {
            out.extend_from_slice(new);
            out.extend_from_slice(&text[start..start + rune.width]);
            limits::check_bytes(out.len())?;
        }
        out.extend_from_slice(new);
        return Ok(Value::string(out));
    }
    while let Some(start) = find(rest, old) {
        out.extend_from_slice(&rest[..start]);
        out.extend_from_slice(new);
        rest = &rest[start + old.len()..];
        limits::check_bytes(out.len())?;
    }
    out.extend_from_slice(rest);
    Ok(Value::string(out))
}

/// Indents every line, empty ones too.
fn indent(before: &str, spaces: i64, text: &[u8]) -> Answer {
    let spaces = usize::try_from(spaces).map_err(|_| "strings: negative Repeat count")?;
    let lines = memchr::memchr_iter(b'\n', text).count() + 1;
    let length = spaces.checked_mul(lines).and_then(|length| length.checked_add(text.len() + before.len()));
    let length = length.unwrap_or(usize::MAX);
    limits::check_bytes(length)?;
    let mut out = Vec::with_capacity(length);
    out.extend_from_slice(before.as_bytes());
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        out.resize(out.len() + spaces, b' ');
        out.extend_from_slice(line);
    }
    if text.last().is_none_or(|byte| *byte == b'\n') {
        out.resize(out.len() + spaces, b' ');
    }
    Ok(Value::string(out))
}

/// The texts of all arguments but nil, one space between.
fn joined(arguments: &[Value], text: impl Fn(&Value) -> Str) -> Answer {
    let texts: Vec<Str> = arguments.iter().filter(|value| !value.is_nil()).map(text).collect();
    let texts: Vec<&[u8]> = texts.iter().map(Str::as_bytes).collect();
    Ok(Value::string(texts.join(&b' ')))
}
