//! Points in time and spans as Go's `time` package has them.

use std::cmp::Ordering;

use jiff::civil::{DateTime, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

const SECOND: i128 = 1_000_000_000;

/// The first second of year 1 and the last one of year 9999.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// A point in time, which remembers the offset that it was written with; only its text shows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time {
    /// Since 1970, in nanoseconds.
    nanoseconds: i128,
    /// East of UTC, in seconds.
    offset: i32,
}

impl PartialEq for Time {
    fn eq(&self, other: &Self) -> bool {
        self.nanoseconds == other.nanoseconds
    }
}

impl Eq for Time {}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanoseconds.cmp(&other.nanoseconds)
    }
}

impl Time {
    /// Nothing before year 1 and after year 9999.
    fn new(nanoseconds: i128, offset: i32) -> Option<Self> {
        let time = Self { nanoseconds, offset };
        SECONDS.contains(&time.seconds()).then_some(time)
    }

    pub(crate) fn from_seconds(seconds: i64) -> Option<Self> {
        Self::new(i128::from(seconds) * SECOND, 0)
    }

    /// Reads RFC 3339 as Go does: capital letters, seconds, any number of decimals.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if !has_shape(bytes.get(..19)?, "0000-00-00T00:00:00") {
            return None;
        }
        let (head, mut rest) = (&text[..19], text.get(19..)?);
        let mut nanoseconds: i128 = 0;
        if let Some(fraction) = rest.strip_prefix(['.', ',']) {
            let digits = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
            nanoseconds =
                format!("{:0<9}", &fraction[..digits.min(9)]).parse().ok().filter(|_| digits > 0)?;
            rest = &fraction[digits..];
        }
        let offset = read_offset(rest)?;
        let local = civil(head)?;
        let since = local.duration_since(epoch()).as_nanos() + nanoseconds;
        Self::new(since - i128::from(offset) * SECOND, offset)
    }

    /// Whole seconds since 1970, rounded down.
    pub(crate) fn seconds(self) -> i64 {
        i64::try_from(self.nanoseconds.div_euclid(SECOND)).unwrap_or(i64::MAX)
    }

    pub(crate) fn moved(self, nanoseconds: i128) -> Option<Self> {
        Self::new(self.nanoseconds.checked_add(nanoseconds)?, self.offset)
    }

    /// The span since another point; nothing where that is too long.
    pub(crate) fn since(self, other: Self) -> Option<i64> {
        i64::try_from(self.nanoseconds - other.nanoseconds).ok()
    }

    /// What clocks show that are some seconds east of UTC.
    pub(crate) fn at_offset(self, offset: i64) -> Option<DateTime> {
        let shown = self.nanoseconds + i128::from(offset) * SECOND;
        let seconds = i64::try_from(shown.div_euclid(SECOND)).ok()?;
        let rest = i32::try_from(shown.rem_euclid(SECOND)).ok()?;
        epoch().checked_add(SignedDuration::new(seconds, rest)).ok()
    }

    /// The offset of a zone at this point, in seconds.
    pub(crate) fn offset_in(self, zone: &TimeZone) -> i64 {
        // The last hours of year 9999 are beyond that type, and zones don't change there.
        let point = Timestamp::from_nanosecond(self.nanoseconds).unwrap_or(Timestamp::MAX);
        i64::from(zone.to_offset(point).seconds())
    }

    /// RFC 3339 in the offset that it was written with.
    pub(crate) fn text(self) -> String {
        let zone = match self.offset {
            0 => "Z".to_owned(),
            offset => {
                let sign = if offset < 0 { '-' } else { '+' };
                let minutes = offset.unsigned_abs() / 60;
                format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        };
        self.at_offset(i64::from(self.offset)).map_or_else(String::new, |local| format!("{local}{zone}"))
    }

    /// RFC 3339 in UTC.
    pub(crate) fn utc_text(self) -> String {
        Self { offset: 0, ..self }.text()
    }
}

fn epoch() -> DateTime {
    date(1970, 1, 1).at(0, 0, 0, 0)
}

/// Tells whether a text has digits where the shape has zeros, and else the same.
fn has_shape(text: &[u8], shape: &str) -> bool {
    text.len() == shape.len()
        && text.iter().zip(shape.bytes()).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            wanted => *byte == wanted,
        })
}

/// A date and time whose shape is known.
fn civil(head: &str) -> Option<DateTime> {
    let number = |range: std::ops::Range<usize>| head[range].parse::<i8>().ok();
    let year: i16 = head[..4].parse().ok()?;
    // 60 seconds, which jiff would take, are none for Go.
    let second = number(17..19).filter(|second| *second < 60)?;
    DateTime::new(year, number(5..7)?, number(8..10)?, number(11..13)?, number(14..16)?, second, 0).ok()
}

fn read_offset(zone: &str) -> Option<i32> {
    if zone == "Z" {
        return Some(0);
    }
    let bytes = zone.as_bytes();
    if !(has_shape(bytes, "+00:00") || has_shape(bytes, "-00:00")) {
        return None;
    }
    let hours: i32 = zone[1..3].parse().ok().filter(|hours| *hours < 24)?;
    let minutes: i32 = zone[4..6].parse().ok().filter(|minutes| *minutes < 60)?;
    let seconds = (hours * 60 + minutes) * 60;
    Some(if zone.starts_with('-') { -seconds } else { seconds })
}

/// Go's `time.ParseDuration`, in nanoseconds.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let (part, after) = duration_part(rest)?;
        total += part;
        // More would only run on.
        if total > 1 + i128::from(i64::MAX) {
            return None;
        }
        rest = after;
    }
    i64::try_from(if negative { -total } else { total }).ok()
}

/// A number with its unit, in nanoseconds, and what follows.
fn duration_part(text: &str) -> Option<(i128, &str)> {
    let number = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (whole, fraction) = text[..number].split_once('.').unwrap_or((&text[..number], ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let rest = &text[number..];
    let letters = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
    let unit: i128 = match &rest[..letters] {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 3600 * SECOND,
        _ => return None,
    };
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // More decimals than these change nothing.
    let fraction = &fraction[..fraction.len().min(18)];
    let decimals: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    Some((i128::from(whole) * unit + decimals * unit / scale, &rest[letters..]))
}

/// Seconds with as many decimals as it takes.
pub(crate) fn duration_text(nanoseconds: i64) -> String {
    // As Go's Duration.Seconds, whole and rest apart.
    let seconds = (nanoseconds / 1_000_000_000) as f64 + (nanoseconds % 1_000_000_000) as f64 / 1e9;
    format!("{seconds}s")
}
