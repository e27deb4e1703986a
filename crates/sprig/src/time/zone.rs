//! Time zones: UTC, fixed ones, and those of the bundled IANA database.

use std::rc::Rc;

use jiff::Timestamp;
use jiff::tz::{Dst, TimeZone, TimeZoneDatabase};

use super::civil::SECONDS_PER_DAY;

/// The zone of a time: Go's `*time.Location`.
#[derive(Clone, Debug)]
pub enum Zone {
    Utc,
    /// A zone that a parsed text made up: seconds east of UTC, and a name that may be empty.
    Fixed {
        name: Rc<str>,
        offset: i64,
    },
    /// The zone of the machine, which Go calls `Local`.
    Local(TimeZone),
    /// A zone of the database.
    Named(TimeZone),
}

/// The zone database that comes with the program, so that the machine's doesn't matter.
#[derive(Clone)]
pub struct Zones(TimeZoneDatabase);

/// What holds in a zone at some instant.
pub(super) struct Observed {
    /// `CET`, `+03`; empty for a fixed zone without a name.
    pub(super) abbreviation: String,
    /// Seconds east of UTC.
    pub(super) offset: i64,
    pub(super) is_dst: bool,
}

impl Zones {
    pub fn bundled() -> Self {
        Self(TimeZoneDatabase::bundled())
    }

    /// The zone of that name, as Go's `LoadLocation` but for `Local`; case matters.
    pub fn get(&self, name: &str) -> Option<Zone> {
        if name.is_empty() || name == "UTC" {
            return Some(Zone::Utc);
        }
        let zone = self.0.get(name).ok()?;
        // The database ignores case, the files that Go reads don't.
        (zone.iana_name() == Some(name)).then_some(Zone::Named(zone))
    }
}

impl Zone {
    /// What Go's `Location.String` says.
    pub fn name(&self) -> &str {
        match self {
            Self::Utc => "UTC",
            Self::Fixed { name, .. } => name,
            Self::Local(_) => "Local",
            Self::Named(zone) => zone.iana_name().unwrap_or_default(),
        }
    }

    /// What holds at that Unix time.
    pub(super) fn observed(&self, unix: i64) -> Observed {
        match self {
            Self::Utc => Observed { abbreviation: "UTC".to_owned(), offset: 0, is_dst: false },
            Self::Fixed { name, offset } => {
                Observed { abbreviation: name.to_string(), offset: *offset, is_dst: false }
            }
            Self::Local(zone) | Self::Named(zone) => {
                let info = zone.to_offset_info(timestamp(unix));
                Observed {
                    abbreviation: info.abbreviation().to_owned(),
                    offset: info.offset().seconds().into(),
                    is_dst: info.dst() == Dst::Yes,
                }
            }
        }
    }

    /// The offset that an abbreviation has in this zone, if possible at that local time.
    pub(super) fn offset_named(&self, abbreviation: &str, unix: i64) -> Option<i64> {
        let offsets: Vec<i64> = match self {
            Self::Local(zone) | Self::Named(zone) => offsets_named(zone, abbreviation),
            Self::Utc | Self::Fixed { .. } => {
                let observed = self.observed(unix);
                (observed.abbreviation == abbreviation).then_some(observed.offset).into_iter().collect()
            }
        };
        let in_effect = |offset: &&i64| self.observed(unix - **offset).abbreviation == abbreviation;
        match offsets.iter().find(in_effect) {
            Some(offset) => Some(self.observed(unix - offset).offset),
            None => offsets.first().copied(),
        }
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Utc, Self::Utc) | (Self::Local(_), Self::Local(_)) => true,
            (Self::Named(left), Self::Named(right)) => left == right,
            _ => false,
        }
    }
}

/// All offsets that an abbreviation has had in a zone, oldest first.
fn offsets_named(zone: &TimeZone, abbreviation: &str) -> Vec<i64> {
    // The rules of today repeat for ever; a few years of them are enough.
    let until = timestamp(2_500_000_000);
    let first = zone.to_offset_info(Timestamp::MIN);
    let mut offsets = Vec::new();
    let mut add = |named: &str, offset: i64| {
        if named == abbreviation && !offsets.contains(&offset) {
            offsets.push(offset);
        }
    };
    add(first.abbreviation(), first.offset().seconds().into());
    for transition in zone.following(Timestamp::MIN).take_while(|next| next.timestamp() < until) {
        add(transition.abbreviation(), transition.offset().seconds().into());
    }
    offsets
}

/// An instant that the database knows about: the same one, the earliest, or, in the far future, one
/// of the same day of the week and of the year.
fn timestamp(unix: i64) -> Timestamp {
    // The calendar repeats after 400 years, which are whole weeks.
    const PERIOD: i64 = 146_097 * SECONDS_PER_DAY;
    let latest = Timestamp::MAX.as_second();
    let known = if unix > latest {
        latest - PERIOD + (i128::from(unix) - i128::from(latest)).rem_euclid(PERIOD.into()) as i64
    } else {
        unix.max(Timestamp::MIN.as_second())
    };
    Timestamp::from_second(known).unwrap_or(Timestamp::UNIX_EPOCH)
}
