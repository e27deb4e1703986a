//! Mistakes in YAML, in the words of go-yaml v2.
//!
//! Users search for those words, and other programs look for them. Our parser finds the same mistakes but tells
//! of them differently, and go-yaml counts lines from zero for some kinds of mistakes and from one for others.

use crate::text::quote;
use gotemplate::strconv::{FloatForm, format_float};
use krm::{Node, ScalarValue};

/// What go-yaml says of a mistake that our parser found in a text; what has no counterpart keeps our words.
pub(crate) fn go_message(text: &str, error: &krm::Error) -> String {
    let message = error.message.as_str();
    if let Some(value) = message.strip_prefix("unsupported value: ") {
        return unsupported(value);
    }
    let line = error.line;
    let ends = text.matches('\n').count();
    match reason(message) {
        Reason::Scanner(reason) => at_line(if line == 1 { 0 } else { line }, reason),
        Reason::LineAfter(reason) => at_line(line + 1, reason),
        Reason::Parser(reason) => at_line(line.saturating_sub(1), reason),
        Reason::OpenBracket(close) => {
            let is_wanted = text.trim_end().ends_with(['[', '{', ',']);
            let reason = if is_wanted {
                "did not find expected node content".to_owned()
            } else {
                format!("did not find expected ',' or '{close}'")
            };
            // The end is behind the last line, even if nothing ends that.
            at_line(ends + usize::from(!text.ends_with('\n')), &reason)
        }
        Reason::OpenQuote => at_line(ends + 1, "found unexpected end of stream"),
        Reason::Bracket => {
            let is_value = before(text, error).trim_end().ends_with([':', '-', '[', '{', ',']);
            let wanted = if is_value { "node content" } else { "key" };
            at_line(line.saturating_sub(1), &format!("did not find expected {wanted}"))
        }
        Reason::Anchor(reason) => match name_at(text, error) {
            Some((_, Some(next))) if !is_after_name(next) => at_line(
                if line == 1 { 0 } else { line },
                "did not find expected alphabetic or numeric character",
            ),
            Some((name, _)) => format!("yaml: {}", reason.replace("{}", name)),
            None => error.to_string(),
        },
        Reason::NoLine(reason) => format!("yaml: {reason}"),
        Reason::MapAsKey => map_as_key(text, error).unwrap_or_else(|| error.to_string()),
        Reason::Ours => error.to_string(),
    }
}

