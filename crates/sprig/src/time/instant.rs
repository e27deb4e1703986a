//! Instants.

use std::cmp::Ordering;

use super::civil::{self, SECONDS_PER_DAY};
use super::duration::Duration;
use super::zone::{Observed, Zone};

/// An instant, to the nanosecond, seen from a zone: Go's `time.Time`.
#[derive(Clone, Debug)]
pub struct Time {
    /// Seconds since 1970.
    unix: i64,
    /// 0 to 999,999,999.
    nanosecond: u32,
    zone: Zone,
}

/// 1 January of year 1, in Unix time.
const ZERO: i64 = -62_135_596_800;

/// The seconds from 1 March of the year -292277022400 to 1970.
const ABSOLUTE: i64 = 106_751_991_073_400 * SECONDS_PER_DAY;

/// The parts of a time in its zone.
pub(super) struct Parts {
    pub(super) date: civil::Date,
    /// Days since 1970.
    pub(super) days: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    pub(super) zone: Observed,
}

impl Time {
    /// So many seconds and nanoseconds, less than a second of them, after 1970.
    pub fn from_unix(unix: i64, nanosecond: u32, zone: Zone) -> Self {
        Self { unix, nanosecond: nanosecond.min(999_999_999), zone }
    }

    /// Go's zero time: the beginning of year 1, in UTC.
    pub fn zero() -> Self {
        Self::from_unix(ZERO, 0, Zone::Utc)
    }

    /// The time at which clocks of the zone show this; of two, or none, the one Go takes. Seconds
    /// count from midnight.
    pub(super) fn from_local(days: i64, seconds: i64, nanosecond: u32, zone: Zone) -> Self {
        let local = days.wrapping_mul(SECONDS_PER_DAY).wrapping_add(seconds);
        let guess = zone.observed(local).offset;
        let offset = if guess == 0 { 0 } else { zone.observed(local.wrapping_sub(guess)).offset };
        Self::from_unix(local.wrapping_sub(offset), nanosecond, zone)
    }

    pub fn unix(&self) -> i64 {
        self.unix
    }

    pub fn nanosecond(&self) -> u32 {
        self.nanosecond
    }

    /// Nanoseconds since 1970; wraps beyond the years 1678 to 2262.
    pub fn unix_nano(&self) -> i64 {
        self.unix.wrapping_mul(1_000_000_000).wrapping_add(self.nanosecond.into())
    }

    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The same instant in another zone.
    pub fn within(&self, zone: Zone) -> Self {
        Self { zone, ..self.clone() }
    }

    pub fn is_zero(&self) -> bool {
        self.unix == ZERO && self.nanosecond == 0
    }

    /// The order of the instants; zones don't matter.
    pub fn compare(&self, other: &Self) -> Ordering {
        (self.unix, self.nanosecond).cmp(&(other.unix, other.nanosecond))
    }

    /// Whether Go's `==` holds, which compares zones too.
    pub fn is_identical(&self, other: &Self) -> bool {
        self.compare(other).is_eq() && self.zone.is_same(&other.zone)
    }

    pub fn add(&self, duration: Duration) -> Self {
        let nanoseconds = i64::from(self.nanosecond) + duration.0.rem_euclid(1_000_000_000);
        let seconds = duration.0.div_euclid(1_000_000_000) + nanoseconds / 1_000_000_000;
        Self {
            unix: self.unix.wrapping_add(seconds),
            nanosecond: (nanoseconds % 1_000_000_000) as u32,
            zone: self.zone.clone(),
        }
    }

    /// Adds to the calendar; what runs over the end of a month goes into the next.
    pub fn add_date(&self, years: i64, months: i64, days: i64) -> Self {
        let parts = self.parts();
        let date = parts.date;
        let year = date.year.wrapping_add(years);
        let month = i64::from(date.month).saturating_add(months);
        let day = i64::from(date.day).saturating_add(days);
        let seconds = parts.hour * 3600 + parts.minute * 60 + parts.second;
        let days = civil::days(year, month, day);
        Self::from_local(days, seconds, self.nanosecond, self.zone.clone())
    }

    /// The time since another; the nearest duration there is.
    pub fn since(&self, other: &Self) -> Duration {
        let seconds = i128::from(self.unix) - i128::from(other.unix);
        let nanoseconds = i128::from(self.nanosecond) - i128::from(other.nanosecond);
        let total = seconds * 1_000_000_000 + nanoseconds;
        Duration(total.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
    }

    /// Rounds down to a multiple of the unit since the zero time.
    pub fn truncate(&self, unit: Duration) -> Self {
        if unit.0 <= 0 { self.clone() } else { self.add(Duration(-self.past(unit))) }
    }

    /// Rounds to a multiple of the unit since the zero time, halves up.
    pub fn round(&self, unit: Duration) -> Self {
        if unit.0 <= 0 {
            return self.clone();
        }
        let past = self.past(unit);
        let down = (past as u64) * 2 < unit.0 as u64;
        self.add(Duration(if down { -past } else { unit.0 - past }))
    }

    /// How far the time is past a multiple of the unit, in nanoseconds.
    fn past(&self, unit: Duration) -> i64 {
        let seconds = i128::from(self.unix) - i128::from(ZERO);
        let total = seconds * 1_000_000_000 + i128::from(self.nanosecond);
        total.rem_euclid(i128::from(unit.0)) as i64
    }

    pub fn year(&self) -> i64 {
        self.parts().date.year
    }

    /// 1 to 12.
    pub fn month(&self) -> u8 {
        self.parts().date.month
    }

    pub fn day(&self) -> u8 {
        self.parts().date.day
    }

    /// Hour, minute and second of the day.
    pub fn clock(&self) -> [i64; 3] {
        let parts = self.parts();
        [parts.hour, parts.minute, parts.second]
    }

    /// 0 for Sunday.
    pub fn weekday(&self) -> usize {
        civil::weekday(self.parts().days)
    }

    /// 1 for 1 January.
    pub fn year_day(&self) -> i64 {
        self.parts().year_day()
    }

    pub fn is_dst(&self) -> bool {
        self.zone.observed(self.unix).is_dst
    }

    pub(super) fn parts(&self) -> Parts {
        let zone = self.zone.observed(self.unix);
        // Go counts from the first year that 64 bits reach, without a sign: later years begin anew.
        let absolute = (self.unix.wrapping_add(zone.offset) as u64).wrapping_add(ABSOLUTE as u64);
        let days = (absolute / SECONDS_PER_DAY as u64) as i64 - ABSOLUTE / SECONDS_PER_DAY;
        let second = (absolute % SECONDS_PER_DAY as u64) as i64;
        Parts {
            date: civil::date(days),
            days,
            hour: second / 3600,
            minute: second % 3600 / 60,
            second: second % 60,
            zone,
        }
    }
}

impl Parts {
    pub(super) fn year_day(&self) -> i64 {
        self.days - civil::days(self.date.year, 1, 1) + 1
    }
}

/// The English name of a month, 1 to 12.
pub(crate) fn month_name(month: u8) -> &'static str {
    civil::MONTHS[usize::from(month.clamp(1, 12)) - 1]
}

/// The English name of a day, 0 for Sunday.
pub(crate) fn weekday_name(weekday: usize) -> &'static str {
    civil::WEEKDAYS[weekday % 7]
}
