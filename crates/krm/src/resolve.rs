//! What plain scalars mean.

use crate::node::ScalarKind;
use crate::{number, time};

/// Which go-yaml's rules hold for plain scalars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rules {
    /// go-yaml v3, as kustomize reads resources: only `true` and `false` are booleans, dates are times.
    #[default]
    V3,
    /// go-yaml v2 through `sigs.k8s.io/yaml`, as typed files are read: `yes`, `no`, `on`, `off`, `y`, `n`
    /// are booleans too, dates stay text.
    V2,
}

/// Tells what a plain scalar means.
pub(crate) fn resolve(text: &str, rules: Rules) -> ScalarKind {
    let Some(first) = text.bytes().next() else { return ScalarKind::Null };
    match first {
        b'0'..=b'9' | b'+' | b'-' => digits(text, rules),
        b'.' => match number::parse(text) {
            Some(_) => ScalarKind::Float,
            None => ScalarKind::Str,
        },
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => word(text, rules),
        _ => ScalarKind::Str,
    }
}

fn digits(text: &str, rules: Rules) -> ScalarKind {
    if time::is_timestamp(text) {
        return if rules == Rules::V3 { ScalarKind::Timestamp } else { ScalarKind::Str };
    }
    match number::parse(text) {
        Some(number::Number::Float(_)) => ScalarKind::Float,
        Some(_) => ScalarKind::Int,
        None => ScalarKind::Str,
    }
}

fn word(text: &str, rules: Rules) -> ScalarKind {
    match text {
        "~" | "null" | "Null" | "NULL" => ScalarKind::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => ScalarKind::Bool,
        _ if rules == Rules::V2 && boolean(text).is_some() => ScalarKind::Bool,
        _ => ScalarKind::Str,
    }
}

/// The value of a boolean word of YAML 1.1.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" | "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "false" | "False" | "FALSE" | "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// Tells whether a text must be quoted lest the v2 reader takes it for something else.
#[must_use]
pub fn needs_quotes(text: &str) -> bool {
    let Some(first) = text.bytes().next() else { return true };
    match first {
        b'0'..=b'9' | b'+' | b'-' => digits(text, Rules::V3) != ScalarKind::Str || is_base_60(text),
        b'.' => number::parse(text).is_some(),
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => {
            word(text, Rules::V2) != ScalarKind::Str
        }
        _ => false,
    }
}

/// `^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$`
fn is_base_60(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':');
    let Some(head) = parts.next() else { return false };
    let digits_and_lines = |s: &str| s.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let minutes = |s: &str| match s.as_bytes() {
        [a] => a.is_ascii_digit(),
        [a, b] => (b'0'..=b'5').contains(a) && b.is_ascii_digit(),
        _ => false,
    };
    whole.contains(':')
        && head.starts_with(|c: char| c.is_ascii_digit())
        && digits_and_lines(head)
        && digits_and_lines(fraction)
        && parts.all(minutes)
}
