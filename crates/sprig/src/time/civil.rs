//! The proleptic Gregorian calendar, for every second that 64 bits count.

/// A day of the calendar; year 0 is 1 BC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i64,
    /// 1 to 12.
    pub(super) month: u8,
    /// 1 to 31.
    pub(super) day: u8,
}

pub(super) const SECONDS_PER_DAY: i64 = 86_400;

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The days before each month of a year that isn't a leap year.
const DAYS_BEFORE: [i64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

/// Days from 1 March of year 0 to 1 January 1970.
const EPOCH: i64 = 719_468;

/// Days of 400 years.
const ERA: i64 = 146_097;

/// The day that is so many days after 1 January 1970.
///
/// The months are counted from March, so that the leap day ends a year.
pub(super) fn date(days: i64) -> Date {
    let days = days + EPOCH;
    let (era, day_of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Date { year, month: month as u8, day: day as u8 }
}

/// The days from 1 January 1970 to a date; a month or day beyond its range runs on. Wraps when 64
/// bits don't do.
pub(super) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year.wrapping_add((month - 1).div_euclid(12));
    let month = (month - 1).rem_euclid(12) + 1;
    let year = if month <= 2 { year.wrapping_sub(1) } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = (month + 9) % 12;
    let first_of_month = (153 * month_from_march + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + first_of_month;
    era.wrapping_mul(ERA).wrapping_add(day_of_era - EPOCH).wrapping_add(day.wrapping_sub(1))
}

/// 0 for Sunday.
pub(super) fn weekday(days: i64) -> usize {
    // 1 January 1970 was a Thursday.
    (days.rem_euclid(7) as usize + 4) % 7
}

pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The length of a month, 1 to 12.
pub(super) fn days_in(month: i64, year: i64) -> i64 {
    if month == 2 && is_leap(year) {
        return 29;
    }
    days_before(month + 1) - days_before(month)
}

/// The days before a month, 1 to 13, of a year that isn't a leap year.
pub(super) fn days_before(month: i64) -> i64 {
    usize::try_from(month - 1).ok().and_then(|index| DAYS_BEFORE.get(index)).copied().unwrap_or(365)
}
