//! Conditional requests and ranges.

use std::{ops::Range, time::SystemTime};

use http::{
    HeaderMap,
    header::{HeaderName, IF_MODIFIED_SINCE, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE},
};
use jiff::{Timestamp, fmt::rfc2822};

/// What a request gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Whole,
    Part(Range<u64>),
    NotModified,
    PreconditionFailed,
    Unsatisfiable,
}

/// Decides in the order of RFC 9110 §13.2.2. There are no entity tags, so conditions on them don't count.
pub(super) fn evaluate(headers: &HeaderMap, size: u64, modified: SystemTime) -> Answer {
    let modified = seconds(modified);
    if date(headers, &IF_UNMODIFIED_SINCE).is_some_and(|since| modified > since) {
        return Answer::PreconditionFailed;
    }
    if date(headers, &IF_MODIFIED_SINCE).is_some_and(|since| modified <= since) {
        return Answer::NotModified;
    }
    if headers.contains_key(IF_RANGE) && date(headers, &IF_RANGE) != Some(modified) {
        return Answer::Whole;
    }
    match headers.get(RANGE).and_then(|range| range.to_str().ok()) {
        Some(range) => part(range, size),
        None => Answer::Whole,
    }
}

/// Reads `bytes=first-last`, `bytes=first-` or `bytes=-length`; anything else is passed over, as one may.
fn part(range: &str, size: u64) -> Answer {
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.trim().split_once('-'))
    else {
        return Answer::Whole;
    };
    match (first, first.parse::<u64>().ok(), last, last.parse::<u64>().ok()) {
        (_, Some(first), _, Some(last)) if first > last => Answer::Whole,
        (_, Some(first), "", _) | (_, Some(first), _, Some(_)) if first >= size => Answer::Unsatisfiable,
        (_, Some(first), "", _) => Answer::Part(first..size),
        (_, Some(first), _, Some(last)) => Answer::Part(first..size.min(last.saturating_add(1))),
        ("", _, _, Some(0)) => Answer::Unsatisfiable,
        ("", _, _, Some(length)) => Answer::Part(size.saturating_sub(length)..size),
        _ => Answer::Whole,
    }
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<i64> {
    let text = headers.get(name)?.to_str().ok()?;
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok().map(Timestamp::as_second)
}

/// Dates in headers have whole seconds.
pub(super) fn seconds(time: SystemTime) -> i64 {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Answer, part};

    #[test]
    fn a_single_range_is_understood() {
        for (range, answer) in [
            ("bytes=0-3", Answer::Part(0..4)),
            ("bytes=4-", Answer::Part(4..10)),
            ("bytes=-3", Answer::Part(7..10)),
            ("bytes=-30", Answer::Part(0..10)),
            ("bytes=5-100", Answer::Part(5..10)),
            ("bytes=10-", Answer::Unsatisfiable),
            ("bytes=-0", Answer::Unsatisfiable),
            ("bytes=18446744073709551615-", Answer::Unsatisfiable),
            ("bytes=3-2", Answer::Whole),
            ("bytes=0-,0-,0-", Answer::Whole),
            ("bytes=", Answer::Whole),
            ("bytes=-", Answer::Whole),
            ("items=0-1", Answer::Whole),
        ] {
            assert_eq!(part(range, 10), answer, "{range}");
        }
    }
}
