//! Reading times by a layout.

use std::rc::Rc;

use super::civil::{self, MONTHS, WEEKDAYS};
use super::instant::Time;
use super::layout::{self, Element, OffsetForm};
use super::quote;
use super::scan::{
    Refusal, atoi, name, nanoseconds, number, skip, split, two_digits, year_day, zone_name_length,
};
use super::zone::Zone;

/// Why a text isn't a time of some layout; its text is Go's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("parsing time {value}{what}")]
pub struct TimeError {
    /// The whole text, quoted.
    value: String,
    /// What is wrong with it.
    what: String,
}

/// What has been read.
#[derive(Default)]
struct Fields {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanosecond: u32,
    /// `Some(true)` for PM.
    pm: Option<bool>,
    utc: bool,
    offset: Option<i64>,
    zone_name: Option<String>,
}

impl Time {
    /// Reads a time that has the form of the layout; without a zone it is one of `zone`. Go's
    /// `time.ParseInLocation`.
    pub fn parse(layout: &[u8], value: &[u8], zone: &Zone) -> Result<Self, TimeError> {
        let error = |what: String| TimeError { value: quote(value), what };
        let cannot = |rest: &[u8], element: &[u8]| {
            let (layout, rest, element) = (quote(layout), quote(rest), quote(element));
            error(format!(" as {layout}: cannot parse {rest} as {element}"))
        };
        let mut fields = Fields::default();
        let (mut rest, mut layout_rest) = (value, layout);
        loop {
            let chunk = layout::next(layout_rest);
            rest = skip(rest, chunk.prefix).map_err(|rest| cannot(rest, chunk.prefix))?;
            layout_rest = chunk.suffix;
            let Some((element, text)) = chunk.element else { break };
            rest = fields.read(element, rest, layout_rest).map_err(|refusal| match refusal {
                Refusal::Form => cannot(rest, text),
                Refusal::Range(field) => error(format!(": {field} out of range")),
            })?;
        }
        if !rest.is_empty() {
            return Err(error(format!(": extra text: {}", quote(rest))));
        }
        fields.time(zone).map_err(|what| error(format!(": {what}")))
    }
}

