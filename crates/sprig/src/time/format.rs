//! Printing times by a layout.

use std::fmt;

use super::civil;
use super::instant::{Parts, Time, month_name, weekday_name};
use super::layout::{self, Element, OffsetForm};

impl Time {
    /// The time in the form of the layout.
    pub fn format(&self, layout: &[u8]) -> Vec<u8> {
        let parts = self.parts();
        let mut out = Vec::with_capacity(layout.len() + 10);
        let mut rest = layout;
        while !rest.is_empty() {
            let chunk = layout::next(rest);
            out.extend_from_slice(chunk.prefix);
            if let Some((element, _)) = chunk.element {
                append(&mut out, element, &parts, self.nanosecond());
            }
            rest = chunk.suffix;
        }
        out
    }

    /// RFC 3339 with as much of the fraction as there is: what JSON has.
    pub fn rfc3339(&self) -> String {
        String::from_utf8_lossy(&self.format(b"2006-01-02T15:04:05.999999999Z07:00")).into_owned()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.format(b"2006-01-02 15:04:05.999999999 -0700 MST");
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

fn append(out: &mut Vec<u8>, element: Element, parts: &Parts, nanosecond: u32) {
    let date = &parts.date;
    let hour12 = if parts.hour % 12 == 0 { 12 } else { parts.hour % 12 };
    match element {
        Element::Year => number(out, date.year.abs() % 100, 2),
        Element::LongYear => number(out, date.year, 4),
        Element::Month => out.extend_from_slice(&month_name(date.month).as_bytes()[..3]),
        Element::LongMonth => out.extend_from_slice(month_name(date.month).as_bytes()),
        Element::NumberedMonth => number(out, date.month.into(), 0),
        Element::ZeroMonth => number(out, date.month.into(), 2),
        Element::Weekday => out.extend_from_slice(&weekday(parts).as_bytes()[..3]),
        Element::LongWeekday => out.extend_from_slice(weekday(parts).as_bytes()),
        Element::Day => number(out, date.day.into(), 0),
        Element::UnderDay => out.extend_from_slice(format!("{:2}", date.day).as_bytes()),
        Element::ZeroDay => number(out, date.day.into(), 2),
        Element::UnderYearDay => out.extend_from_slice(format!("{:3}", parts.year_day()).as_bytes()),
        Element::ZeroYearDay => number(out, parts.year_day(), 3),
        Element::Hour => number(out, parts.hour, 2),
        Element::Hour12 => number(out, hour12, 0),
        Element::ZeroHour12 => number(out, hour12, 2),
        Element::Minute => number(out, parts.minute, 0),
        Element::ZeroMinute => number(out, parts.minute, 2),
        Element::Second => number(out, parts.second, 0),
        Element::ZeroSecond => number(out, parts.second, 2),
        Element::UpperPm => out.extend_from_slice(if parts.hour >= 12 { b"PM" } else { b"AM" }),
        Element::LowerPm => out.extend_from_slice(if parts.hour >= 12 { b"pm" } else { b"am" }),
        Element::Offset(form) => offset(out, form, parts.zone.offset),
        Element::ZoneName if parts.zone.abbreviation.is_empty() => {
            let form = OffsetForm { zulu: false, colons: false, minutes: true, seconds: false };
            offset(out, form, parts.zone.offset);
        }
        Element::ZoneName => out.extend_from_slice(parts.zone.abbreviation.as_bytes()),
        Element::Fraction { digits, trimmed, separator } => {
            fraction(out, nanosecond, digits, trimmed, separator);
        }
    }
}

fn weekday(parts: &Parts) -> &'static str {
    weekday_name(civil::weekday(parts.days))
}

/// An offset in seconds east.
fn offset(out: &mut Vec<u8>, form: OffsetForm, offset: i64) {
    if form.zulu && offset == 0 {
        out.push(b'Z');
        return;
    }
    let minutes = offset / 60;
    // Go takes the sign of the whole minutes, and the seconds of what remains of the sign.
    let (sign, seconds) = if minutes < 0 { (b'-', -offset % 60) } else { (b'+', offset % 60) };
    let minutes = minutes.abs();
    out.push(sign);
    number(out, minutes / 60, 2);
    if form.colons {
        out.push(b':');
    }
    if form.minutes {
        number(out, minutes % 60, 2);
    }
    if form.seconds {
        if form.colons {
            out.push(b':');
        }
        number(out, seconds, 2);
    }
}

fn fraction(out: &mut Vec<u8>, nanosecond: u32, digits: usize, trimmed: bool, separator: u8) {
    let text = format!("{nanosecond:09}");
    let text = &text[..digits.min(9)];
    let text = if trimmed { text.trim_end_matches('0') } else { text };
    if trimmed && text.is_empty() {
        return;
    }
    out.push(separator);
    out.extend_from_slice(text.as_bytes());
}

/// The number with at least so many digits, after its sign.
fn number(out: &mut Vec<u8>, value: i64, width: usize) {
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(format!("{:0width$}", value.unsigned_abs()).as_bytes());
}
