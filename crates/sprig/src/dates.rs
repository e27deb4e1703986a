//! Dates and durations. The clock and the local zone are those of the caller's [`Sources`].

use std::rc::Rc;

use gotemplate::strconv::{self, NumError};
use gotemplate::{Function, Functions, IntType, Type, Value};

use crate::Sources;
use crate::arguments::{ANY, Answer, STRING, any, plain, text};
use crate::time::{Duration, Time, Zone, Zones};
use crate::time_objects::{TimeObject, time_type};

/// What a function does with the clock and its arguments.
type Body = fn(&Clock, &[Value]) -> Answer;

pub(crate) fn register(functions: &mut Functions, sources: &Rc<dyn Sources>) {
    let clock = Rc::new(Clock { sources: Rc::clone(sources), zones: Zones::bundled() });
    let mut add = |names: &[&'static str], parameters: &[Type], body: Body| {
        for name in names {
            let clock = Rc::clone(&clock);
            functions.insert(name, Function::new(parameters, move |_, arguments| body(&clock, arguments)));
        }
    };
    register_formats(&mut add);
    register_changes(&mut add);
    register_parsers(&mut add);
    register_durations(&mut add);
    plain(functions, "duration", [ANY], |arguments| {
        let seconds = match any(arguments, 0)? {
            // Go goes on with what it has when a text isn't a number: nothing, or the nearest one.
            Value::String(text) => match strconv::parse_int(text, 10, 64) {
                Ok(seconds) | Err(NumError::Range(seconds)) => seconds,
                Err(NumError::Syntax) => 0,
            },
            Value::Int(seconds, IntType::Int64) => *seconds as i64,
            _ => 0,
        };
        Ok(Value::from(Duration::from_seconds(seconds).to_string()))
    });
}

fn register_formats(add: &mut impl FnMut(&[&'static str], &[Type], Body)) {
    add(&["now"], &[], |clock, _| Ok(clock.value(clock.now())));
    add(&["date"], &[STRING, ANY], |clock, arguments| {
        let layout = text(arguments, 0)?;
        Ok(Value::string(clock.format(layout, any(arguments, 1)?, b"Local")))
    });
    add(&["dateInZone", "date_in_zone"], &[STRING, ANY, STRING], |clock, arguments| {
        let (layout, zone) = (text(arguments, 0)?, text(arguments, 2)?);
        Ok(Value::string(clock.format(layout, any(arguments, 1)?, zone)))
    });
    add(&["htmlDate"], &[ANY], |clock, arguments| {
        Ok(Value::string(clock.format(HTML, any(arguments, 0)?, b"Local")))
    });
    add(&["htmlDateInZone"], &[ANY, STRING], |clock, arguments| {
        let zone = text(arguments, 1)?;
        Ok(Value::string(clock.format(HTML, any(arguments, 0)?, zone)))
    });
    add(&["unixEpoch"], &[time_type()], |clock, arguments| {
        Ok(Value::from(clock.time(any(arguments, 0)?).unix().to_string()))
    });
}

fn register_changes(add: &mut impl FnMut(&[&'static str], &[Type], Body)) {
    add(&["dateModify", "date_modify"], &[STRING, time_type()], |clock, arguments| {
        let date = any(arguments, 1)?;
        Ok(match Duration::parse(text(arguments, 0)?) {
            Ok(duration) => clock.value(clock.time(date).add(duration)),
            Err(_) => date.clone(),
        })
    });
    add(&["mustDateModify", "must_date_modify"], &[STRING, time_type()], |clock, arguments| {
        let duration = Duration::parse(text(arguments, 0)?).map_err(|error| error.to_string())?;
        Ok(clock.value(clock.time(any(arguments, 1)?).add(duration)))
    });
}

fn register_parsers(add: &mut impl FnMut(&[&'static str], &[Type], Body)) {
    add(&["toDate"], &[STRING, STRING], |clock, arguments| {
        let time = Time::parse(text(arguments, 0)?, text(arguments, 1)?, &clock.local());
        Ok(clock.value(time.unwrap_or_else(|_| Time::zero())))
    });
    add(&["mustToDate"], &[STRING, STRING], |clock, arguments| {
        let time = Time::parse(text(arguments, 0)?, text(arguments, 1)?, &clock.local());
        Ok(clock.value(time.map_err(|error| error.to_string())?))
    });
}

fn register_durations(add: &mut impl FnMut(&[&'static str], &[Type], Body)) {
    add(&["ago"], &[ANY], |clock, arguments| {
        let date = match any(arguments, 0)? {
            // Unlike other functions it doesn't take an int32.
            Value::Int(_, IntType::Int32) => clock.now(),
            date => clock.time(date),
        };
        Ok(Value::from(clock.now().since(&date).round(Duration::from_seconds(1)).to_string()))
    });
    add(&["durationRound"], &[ANY], |clock, arguments| {
        let duration = match any(arguments, 0)? {
            Value::String(text) => Duration::parse(text).unwrap_or_default(),
            Value::Int(nanoseconds, IntType::Int64) => Duration(*nanoseconds as i64),
            value => match value.downcast::<TimeObject>() {
                Some(object) => clock.now().since(&object.time),
                None => Duration::default(),
            },
        };
        Ok(Value::from(rounded(duration)))
    });
}

/// The layout of HTML's `<input type="date">`.
const HTML: &[u8] = b"2006-01-02";

/// What `durationRound` cuts a duration into, in seconds: years, months, days, …
const UNITS: [(u64, &str); 6] =
    [(365 * 24 * 3600, "y"), (30 * 24 * 3600, "mo"), (24 * 3600, "d"), (3600, "h"), (60, "m"), (1, "s")];

/// The largest unit that the duration exceeds, and how many of it, without a sign.
fn rounded(duration: Duration) -> String {
    let size = duration.0.unsigned_abs();
    for (seconds, unit) in UNITS {
        let unit_size = seconds * 1_000_000_000;
        if size > unit_size {
            return format!("{}{unit}", size / unit_size);
        }
    }
    "0s".to_owned()
}

/// The clock, and the zones it may be read in.
struct Clock {
    sources: Rc<dyn Sources>,
    zones: Zones,
}

impl Clock {
    fn now(&self) -> Time {
        let now = self.sources.now();
        let nanosecond = now.timestamp().as_nanosecond().rem_euclid(1_000_000_000) as u32;
        let unix = now.timestamp().as_nanosecond().div_euclid(1_000_000_000) as i64;
        Time::from_unix(unix, nanosecond, Zone::Local(now.time_zone().clone()))
    }

    fn local(&self) -> Zone {
        Zone::Local(self.sources.now().time_zone().clone())
    }

    fn value(&self, time: Time) -> Value {
        TimeObject::value(time, self.local())
    }

    /// A time, or seconds since 1970 of some integer types; everything else is now.
    fn time(&self, date: &Value) -> Time {
        match date {
            Value::Int(unix, IntType::Int | IntType::Int32 | IntType::Int64) => {
                Time::from_unix(*unix as i64, 0, self.local())
            }
            _ => match date.downcast::<TimeObject>() {
                Some(object) => object.time.clone(),
                None => self.now(),
            },
        }
    }

    fn format(&self, layout: &[u8], date: &Value, zone: &[u8]) -> Vec<u8> {
        let zone = match std::str::from_utf8(zone) {
            Ok("Local") => self.local(),
            Ok(zone) => self.zones.get(zone).unwrap_or(Zone::Utc),
            Err(_) => Zone::Utc,
        };
        self.time(date).within(zone).format(layout)
    }
}