impl Fields {
    /// Reads one element and returns the rest of the text.
    fn read<'a>(&mut self, element: Element, text: &'a [u8], layout: &[u8]) -> Result<&'a [u8], Refusal> {
        match element {
            Element::Year
            | Element::LongYear
            | Element::Month
            | Element::LongMonth
            | Element::NumberedMonth
            | Element::ZeroMonth
            | Element::Weekday
            | Element::LongWeekday
            | Element::Day
            | Element::UnderDay
            | Element::ZeroDay
            | Element::UnderYearDay
            | Element::ZeroYearDay => self.read_date(element, text),
            Element::Offset(form) => self.read_offset(form, text),
            Element::ZoneName => self.read_zone_name(text),
            _ => self.read_clock(element, text, layout),
        }
    }

    fn read_date<'a>(&mut self, element: Element, text: &'a [u8]) -> Result<&'a [u8], Refusal> {
        match element {
            Element::Year => {
                let (digits, rest) = split(text, 2)?;
                let year = atoi(digits)?;
                self.year = year + if year >= 69 { 1900 } else { 2000 };
                Ok(rest)
            }
            Element::LongYear => {
                let (digits, rest) = split(text, 4)?;
                if !digits[0].is_ascii_digit() {
                    return Err(Refusal::Form);
                }
                self.year = atoi(digits)?;
                Ok(rest)
            }
            Element::Month | Element::LongMonth => {
                let (index, rest) = name(&MONTHS, element == Element::Month, text)?;
                self.month = Some(index + 1);
                Ok(rest)
            }
            Element::NumberedMonth | Element::ZeroMonth => {
                let (month, rest) = number(text, element == Element::ZeroMonth)?;
                self.month = Some(month);
                if (1..=12).contains(&month) { Ok(rest) } else { Err(Refusal::Range("month")) }
            }
            Element::Weekday | Element::LongWeekday => {
                // The day of the week must be one, but needn't be right.
                Ok(name(&WEEKDAYS, element == Element::Weekday, text)?.1)
            }
            Element::UnderYearDay | Element::ZeroYearDay => {
                let padded = element == Element::UnderYearDay;
                let spaces = text.iter().take(2).take_while(|byte| padded && **byte == b' ').count();
                let (day, rest) = year_day(&text[spaces..], !padded)?;
                self.year_day = Some(day);
                Ok(rest)
            }
            _ => {
                let space = element == Element::UnderDay && text.first() == Some(&b' ');
                let (day, rest) = number(&text[usize::from(space)..], element == Element::ZeroDay)?;
                self.day = Some(day);
                Ok(rest)
            }
        }
    }

    fn read_clock<'a>(
        &mut self,
        element: Element,
        text: &'a [u8],
        layout: &[u8],
    ) -> Result<&'a [u8], Refusal> {
        let within = |(number, rest): (i64, &'a [u8]), limit, field| {
            if number <= limit { Ok((number, rest)) } else { Err(Refusal::Range(field)) }
        };
        let rest;
        match element {
            Element::Hour => (self.hour, rest) = within(number(text, false)?, 23, "hour")?,
            Element::Hour12 => (self.hour, rest) = within(number(text, false)?, 12, "hour")?,
            Element::ZeroHour12 => (self.hour, rest) = within(number(text, true)?, 12, "hour")?,
            Element::Minute => (self.minute, rest) = within(number(text, false)?, 59, "minute")?,
            Element::ZeroMinute => (self.minute, rest) = within(number(text, true)?, 59, "minute")?,
            Element::Second | Element::ZeroSecond => {
                let fixed = element == Element::ZeroSecond;
                let (second, after) = within(number(text, fixed)?, 59, "second")?;
                self.second = second;
                rest = self.read_unexpected_fraction(after, layout)?;
            }
            Element::UpperPm => rest = self.read_pm(text, [b"AM", b"PM"])?,
            Element::LowerPm => rest = self.read_pm(text, [b"am", b"pm"])?,
            Element::Fraction { digits, trimmed: false, .. } => {
                let (fraction, after) = split(text, digits + 1)?;
                self.nanosecond = nanoseconds(fraction)?;
                rest = after;
            }
            _ => rest = self.read_fraction(text)?,
        }
        Ok(rest)
    }

    /// A fraction behind the seconds is read although the layout doesn't have one.
    fn read_unexpected_fraction<'a>(&mut self, text: &'a [u8], layout: &[u8]) -> Result<&'a [u8], Refusal> {
        match layout::next(layout).element {
            Some((Element::Fraction { .. }, _)) => Ok(text),
            _ => self.read_fraction(text),
        }
    }

    /// A fraction of any number of digits, or none.
    fn read_fraction<'a>(&mut self, text: &'a [u8]) -> Result<&'a [u8], Refusal> {
        let [b'.' | b',', digit, ..] = text else { return Ok(text) };
        if !digit.is_ascii_digit() {
            return Ok(text);
        }
        let digits = text[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (fraction, rest) = text.split_at(digits + 1);
        self.nanosecond = nanoseconds(fraction)?;
        Ok(rest)
    }

    fn read_pm<'a>(&mut self, text: &'a [u8], [am, pm]: [&[u8]; 2]) -> Result<&'a [u8], Refusal> {
        let (half, rest) = split(text, 2)?;
        if half != am && half != pm {
            return Err(Refusal::Form);
        }
        // Of several that disagree, PM wins.
        self.pm = Some(half == pm || self.pm == Some(true));
        Ok(rest)
    }

    fn read_offset<'a>(&mut self, form: OffsetForm, text: &'a [u8]) -> Result<&'a [u8], Refusal> {
        if form.zulu && text.first() == Some(&b'Z') {
            self.utc = true;
            return Ok(&text[1..]);
        }
        let mut length = 3;
        let mut part = |wanted: bool| {
            if !wanted {
                return Ok(&b"00"[..]);
            }
            if form.colons && text.get(length) != Some(&b':') {
                return Err(Refusal::Form);
            }
            let start = length + usize::from(form.colons);
            length = start + 2;
            text.get(start..length).ok_or(Refusal::Form)
        };
        let (minutes, seconds) = (part(form.minutes)?, part(form.seconds)?);
        let (written, rest) = split(text, length)?;
        let numbers = two_digits(&written[1..3])
            .and_then(|hours| Ok((hours, two_digits(minutes)?)))
            .and_then(|(hours, minutes)| Ok((hours, minutes, two_digits(seconds)?)));
        // A number that was read is checked even if a later one isn't one.
        if two_digits(&written[1..3]).is_ok_and(|hours| hours > 24) {
            return Err(Refusal::Range("time zone offset hour"));
        }
        if two_digits(minutes).is_ok_and(|minutes| minutes > 60) {
            return Err(Refusal::Range("time zone offset minute"));
        }
        let (hours, minutes, seconds) = numbers?;
        if seconds > 60 {
            return Err(Refusal::Range("time zone offset second"));
        }
        let offset = (hours * 60 + minutes) * 60 + seconds;
        self.offset = Some(match written[0] {
            b'+' => offset,
            b'-' => -offset,
            _ => return Err(Refusal::Form),
        });
        Ok(rest)
    }

    fn read_zone_name<'a>(&mut self, text: &'a [u8]) -> Result<&'a [u8], Refusal> {
        if let Some(rest) = text.strip_prefix(b"UTC") {
            self.utc = true;
            return Ok(rest);
        }
        let length = zone_name_length(text).ok_or(Refusal::Form)?;
        let (name, rest) = text.split_at(length);
        self.zone_name = Some(String::from_utf8_lossy(name).into_owned());
        Ok(rest)
    }

    /// The time that the fields make, or why they make none.
    fn time(mut self, zone: &Zone) -> Result<Time, &'static str> {
        match self.pm {
            Some(true) if self.hour < 12 => self.hour += 12,
            Some(false) if self.hour == 12 => self.hour = 0,
            _ => {}
        }
        let (month, day) = match self.year_day {
            Some(year_day) => self.month_and_day(year_day)?,
            None => (self.month.unwrap_or(1), self.day.unwrap_or(1)),
        };
        if day < 1 || day > civil::days_in(month, self.year) {
            return Err("day out of range");
        }
        let days = civil::days(self.year, month, day);
        let seconds = self.hour * 3600 + self.minute * 60 + self.second;
        let at = |zone: Zone| Time::from_local(days, seconds, self.nanosecond, zone);
        if self.utc {
            return Ok(at(Zone::Utc));
        }
        // Go marks a missing offset by -1, and so misses one of -00:00:01.
        if let Some(offset) = self.offset.filter(|offset| *offset != -1) {
            let utc = at(Zone::Utc);
            let time = Time::from_unix(utc.unix() - offset, self.nanosecond, Zone::Utc);
            return Ok(in_offset(&time, offset, self.zone_name.as_deref(), zone));
        }
        Ok(match &self.zone_name {
            Some(name) => in_named_zone(&at(Zone::Utc), name, zone),
            None => at(zone.clone()),
        })
    }

    /// The month and day of a day of the year, which must be those that were read too.
    fn month_and_day(&self, year_day: i64) -> Result<(i64, i64), &'static str> {
        let leap = civil::is_leap(self.year);
        let (month, day) = if leap && year_day == 60 {
            (2, 29)
        } else {
            let year_day = if leap && year_day > 60 { year_day - 1 } else { year_day };
            if !(1..=365).contains(&year_day) {
                return Err("day-of-year out of range");
            }
            let month = (1..=12).find(|month| civil::days_before(month + 1) >= year_day).unwrap_or(12);
            (month, year_day - civil::days_before(month))
        };
        if self.month.is_some_and(|read| read != month) {
            return Err("day-of-year does not match month");
        }
        if self.day.is_some_and(|read| read != day) {
            return Err("day-of-year does not match day");
        }
        Ok((month, day))
    }
}

/// The time in the zone if that has the offset then, and in a made-up zone otherwise.
fn in_offset(time: &Time, offset: i64, name: Option<&str>, zone: &Zone) -> Time {
    let observed = zone.observed(time.unix());
    if observed.offset == offset && name.is_none_or(|name| name == observed.abbreviation) {
        return time.within(zone.clone());
    }
    time.within(Zone::Fixed { name: Rc::from(name.unwrap_or_default()), offset })
}

/// The time whose clock reads as the given one's in UTC, in the zone if that knows the name.
fn in_named_zone(time: &Time, name: &str, zone: &Zone) -> Time {
    if let Some(offset) = zone.offset_named(name, time.unix()) {
        return Time::from_unix(time.unix() - offset, time.nanosecond(), zone.clone());
    }
    // A made-up zone has no offset, except `GMT+3`; Go doesn't move the instant by that.
    let hours = name.strip_prefix("GMT").and_then(|hours| atoi(hours.as_bytes()).ok());
    time.within(Zone::Fixed { name: Rc::from(name), offset: hours.unwrap_or(0) * 3600 })
}
