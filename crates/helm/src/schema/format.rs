//! `format`, which drafts before 2019-09 hold values to.

use super::compile::compile_regex;
use gotemplate::strconv::{atoi, quote_rune};

/// What is wrong with a text of that format; nothing, too, where the format isn't known.
///
/// Not checked: `duration`, `period`, `iri`, `uri-template`, `semver`, `time`, `relative-json-pointer`.
pub(super) fn check(format: &str, text: &str) -> Option<String> {
    match format {
        "ipv4" => ipv4(text),
        "ipv6" => ipv6(text),
        "hostname" => hostname(text),
        "email" => email(text),
        "uuid" => uuid(text),
        "json-pointer" => json_pointer(text),
        "regex" => compile_regex(text).err(),
        "date" => date(text),
        "uri" => uri(text),
        _ => None,
    }
}

fn ipv4(text: &str) -> Option<String> {
    let groups: Vec<&str> = text.split('.').collect();
    if groups.len() != 4 {
        return problem("expected four decimals");
    }
    groups.into_iter().find_map(|group| {
        if group.len() > 1 && group.starts_with('0') {
            return problem("leading zeros");
        }
        match atoi(group.as_bytes()) {
            Err(error) => Some(error.text("Atoi", group.as_bytes())),
            Ok(0..=255) => None,
            Ok(_) => problem("decimal must be between 0 and 255"),
        }
    })
}

fn ipv6(text: &str) -> Option<String> {
    if !text.contains(':') {
        return problem("missing colon");
    }
    if text.contains('%') {
        return problem("zone id is not a part of ipv6 address");
    }
    let error = text.parse::<std::net::Ipv6Addr>().err()?;
    Some(format!("ParseAddr({}): {error}", crate::text::quote(text)))
}

fn hostname(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.len() > 253 {
        return problem("more than 253 characters long");
    }
    text.split('.').find_map(|label| {
        if label.is_empty() || label.len() > 63 {
            return problem("label must be 1 to 63 characters long");
        }
        if label.starts_with('-') {
            return problem("label starts with hyphen");
        }
        if label.ends_with('-') {
            return problem("label ends with hyphen");
        }
        invalid_character(label, |c| c.is_ascii_alphanumeric() || c == '-')
    })
}

fn email(text: &str) -> Option<String> {
    if text.len() > 254 {
        return problem("more than 255 characters long");
    }
    let Some((local, domain)) = text.rsplit_once('@') else { return problem("missing @") };
    local_part(local).or_else(|| match domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => match address.strip_prefix("IPv6:") {
            Some(address) => ipv6(address).map(|error| format!("invalid ipv6 address: {error}")),
            None => ipv4(address).map(|error| format!("invalid ipv4 address: {error}")),
        },
        None => hostname(domain).map(|error| format!("invalid domain: {error}")),
    })
}

fn local_part(local: &str) -> Option<String> {
    if local.len() > 64 {
        return problem("local part more than 64 characters long");
    }
    let quoted = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    if let Some(quoted) = quoted {
        let is_bad = quoted.contains(['\\', '"']);
        return is_bad.then(|| "backslash and quote are not allowed within quoted local part".to_owned());
    }
    if local.starts_with('.') {
        return problem("starts with dot");
    }
    if local.ends_with('.') {
        return problem("ends with dot");
    }
    if local.contains("..") {
        return problem("consecutive dots");
    }
    invalid_character(local, |c| c.is_ascii_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(c))
}

fn uuid(text: &str) -> Option<String> {
    let lengths = [8, 4, 4, 4, 12];
    let groups: Vec<&str> = text.split('-').collect();
    if groups.len() != lengths.len() {
        return problem("must have 5 elements");
    }
    groups.into_iter().zip(lengths).enumerate().find_map(|(index, (group, length))| {
        if group.len() != length {
            return Some(format!("element {} must be {length} characters long", index + 1));
        }
        let wrong = group.chars().find(|c| !c.is_ascii_hexdigit())?;
        Some(format!("non-hex character {}", quote_rune(wrong)))
    })
}

fn json_pointer(text: &str) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    if !text.starts_with('/') {
        return problem("not starting with /");
    }
    let is_bad = text.split('~').skip(1).any(|rest| !rest.starts_with(['0', '1']));
    is_bad.then(|| "~ must be followed by 0 or 1".to_owned())
}

fn date(text: &str) -> Option<String> {
    let is_shaped = text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
    if is_shaped && text.parse::<jiff::civil::Date>().is_ok() {
        return None;
    }
    let quoted = crate::text::quote(text);
    Some(format!("parsing time {quoted} as \"2006-01-02\": cannot parse {quoted} as \"2006\""))
}

fn uri(text: &str) -> Option<String> {
    match url::Url::parse(text) {
        Ok(_) => None,
        Err(url::ParseError::RelativeUrlWithoutBase) => problem("relative url"),
        Err(error) => Some(format!("parse {}: {error}", crate::text::quote(text))),
    }
}

fn invalid_character(text: &str, is_allowed: impl Fn(char) -> bool) -> Option<String> {
    let wrong = text.chars().find(|c| !is_allowed(*c))?;
    Some(format!("invalid character {}", quote_rune(wrong)))
}

fn problem(text: &str) -> Option<String> {
    Some(text.to_owned())
}
