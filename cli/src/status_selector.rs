//! `--status-selector`: objects by one of their conditions.

use std::str::FromStr;

use crate::object::Object;

/// `type=status` or `type!=status`, without regard to case.
///
/// An object that lacks the condition never matches, in either form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StatusSelector {
    condition: String,
    status: String,
    negated: bool,
}

impl StatusSelector {
    /// Says whether the object is selected.
    pub(crate) fn matches(&self, object: &Object) -> bool {
        let named = |type_: &str| type_.eq_ignore_ascii_case(&self.condition);
        let condition = object.conditions().filter(|condition| named(condition.type_)).last();
        condition.is_some_and(|found| found.status.eq_ignore_ascii_case(&self.status) != self.negated)
    }
}

impl FromStr for StatusSelector {
    type Err = ParseSelectorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (condition, status) = text.split_once('=').ok_or_else(|| ParseSelectorError(text.to_owned()))?;
        let negated = condition.ends_with('!');
        let condition = condition.trim_end_matches('!').to_owned();
        Ok(Self { condition, status: status.to_owned(), negated })
    }
}

/// The text has no `=`.
#[derive(Debug, thiserror::Error)]
#[error("expected status selector in type=status or type!=status format, but found: {0}")]
pub(crate) struct ParseSelectorError(String);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::StatusSelector;
    use crate::object::Object;

    fn object(conditions: &serde_json::Value) -> Object {
        Object::from_json(json!({
            "apiVersion": "v1",
            "kind": "X",
            "metadata": {"name": "x"},
            "status": {"conditions": conditions},
        }))
    }

    #[test]
    fn conditions_are_compared_without_regard_to_case() {
        let ready = object(&json!([{"type": "Ready", "status": "True"}]));
        let without = object(&json!([]));
        for (selector, of_ready, of_without) in [
            ("ready=true", true, false),
            ("READY=false", false, false),
            ("Ready!=true", false, false),
            ("ready!=False", true, false),
            ("nope=true", false, false),
            ("nope!=true", false, false),
            ("ready=", false, false),
        ] {
            let parsed: StatusSelector = selector.parse().unwrap();
            assert_eq!(parsed.matches(&ready), of_ready, "{selector}");
            assert_eq!(parsed.matches(&without), of_without, "{selector}");
        }
    }

    #[test]
    fn a_selector_needs_an_equals_sign() {
        let error = "nope".parse::<StatusSelector>().unwrap_err().to_string();
        assert_eq!(error, "expected status selector in type=status or type!=status format, but found: nope");
    }
}
