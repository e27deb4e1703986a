//! Times, durations, months and weekdays as templates see them, with Go's methods.

use std::any::Any;

use gotemplate::{CallError, IntType, Kind, Object, Type, Value};

use crate::arguments::{Answer, int, text};
use crate::methods::{self, DURATION, INT64_KIND, Parameter};
use crate::time::{Duration, Time, Zone, month_name, weekday_name};

/// A `time.Time`.
pub(crate) struct TimeObject {
    pub(crate) time: Time,
    /// What templates call `Local`.
    pub(crate) local: Zone,
}

/// A `time.Duration`.
struct DurationObject(Duration);

/// A `time.Month` or a `time.Weekday`.
struct NamedNumber {
    type_name: &'static str,
    number: i64,
    name: &'static str,
}

/// A `*time.Location`.
struct LocationObject(Zone);

const TIME: &str = "time.Time";
const LOCATION: &str = "*time.Location";

/// The type of a parameter that takes a time.
pub(crate) fn time_type() -> Type {
    Type::Named(TIME.into(), Kind::Struct)
}

impl TimeObject {
    pub(crate) fn value(time: Time, local: Zone) -> Value {
        Value::object(Self { time, local })
    }

    fn derived(&self, time: Time) -> Value {
        Self::value(time, self.local.clone())
    }

    /// Methods without parameters.
    fn property(&self, name: &str) -> Option<Value> {
        let time = &self.time;
        let [hour, minute, second] = time.clock();
        Some(match name {
            "Unix" => Value::int64(time.unix()),
            "UnixMilli" => Value::int64(unix_in(time, 1_000)),
            "UnixMicro" => Value::int64(unix_in(time, 1_000_000)),
            "UnixNano" => Value::int64(time.unix_nano()),
            "Year" => Value::int(time.year()),
            "Month" => month(time.month()),
            "Day" => Value::int(time.day().into()),
            "Hour" => Value::int(hour),
            "Minute" => Value::int(minute),
            "Second" => Value::int(second),
            "Nanosecond" => Value::int(time.nanosecond().into()),
            "Weekday" => weekday(time.weekday()),
            "YearDay" => Value::int(time.year_day()),
            "IsZero" => time.is_zero().into(),
            "IsDST" => time.is_dst().into(),
            "UTC" => self.derived(time.within(Zone::Utc)),
            "Local" => self.derived(time.within(self.local.clone())),
            "Location" => Value::object(LocationObject(time.zone().clone())),
            "String" => Value::from(time.to_string()),
            "MarshalJSON" => Value::bytes(format!("\"{}\"", time.rfc3339()).as_bytes()),
            "MarshalText" => Value::bytes(time.rfc3339().as_bytes()),
            _ => return None,
        })
    }

    fn computed(&self, name: &str, arguments: &[Value]) -> Option<Answer> {
        let other = |holds: fn(std::cmp::Ordering) -> Value| {
            let other = time(arguments)?;
            Ok(holds(self.time.compare(&other.time)))
        };
        Some(match name {
            "Format" => methods::check(arguments, &[Parameter::String])
                .and_then(|()| Ok(Value::string(self.time.format(text(arguments, 0)?)))),
            "Add" => duration(arguments).map(|by| self.derived(self.time.add(by))),
            "Truncate" => duration(arguments).map(|unit| self.derived(self.time.truncate(unit))),
            "Round" => duration(arguments).map(|unit| self.derived(self.time.round(unit))),
            "AddDate" => self.add_date(arguments),
            "Sub" => time(arguments).map(|other| Value::object(DurationObject(self.time.since(&other.time)))),
            "Before" => other(|order| order.is_lt().into()),
            "After" => other(|order| order.is_gt().into()),
            "Equal" => other(|order| order.is_eq().into()),
            "Compare" => other(|order| Value::int(order as i64)),
            "In" => self.within(arguments),
            _ => return None,
        })
    }

    fn add_date(&self, arguments: &[Value]) -> Answer {
        methods::check(arguments, &[Parameter::Int; 3])?;
        let (years, months, days) = (int(arguments, 0)?, int(arguments, 1)?, int(arguments, 2)?);
        Ok(self.derived(self.time.add_date(years, months, days)))
    }

    fn within(&self, arguments: &[Value]) -> Answer {
        methods::check(arguments, &[Parameter::Object(LOCATION)])?;
        match arguments.first().and_then(Value::downcast::<LocationObject>) {
            Some(location) => Ok(self.derived(self.time.within(location.0.clone()))),
            None => Err("time: missing Location in call to Time.In".into()),
        }
    }
}

