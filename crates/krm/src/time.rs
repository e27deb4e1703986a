//! Plain dates and times, in the forms that go-yaml takes for a timestamp.

/// A point in time as it is written.
#[derive(Debug, PartialEq, Eq)]
struct Written<'a> {
    date: [u32; 3],
    clock: [u32; 3],
    fraction: &'a str,
    /// Empty is UTC, else `+hh:mm`.
    zone: &'a str,
}

/// Tells whether go-yaml reads the text as a time.
pub(crate) fn is_timestamp(text: &str) -> bool {
    // Four digits and a dash come first in every accepted form.
    text.as_bytes().get(4) == Some(&b'-') && read(text).is_some()
}

/// The time in RFC 3339 as Go prints it.
pub(crate) fn rfc3339(text: &str) -> Option<String> {
    let Written { date: [y, m, d], clock: [h, min, s], fraction, zone } = read(text)?;
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    let zone = if zone.is_empty() || zone == "+00:00" || zone == "-00:00" { "Z" } else { zone };
    Some(format!("{y:04}-{m:02}-{d:02}T{h:02}:{min:02}:{s:02}{dot}{fraction}{zone}"))
}

/// `2006-1-2T15:4:5.999999999Z07:00` (or `t`), `2006-1-2 15:4:5.999999999`, `2006-1-2`.
fn read(text: &str) -> Option<Written<'_>> {
    let (date, rest) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at..])),
        None => (text, None),
    };
    let date = read_date(date)?;
    let Some(rest) = rest else { return Some(Written { date, clock: [0; 3], fraction: "", zone: "" }) };
    let (separator, rest) = rest.split_at(1);
    let (clock, zone) = if separator == " " { (rest, "") } else { split_zone(rest)? };
    let (clock, fraction) = match clock.find(['.', ',']) {
        Some(at) => (&clock[..at], &clock[at + 1..]),
        None => (clock, ""),
    };
    if clock.len() < rest.len() && !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    if fraction.len() > 9 {
        return None;
    }
    Some(Written { date, clock: read_clock(clock)?, fraction, zone })
}

fn read_date(text: &str) -> Option<[u32; 3]> {
    let mut parts = text.split('-');
    let year = field(parts.next()?, 4, 4, 0, 9999)?;
    let month = field(parts.next()?, 1, 2, 1, 12)?;
    let day = field(parts.next()?, 1, 2, 1, days_in(year, month))?;
    if parts.next().is_some() { None } else { Some([year, month, day]) }
}

fn read_clock(text: &str) -> Option<[u32; 3]> {
    let mut parts = text.split(':');
    // Go's 15 in a layout takes one digit too.
    let hour = field(parts.next()?, 1, 2, 0, 23)?;
    let minute = field(parts.next()?, 1, 2, 0, 59)?;
    let second = field(parts.next()?, 1, 2, 0, 59)?;
    if parts.next().is_some() { None } else { Some([hour, minute, second]) }
}

fn split_zone(text: &str) -> Option<(&str, &str)> {
    if let Some(clock) = text.strip_suffix('Z') {
        return Some((clock, ""));
    }
    let at = text.rfind(['+', '-'])?;
    let (clock, zone) = text.split_at(at);
    let (hours, minutes) = zone[1..].split_once(':')?;
    field(hours, 2, 2, 0, 24)?;
    field(minutes, 2, 2, 0, 60)?;
    Some((clock, zone))
}

fn field(text: &str, shortest: usize, longest: usize, least: u32, most: u32) -> Option<u32> {
    let fits = (shortest..=longest).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let value = fits.then(|| text.parse::<u32>().ok())??;
    (least..=most).contains(&value).then_some(value)
}

const fn days_in(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_go_yamls_forms() {
        let cases = [
            ("2020-01-01", Some("2020-01-01T00:00:00Z")),
            ("2020-1-1", Some("2020-01-01T00:00:00Z")),
            ("2020-01-01T10:20:30Z", Some("2020-01-01T10:20:30Z")),
            ("2020-01-01 10:20:30", Some("2020-01-01T10:20:30Z")),
            ("2020-01-01T10:20:30.500Z", Some("2020-01-01T10:20:30.5Z")),
            ("2020-01-01t10:20:30+02:00", Some("2020-01-01T10:20:30+02:00")),
            ("2020-13-01", None),
            ("2020-02-30", None),
            ("2020-01", None),
            ("2020-01-01T10:20:30", None),
        ];
        for (text, expected) in cases {
            assert_eq!(rfc3339(text).as_deref(), expected, "{text}");
        }
    }
}
