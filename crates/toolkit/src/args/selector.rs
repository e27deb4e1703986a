//! Checks label selectors before the API server has to.

/// The text is no label selector.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unable to parse requirement {requirement:?}: {reason}")]
pub struct SelectorError {
    requirement: String,
    reason: &'static str,
}

/// Checks that the text is a label selector as `kubectl get -l` takes it. Empty selects everything.
///
/// # Errors
/// When a requirement has no known form, or a key or value breaks the rules for labels.
pub fn check_selector(text: &str) -> Result<(), SelectorError> {
    if text.trim().is_empty() {
        return Ok(());
    }
    requirements(text).into_iter().try_for_each(|r| {
        check_requirement(r.trim())
            .map_err(|reason| SelectorError { requirement: r.trim().to_owned(), reason })
    })
}

/// Splits at the commas that aren't within parentheses.
fn requirements(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0_u32, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn check_requirement(text: &str) -> Result<(), &'static str> {
    if let Some(key) = text.strip_prefix('!') {
        return check_key(key.trim());
    }
    if let Some((key, set)) = split_set(text) {
        let values =
            set.trim().strip_prefix('(').and_then(|s| s.strip_suffix(')')).ok_or("expected '(…)'")?;
        check_key(key)?;
        return values.split(',').try_for_each(|v| check_value(v.trim()));
    }
    for operator in ["!=", "==", "="] {
        if let Some((key, value)) = text.split_once(operator) {
            check_key(key.trim())?;
            return check_value(value.trim());
        }
    }
    if let Some((key, number)) = text.split_once(['<', '>']) {
        check_key(key.trim())?;
        return number.trim().parse::<i64>().map(|_| ()).map_err(|_| "expected a number");
    }
    check_key(text)
}

/// `key in (…)` and `key notin (…)`, without what lies between.
fn split_set(text: &str) -> Option<(&str, &str)> {
    let (key, rest) = text.split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    let set = rest.strip_prefix("notin").or_else(|| rest.strip_prefix("in"))?;
    set.trim_start().starts_with('(').then_some((key, set))
}

fn check_key(key: &str) -> Result<(), &'static str> {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(p, n)| (Some(p), n));
    if let Some(prefix) = prefix
        && (prefix.len() > 253 || !prefix.split('.').all(is_dns_label))
    {
        return Err("the key's prefix is not a DNS subdomain");
    }
    if name.is_empty() {
        return Err("the key is empty");
    }
    if is_qualified(name) { Ok(()) } else { Err("the key is not a valid label name") }
}

fn check_value(value: &str) -> Result<(), &'static str> {
    if value.is_empty() || is_qualified(value) { Ok(()) } else { Err("the value is not a valid label value") }
}

fn is_qualified(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.len() <= 63 && edge(text.chars().next()) && edge(text.chars().next_back()) && text.chars().all(inner)
}

fn is_dns_label(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.len() <= 63 && edge(text.chars().next()) && edge(text.chars().next_back()) && text.chars().all(inner)
}

#[cfg(test)]
mod tests {
    use super::check_selector;

    #[test]
    fn what_kubectl_takes_is_accepted() {
        let accepted = [
            "",
            "a",
            "!sharding.fluxcd.io/key",
            "sharding.fluxcd.io/key in (shard1, shard2)",
            "tier notin (frontend),env!=prod",
            "reconcile.fluxcd.io/watch=Enabled",
            "a==b",
            "weight>3",
        ];
        for text in accepted {
            assert_eq!(check_selector(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_kubectl_refuses_is_refused() {
        for text in [
            "a=b=c",
            "=b",
            "a in b",
            "a,,b",
            "!",
            "-a",
            "a=b c",
            "UPPER.example/key=x",
            "weight>x",
            "a in (b",
        ] {
            assert!(check_selector(text).is_err(), "{text}");
        }
    }
}