enum Reason<'m> {
    /// Found while reading characters: lines count from one, the first isn't named.
    Scanner(&'m str),
    /// Found when the next line came.
    LineAfter(&'m str),
    /// Found while putting things together: lines count from zero.
    Parser(&'m str),
    /// Missing at the end of the text.
    OpenBracket(char),
    OpenQuote,
    /// A closing bracket too many.
    Bracket,
    /// With the name of the anchor in it.
    Anchor(&'static str),
    NoLine(&'m str),
    /// Mostly a template's braces without quotes around them.
    MapAsKey,
    Ours,
}

fn reason(message: &str) -> Reason<'_> {
    if let Some(character) = message.strip_prefix("unexpected character: `") {
        let is_control = character.starts_with("\\u{");
        return if is_control {
            Reason::NoLine("control characters are not allowed")
        } else {
            Reason::Scanner("found character that cannot start any token")
        };
    }
    // "while parsing a block mapping, did not find expected key"
    let plain = message.split_once(", ").filter(|(context, _)| context.starts_with("while "));
    match plain.map_or(message, |(_, plain)| plain) {
        "unclosed bracket '['" => Reason::OpenBracket(']'),
        "unclosed bracket '{'" => Reason::OpenBracket('}'),
        "unclosed quote" => Reason::OpenQuote,
        "misplaced bracket" => Reason::Bracket,
        "found unknown anchor" => Reason::Anchor("unknown anchor '{}' referenced"),
        "anchor value contains itself" => Reason::Anchor("anchor '{}' value contains itself"),
        "simple key expected ':'" => Reason::LineAfter("could not find expected ':'"),
        "found a tab" => Reason::LineAfter("found a tab character that violates indentation"),
        "illegal placement of ':' indicator" => Reason::Parser("did not find expected ',' or ']'"),
        "unexpected EOF while parsing a block mapping" => {
            Reason::Parser("did not find expected node content")
        }
        plain if plain.starts_with("invalid trailing content") => Reason::Parser("did not find expected key"),
        plain if plain.starts_with("tabs disallowed") => {
            Reason::Scanner("found character that cannot start any token")
        }
        plain if plain.starts_with("map merge requires") => Reason::NoLine(plain),
        plain if plain.starts_with("did not find expected comment") => Reason::Scanner(plain),
        plain if plain.starts_with("did not find the expected") => Reason::Scanner(plain),
        plain if plain.starts_with("did not find expected") => Reason::Parser(plain),
        plain if plain.ends_with("not allowed in this context") => Reason::Scanner(plain),
        "a map or a list can't be a key" => Reason::MapAsKey,
        plain @ "found unknown escape character" => Reason::Scanner(plain),
        _ => Reason::Ours,
    }
}

fn at_line(line: usize, reason: &str) -> String {
    if line == 0 { format!("yaml: {reason}") } else { format!("yaml: line {line}: {reason}") }
}

/// Go finds infinities only on the way to JSON.
fn unsupported(value: &str) -> String {
    let value = match value.as_bytes() {
        [b'-', ..] => "-Inf",
        [.., b'n' | b'N'] => "NaN",
        _ => "+Inf",
    };
    format!("json: unsupported value: {value}")
}

/// What is said of `{{ name }}`; with text behind it the line is broken before that matters.
fn map_as_key(text: &str, error: &krm::Error) -> Option<String> {
    let line = text.lines().nth(error.line.saturating_sub(1))?;
    let (name, rest) = line.get(before(text, error).len()..)?.strip_prefix('{')?.split_once("}}")?;
    let name = name.trim();
    if name.is_empty() || name.contains([':', ',', '"', '\'', '{', '[', '#', '&', '*']) {
        return None;
    }
    if !rest.trim_start().is_empty() && !rest.trim_start().starts_with([':', '#']) {
        return Some(at_line(error.line.saturating_sub(1), "did not find expected key"));
    }
    let name = quote(name);
    Some(format!("yaml: invalid map key: map[interface {{}}]interface {{}}{{{name}:interface {{}}(nil)}}"))
}

/// The line of the mistake up to it.
fn before<'t>(text: &'t str, error: &krm::Error) -> &'t str {
    let line = text.lines().nth(error.line.saturating_sub(1)).unwrap_or_default();
    let end = line.char_indices().nth(error.column.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
    &line[..end]
}

/// The anchor's name where a mistake is, and what comes after it in the line.
fn name_at<'t>(text: &'t str, error: &krm::Error) -> Option<(&'t str, Option<char>)> {
    let line = text.lines().nth(error.line.saturating_sub(1))?;
    let rest = line.get(before(text, error).len()..)?.strip_prefix('*')?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    Some((name, after.chars().next())).filter(|(name, _)| !name.is_empty())
}

/// What may stand behind the name of an anchor.
fn is_after_name(next: char) -> bool {
    matches!(next, ' ' | '\t' | '\r' | '?' | ':' | ',' | ']' | '}' | '%' | '@' | '`')
}

/// A null key, which JSON can't have.
pub(super) fn null_key(value: &Node) -> String {
    let value = if value.is_null() { "<nil>".to_owned() } else { go_syntax(value) };
    format!("unsupported map key of type: %!s(<nil>), key: <nil>, value: {value}")
}

/// A value as Go's `%#v` prints it.
fn go_syntax(node: &Node) -> String {
    match node {
        Node::Scalar(scalar) => match scalar.value() {
            ScalarValue::Null => "interface {}(nil)".to_owned(),
            ScalarValue::Bool(value) => value.to_string(),
            ScalarValue::Int(value) => value.to_string(),
            ScalarValue::Uint(value) => format!("{value:#x}"),
            ScalarValue::Float(value) => format_float(value, FloatForm::General, None, 64),
            ScalarValue::Str(text) => quote(&text),
        },
        Node::Sequence(items) => {
            format!("[]interface {{}}{{{}}}", items.iter().map(go_syntax).collect::<Vec<_>>().join(", "))
        }
        Node::Mapping(map) => {
            let entries = map.iter().map(|(key, value)| {
                format!("{}:{}", go_syntax(&Node::Scalar(key.clone())), go_syntax(value))
            });
            format!("map[interface {{}}]interface {{}}{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}
