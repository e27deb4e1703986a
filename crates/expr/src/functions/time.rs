//! Parts of timestamps and durations.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::no_overload;
use crate::eval::failure::shortened;
use crate::eval::{Failure, Outcome};
use crate::time::Time;
use crate::value::Val;

/// `getHours` and the like, of a timestamp in UTC or another zone, or of a duration.
pub(super) fn part<'a>(name: &str, arguments: &[Val<'a>]) -> Outcome<'a> {
    let part = match arguments {
        [Val::Duration(nanoseconds)] => duration_part(name, *nanoseconds),
        [Val::Timestamp(time)] => timestamp_part(name, time.at_offset(0)),
        [Val::Timestamp(time), Val::String(zone)] => {
            timestamp_part(name, time.at_offset(offset(*time, zone)?))
        }
        _ => None,
    };
    part.map(Val::Int).ok_or_else(|| no_overload(name, arguments))
}

fn duration_part(name: &str, nanoseconds: i64) -> Option<i64> {
    Some(match name {
        "getHours" => nanoseconds / 3_600_000_000_000,
        "getMinutes" => nanoseconds / 60_000_000_000,
        "getSeconds" => nanoseconds / 1_000_000_000,
        // Of the whole duration, not the part below a second (cel-go, Duration.Receive).
        "getMilliseconds" => nanoseconds / 1_000_000,
        _ => return None,
    })
}

fn timestamp_part(name: &str, time: Option<DateTime>) -> Option<i64> {
    let time = time?;
    Some(match name {
        "getFullYear" => i64::from(time.year()),
        "getMonth" => i64::from(time.month()) - 1,
        "getDayOfYear" => i64::from(time.day_of_year()) - 1,
        "getDayOfMonth" => i64::from(time.day()) - 1,
        "getDate" => i64::from(time.day()),
        "getDayOfWeek" => i64::from(time.weekday().to_sunday_zero_offset()),
        "getHours" => i64::from(time.hour()),
        "getMinutes" => i64::from(time.minute()),
        "getSeconds" => i64::from(time.second()),
        "getMilliseconds" => i64::from(time.subsec_nanosecond()) / 1_000_000,
        _ => return None,
    })
}

/// The offset of a zone that is given by its name or as `+01:30`, in seconds.
fn offset(time: Time, zone: &str) -> Result<i64, Failure> {
    let unknown = || Failure::new(format!("unknown time zone {}", shortened(zone)));
    let Some((hours, minutes)) = zone.split_once(':') else {
        return match zone {
            "" | "UTC" => Ok(0),
            _ => Ok(time.offset_in(&TimeZone::get(zone).map_err(|_| unknown())?)),
        };
    };
    // cel-go takes any numbers here; beyond these no clock shows a year that CEL has.
    let number = |text: &str| text.parse::<i32>().map(i64::from).map_err(|_| unknown());
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    Ok(60 * if zone.starts_with('-') { hours * 60 - minutes } else { hours * 60 + minutes })
}
