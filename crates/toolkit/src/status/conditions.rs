//! Reading and changing a list of conditions, with Flux's rules for times, order and limits.

use std::borrow::Cow;

use api::meta::{Condition, ConditionStatus, Time, condition};
use jiff::Timestamp;

/// Longest message of a condition in bytes (limit of the CRD schema).
const MAX_MESSAGE: usize = 32768;

/// What a condition is set to.
#[derive(Clone, Copy, Debug)]
pub struct Assertion<'a> {
    /// Condition type.
    pub type_: &'a str,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// CamelCase identifier of the cause.
    pub reason: &'a str,
    /// Text for people; cut at 32768 bytes.
    pub message: &'a str,
}

/// Returns the condition of that type.
#[must_use]
pub fn get<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|c| c.type_ == type_)
}

/// Tells whether the condition is there and has that status.
#[must_use]
pub fn is(conditions: &[Condition], type_: &str, status: ConditionStatus) -> bool {
    get(conditions, type_).is_some_and(|c| c.status == status)
}

/// Sets a condition for a generation.
///
/// `lastTransitionTime` moves when status, reason or message change. Reconciling and Stalled exclude each
/// other: setting one to True removes the other.
///
/// Source: `fluxcd/pkg/runtime/conditions` (`Set`, `MarkReconciling`, `MarkStalled`).
pub fn set(conditions: &mut Vec<Condition>, assertion: Assertion<'_>, generation: i64, now: Timestamp) {
    if assertion.status == ConditionStatus::True {
        match assertion.type_ {
            condition::RECONCILING => remove(conditions, condition::STALLED),
            condition::STALLED => remove(conditions, condition::RECONCILING),
            _ => {}
        }
    }
    let message = cut(&printable(assertion.message));
    let fresh = Condition {
        type_: assertion.type_.to_owned(),
        status: assertion.status,
        reason: assertion.reason.to_owned(),
        message,
        observed_generation: Some(generation),
        last_transition_time: Time::new(now),
    };
    match conditions.iter_mut().find(|c| c.type_ == assertion.type_) {
        Some(old) => {
            let same =
                old.status == fresh.status && old.reason == fresh.reason && old.message == fresh.message;
            let since = if same { old.last_transition_time } else { fresh.last_transition_time };
            *old = Condition { last_transition_time: since, ..fresh };
        }
        None => conditions.push(fresh),
    }
    sort(conditions);
}

/// The text with what a terminal would obey written out: control characters, and those that turn the direction.
fn printable(message: &str) -> Cow<'_, str> {
    let harmful = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !message.contains(harmful) {
        return Cow::Borrowed(message);
    }
    let mut text = String::with_capacity(message.len() + 8);
    for c in message.chars() {
        if harmful(c) { text.extend(c.escape_default()) } else { text.push(c) }
    }
    Cow::Owned(text)
}

/// Removes a condition; nothing happens when it is not there.
pub fn remove(conditions: &mut Vec<Condition>, type_: &str) {
    conditions.retain(|c| c.type_ != type_);
}

/// Marks work that goes on after a failed attempt: Reconciling keeps its message, its reason changes.
pub fn mark_retrying(conditions: &mut [Condition], now: Timestamp) {
    let Some(reconciling) = conditions.iter_mut().find(|c| c.type_ == condition::RECONCILING) else { return };
    if reconciling.reason != api::meta::reason::PROGRESSING_WITH_RETRY {
        api::meta::reason::PROGRESSING_WITH_RETRY.clone_into(&mut reconciling.reason);
        reconciling.last_transition_time = Time::new(now);
    }
}

/// Stalled, Reconciling and Ready come first, then the newest generation, then the type's name.
fn sort(conditions: &mut [Condition]) {
    let rank = |type_: &str| match type_ {
        condition::STALLED => 0,
        condition::RECONCILING => 1,
        condition::READY => 2,
        _ => 3,
    };
    conditions.sort_by(|a, b| {
        let rest = || b.observed_generation.cmp(&a.observed_generation).then_with(|| a.type_.cmp(&b.type_));
        rank(&a.type_).cmp(&rank(&b.type_)).then_with(rest)
    });
}

fn cut(message: &str) -> String {
    const ELLIPSIS: &str = "...";
    if message.len() <= MAX_MESSAGE {
        return message.to_owned();
    }
    let end = message.floor_char_boundary(MAX_MESSAGE - ELLIPSIS.len());
    format!("{}{ELLIPSIS}", message.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use ConditionStatus::{False, True, Unknown};

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn assert<'a>(type_: &'a str, status: ConditionStatus, message: &'a str) -> Assertion<'a> {
        Assertion { type_, status, reason: "Because", message }
    }

    #[test]
    fn the_time_moves_only_with_the_content() {
        let mut list = Vec::new();
        set(&mut list, assert("Ready", Unknown, "a"), 1, at(1));
        set(&mut list, assert("Ready", Unknown, "a"), 2, at(2));
        assert_eq!(list[0].last_transition_time, Time::new(at(1)));
        assert_eq!(list[0].observed_generation, Some(2));
        set(&mut list, assert("Ready", Unknown, "b"), 2, at(3));
        assert_eq!(list[0].last_transition_time, Time::new(at(3)));
    }

    #[test]
    fn stalled_and_reconciling_exclude_each_other() {
        let mut list = Vec::new();
        set(&mut list, assert("Reconciling", True, "a"), 1, at(1));
        set(&mut list, assert("Stalled", True, "b"), 1, at(1));
        assert_eq!(list.iter().map(|c| c.type_.as_str()).collect::<Vec<_>>(), ["Stalled"]);
        set(&mut list, assert("Reconciling", True, "a"), 1, at(1));
        assert_eq!(list.iter().map(|c| c.type_.as_str()).collect::<Vec<_>>(), ["Reconciling"]);
    }

    #[test]
    fn the_order_is_fixed() {
        let mut list = Vec::new();
        for (type_, generation) in [
            ("SourceVerified", 2),
            ("ArtifactInStorage", 1),
            ("Ready", 1),
            ("ArtifactOutdated", 1),
            ("Reconciling", 1),
        ] {
            set(&mut list, assert(type_, True, ""), generation, at(1));
        }
        assert_eq!(
            list.iter().map(|c| c.type_.as_str()).collect::<Vec<_>>(),
            ["Reconciling", "Ready", "SourceVerified", "ArtifactInStorage", "ArtifactOutdated"]
        );
    }

    #[test]
    fn long_messages_are_cut_at_a_character() {
        let mut list = Vec::new();
        set(&mut list, assert("Ready", False, &"é".repeat(20_000)), 1, at(1));
        assert!(list[0].message.len() <= MAX_MESSAGE && list[0].message.ends_with("é..."));
    }
}
