use std::collections::HashMap;
use std::sync::Arc;

use api::kustomize::v1::HealthCheckExpr;
use expr::{Expression, ParseError};
use jiff::Timestamp;
use serde_json::Value;

use super::fields::text;
use super::{State, Status, group, kinds, status_at, unobserved};

/// How the health of objects is judged: by the rules of their kinds, and by the user's CEL expressions for some.
///
/// A clone costs a counter. The default has no expressions.
///
/// Source: `github.com/fluxcd/pkg/runtime/cel`, `status_evaluator.go` and `status_reader.go`.
#[derive(Clone, Debug, Default)]
pub struct Checks {
    by_kind: Arc<HashMap<GroupKind, Evaluator>>,
    impersonated: bool,
}

/// The kind is empty where a check is for a whole group.
type GroupKind = (String, String);

/// Why `spec.healthCheckExprs` can't be used. The texts are Flux's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChecksError {
    /// Two entries are for the same group and kind.
    #[error("duplicate custom health check for GroupKind {group_kind} at healthchecks[{index}]")]
    Duplicate {
        /// As `Kind.group`, without what is empty.
        group_kind: String,
        /// Which entry is the second.
        index: usize,
    },
    /// The entry has no expression for `current`.
    #[error(
        "failed to create custom status evaluator for healthchecks[{index}]: expression Current not specified"
    )]
    NoCurrent {
        /// Which entry.
        index: usize,
    },
    /// An expression isn't CEL.
    #[error(
        "failed to create custom status evaluator for healthchecks[{index}]: failed to parse the expression {field}"
    )]
    Expression {
        /// Which entry.
        index: usize,
        /// `Current`, `Failed` or `InProgress`.
        field: &'static str,
        /// What is wrong with it.
        source: ParseError,
    },
}

impl Checks {
    /// Compiles the checks of a Kustomization.
    ///
    /// # Errors
    /// When an expression isn't CEL, `current` is empty, or two entries are for the same group and kind.
    pub fn new(exprs: &[HealthCheckExpr]) -> Result<Self, ChecksError> {
        let mut by_kind = HashMap::new();
        for (index, check) in exprs.iter().enumerate() {
            let key = (group(&check.api_version).to_owned(), check.kind.clone());
            if by_kind.contains_key(&key) {
                return Err(ChecksError::Duplicate { group_kind: group_kind_text(&key), index });
            }
            by_kind.insert(key, Evaluator::new(check, index)?);
        }
        Ok(Self { by_kind: Arc::new(by_kind), impersonated: false })
    }

    /// The same checks for a run under another identity or on another cluster: there, expressions for Jobs come
    /// before the built-in rules for Jobs.
    #[must_use]
    pub fn impersonated(mut self, impersonated: bool) -> Self {
        self.impersonated = impersonated;
        self
    }

    /// Judges a live object by now's clock, see [`Checks::status_at`].
    #[must_use]
    pub fn status(&self, object: &Value) -> Status {
        self.status_at(object, Timestamp::now())
    }

    /// Judges a live object by the expressions for its kind or group, where there are none by [`super::status_at`].
    #[must_use]
    pub fn status_at(&self, object: &Value, now: Timestamp) -> Status {
        match self.evaluator(object) {
            Some(evaluator) => evaluator.status(object),
            None => status_at(object, now),
        }
    }

    /// Tells whether an object is judged by expressions alone, so that its Pods don't matter.
    #[must_use]
    pub fn has_expressions_for(&self, object: &Value) -> bool {
        self.evaluator(object).is_some()
    }

    fn evaluator(&self, object: &Value) -> Option<&Evaluator> {
        if self.by_kind.is_empty() {
            return None;
        }
        let group = group(text(object, "/apiVersion"));
        let kind = text(object, "/kind");
        // Flux asks its Job reader first, but appends it to the CEL reader when it impersonates.
        if !self.impersonated && kinds::is_job(group, kind) {
            return None;
        }
        let key = (group.to_owned(), kind.to_owned());
        self.by_kind.get(&key).or_else(|| self.by_kind.get(&(key.0, String::new())))
    }
}

fn group_kind_text((group, kind): &GroupKind) -> String {
    match (group.is_empty(), kind.is_empty()) {
        (true, _) => kind.clone(),
        (false, _) => format!("{kind}.{group}"),
    }
}

/// The expressions of one entry.
#[derive(Clone, Debug)]
struct Evaluator {
    in_progress: Option<Expression>,
    failed: Option<Expression>,
    current: Expression,
}

impl Evaluator {
    fn new(check: &HealthCheckExpr, index: usize) -> Result<Self, ChecksError> {
        let parse = |field, text: &str| {
            Expression::parse(text).map_err(|source| ChecksError::Expression { index, field, source })
        };
        let optional = |field, text: &Option<String>| {
            text.as_deref().filter(|text| !text.is_empty()).map(|text| parse(field, text)).transpose()
        };
        if check.current.is_empty() {
            return Err(ChecksError::NoCurrent { index });
        }
        Ok(Self {
            current: parse("Current", &check.current)?,
            failed: optional("Failed", &check.failed)?,
            in_progress: optional("InProgress", &check.in_progress)?,
        })
    }

    // The order is that of Flux's RFC 0009.
    fn status(&self, object: &Value) -> Status {
        // An observed generation that is no integer says nothing here: some kinds have a text there.
        if let Ok(Some(status)) = unobserved(object) {
            return status;
        }
        let Some(fields) = object.as_object() else {
            return Status::new(State::Unknown, "not an object");
        };
        let rules = [
            (self.in_progress.as_ref(), State::InProgress, "inProgress"),
            (self.failed.as_ref(), State::Failed, "failed"),
            (Some(&self.current), State::Current, "current"),
        ];
        for (expression, state, field) in rules {
            let Some(expression) = expression else { continue };
            match expression.eval_bool(fields) {
                Ok(true) => return Status::new(state, format!("healthCheckExprs: {field} is true")),
                Ok(false) => {}
                Err(error) => return Status::new(State::Unknown, error.to_string()),
            }
        }
        Status::in_progress("healthCheckExprs: none is true")
    }
}