impl Object for TimeObject {
    fn type_name(&self) -> &str {
        TIME
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn method(&self, name: &str, arguments: &[Value]) -> Option<Answer> {
        // Templates can't call methods of several results.
        let refusal = match name {
            "Date" | "Clock" => Some(format!("function {name} has 3 return values; should be 1 or 2")),
            "ISOWeek" | "Zone" => Some(format!(
                "invalid function signature for {name}: second return value should be error; is int"
            )),
            "ZoneBounds" => Some(format!(
                "invalid function signature for {name}: second return value should be error; is time.Time"
            )),
            _ => None,
        };
        if let Some(refusal) = refusal {
            return Some(Err(refusal.into()));
        }
        match self.property(name) {
            Some(value) => Some(methods::check(arguments, &[]).map(|()| value)),
            None => self.computed(name, arguments),
        }
    }

    fn display(&self) -> Option<String> {
        Some(self.time.to_string())
    }

    fn json(&self) -> Option<Value> {
        Some(Value::from(self.time.rfc3339()))
    }

    fn equals(&self, other: &dyn Object) -> bool {
        let other = other.as_any().downcast_ref::<Self>();
        other.is_some_and(|other| self.time.is_identical(&other.time))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A duration as a template sees it: a `time.Duration` with its methods.
pub fn duration_value(duration: Duration) -> Value {
    Value::object(DurationObject(duration))
}

/// The duration behind a value that is a `time.Duration`.
pub fn as_duration(value: &Value) -> Option<Duration> {
    value.downcast::<DurationObject>().map(|object| object.0)
}

impl DurationObject {
    fn property(&self, name: &str) -> Option<Value> {
        let duration = self.0;
        let units = |nanoseconds: i64| Value::Float(duration.in_units(Duration(nanoseconds)));
        Some(match name {
            "Nanoseconds" => Value::int64(duration.0),
            "Microseconds" => Value::int64(duration.0 / 1_000),
            "Milliseconds" => Value::int64(duration.0 / 1_000_000),
            "Seconds" => units(1_000_000_000),
            "Minutes" => units(60_000_000_000),
            "Hours" => units(3_600_000_000_000),
            "Abs" => Value::object(Self(Duration(duration.0.saturating_abs()))),
            "String" => Value::from(duration.to_string()),
            _ => return None,
        })
    }
}

impl Object for DurationObject {
    fn type_name(&self) -> &str {
        DURATION
    }

    fn kind(&self) -> Kind {
        INT64_KIND
    }

    fn is_true(&self) -> bool {
        self.0.0 != 0
    }

    fn method(&self, name: &str, arguments: &[Value]) -> Option<Answer> {
        if let Some(value) = self.property(name) {
            return Some(methods::check(arguments, &[]).map(|()| value));
        }
        let rounded = |round: fn(Duration, Duration) -> Duration| {
            duration(arguments).map(|unit| Value::object(Self(round(self.0, unit))))
        };
        match name {
            "Round" => Some(rounded(Duration::round)),
            "Truncate" => Some(rounded(Duration::truncate)),
            _ => None,
        }
    }

    fn display(&self) -> Option<String> {
        Some(self.0.to_string())
    }

    fn json(&self) -> Option<Value> {
        Some(Value::int64(self.0.0))
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref::<Self>().is_some_and(|other| self.0 == other.0)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Object for NamedNumber {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn kind(&self) -> Kind {
        Kind::Int(IntType::Int)
    }

    fn is_true(&self) -> bool {
        self.number != 0
    }

    fn method(&self, name: &str, arguments: &[Value]) -> Option<Answer> {
        let text = (name == "String").then(|| Value::from(self.name));
        text.map(|text| methods::check(arguments, &[]).map(|()| text))
    }

    fn display(&self) -> Option<String> {
        Some(self.name.to_owned())
    }

    fn json(&self) -> Option<Value> {
        Some(Value::int(self.number))
    }

    fn equals(&self, other: &dyn Object) -> bool {
        let same = |other: &Self| (self.type_name, self.number) == (other.type_name, other.number);
        other.as_any().downcast_ref().is_some_and(same)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Object for LocationObject {
    fn type_name(&self) -> &str {
        LOCATION
    }

    fn kind(&self) -> Kind {
        Kind::Ptr
    }

    fn method(&self, name: &str, arguments: &[Value]) -> Option<Answer> {
        let text = (name == "String").then(|| Value::from(self.0.name()));
        text.map(|text| methods::check(arguments, &[]).map(|()| text))
    }

    fn display(&self) -> Option<String> {
        Some(self.0.name().to_owned())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn month(month: u8) -> Value {
    Value::object(NamedNumber { type_name: "time.Month", number: month.into(), name: month_name(month) })
}

fn weekday(weekday: usize) -> Value {
    let (number, name) = (weekday as i64, weekday_name(weekday));
    Value::object(NamedNumber { type_name: "time.Weekday", number, name })
}

/// The Unix time in parts of a second; wraps like Go's.
fn unix_in(time: &Time, parts: i64) -> i64 {
    let below = i64::from(time.nanosecond()) / (1_000_000_000 / parts);
    time.unix().wrapping_mul(parts).wrapping_add(below)
}

/// The argument of a method that takes a time.
fn time(arguments: &[Value]) -> Result<&TimeObject, CallError> {
    methods::check(arguments, &[Parameter::Object(TIME)])?;
    let time = arguments.first().and_then(Value::downcast::<TimeObject>);
    time.ok_or_else(|| format!("wrong type for value; expected {TIME}").into())
}

/// The argument of a method that takes a duration.
fn duration(arguments: &[Value]) -> Result<Duration, CallError> {
    methods::check(arguments, &[Parameter::Duration])?;
    match arguments.first().and_then(Value::downcast::<DurationObject>) {
        Some(duration) => Ok(duration.0),
        None => int(arguments, 0).map(Duration),
    }
}
