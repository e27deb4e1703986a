//! The query of a repository's URL, which says what of it is meant and how long fetching may take.

use std::time::Duration;

/// How long fetching may take when the query doesn't say.
const TIMEOUT: Duration = Duration::from_secs(27);

/// What a query says, with kustomize's defaults for what it doesn't.
pub(super) struct Query {
    pub(super) reference: String,
    pub(super) timeout: Duration,
    pub(super) submodules: bool,
}

impl Query {
    /// Reads a query. One that is malformed counts as empty, and so does a value that is.
    ///
    /// Source: kustomize `api/internal/git/repospec.go`, `parseQuery`.
    pub(super) fn parse(text: &str) -> Self {
        let pairs = pairs(text).unwrap_or_default();
        let get = |name: &str| {
            let first = pairs.iter().find(|(key, _)| key == name);
            first.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
        };
        Self {
            reference: get("ref").or_else(|| get("version")).unwrap_or_default().to_owned(),
            timeout: get("timeout").and_then(timeout).unwrap_or(TIMEOUT),
            submodules: get("submodules").and_then(boolean).unwrap_or(true),
        }
    }
}

/// Splits a query as Go does, for which a semicolon anywhere is an error.
fn pairs(query: &str) -> Option<Vec<(String, String)>> {
    if query.contains(';') {
        return None;
    }
    let parts = query.split('&').filter(|part| !part.is_empty());
    let pair = |part: &str| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        Some((unescaped(key)?, unescaped(value)?))
    };
    parts.map(pair).collect()
}

fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let [high, low, after @ ..] = tail else { return None };
                bytes.push(hex(*high)? << 4 | hex(*low)?);
                rest = after;
            }
            other => bytes.push(*other),
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Seconds, or a duration as Go writes it. Neither may be zero or less.
fn timeout(text: &str) -> Option<Duration> {
    let duration = match text.parse::<i64>() {
        Ok(seconds) => Duration::from_secs(u64::try_from(seconds).ok()?),
        Err(_) => duration(text)?,
    };
    Some(duration).filter(|duration| !duration.is_zero())
}

/// Reads numbers with units, such as `1m30s`.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(unit_at);
        let next = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, after) = tail.split_at(next);
        seconds += number.parse::<f64>().ok()? * unit_in_seconds(unit)?;
        rest = after;
    }
    Duration::try_from_secs_f64(seconds).ok()
}

fn unit_in_seconds(unit: &str) -> Option<f64> {
    match unit {
        "ns" => Some(1e-9),
        "us" | "µs" | "μs" => Some(1e-6),
        "ms" => Some(1e-3),
        "s" => Some(1.0),
        "m" => Some(60.0),
        "h" => Some(3600.0),
        _ => None,
    }
}

/// Go's spellings of booleans.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Query;
    use std::time::Duration;

    #[track_caller]
    fn check(query: &str, reference: &str, milliseconds: u64, submodules: bool) {
        let found = Query::parse(query);
        let expected = (reference, Duration::from_millis(milliseconds), submodules);
        assert_eq!((found.reference.as_str(), found.timeout, found.submodules), expected, "{query}");
    }

    #[test]
    fn the_reference_is_ref_or_else_version() {
        check("", "", 27_000, true);
        check("ref=v1", "v1", 27_000, true);
        check("version=v2", "v2", 27_000, true);
        check("version=v2&ref=v1", "v1", 27_000, true);
        check("version=v2&ref=", "v2", 27_000, true);
        check("ref=a&ref=b", "a", 27_000, true);
        check("ref=a%2Fb+c", "a/b c", 27_000, true);
    }

    #[test]
    fn a_timeout_is_seconds_or_a_duration_above_zero() {
        for (text, milliseconds) in [
            ("61", 61_000),
            ("%2B5", 5_000),
            ("61s", 61_000),
            ("1m1s", 61_000),
            ("1.5m", 90_000),
            ("250ms", 250),
            ("0", 27_000),
            ("-1", 27_000),
            ("0s", 27_000),
            ("-1s", 27_000),
            ("soon", 27_000),
            ("1x", 27_000),
            ("s", 27_000),
            ("", 27_000),
        ] {
            check(&format!("timeout={text}"), "", milliseconds, true);
        }
    }

    #[test]
    fn submodules_are_wanted_unless_the_query_says_no() {
        for (text, expected) in
            [("0", false), ("False", false), ("f", false), ("1", true), ("no", true), ("", true)]
        {
            check(&format!("submodules={text}"), "", 27_000, expected);
        }
    }

    #[test]
    fn a_malformed_query_counts_as_empty() {
        for query in ["ref=a;b", "ref=a&x=%zz", "ref=a&x=%1", "submodules=0&x=%"] {
            check(query, "", 27_000, true);
        }
    }
}
