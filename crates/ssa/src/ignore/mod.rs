//! Fields of objects that others may change.

use api::kustomize::v1::DriftIgnoreRule;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::drift::{self, Digest};

mod owned;
mod pointer;
mod selector;

use self::owned::Claims;
use self::pointer::Pointer;
pub use self::pointer::PointerError;
use self::selector::Selector;
pub use self::selector::SelectorError;

/// Rules that name fields which are none of our business, compiled.
#[derive(Debug, Default)]
pub struct IgnoreRules {
    rules: Vec<Rule>,
    digest: Digest,
}

#[derive(Debug)]
struct Rule {
    target: Option<Selector>,
    paths: Vec<Pointer>,
}

/// A rule can't be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum IgnoreRuleError {
    /// A path is no JSON pointer to a field that can be ignored.
    #[error("failed to create ignore rule: spec.ignore[{rule}].paths[{path}]")]
    Path {
        /// Index of the rule.
        rule: usize,
        /// Index of the path in the rule.
        path: usize,
        /// What is wrong with it.
        source: PointerError,
    },
    /// A field of the target is neither a regular expression nor a label selector.
    #[error("failed to create ignore rule selector: spec.ignore[{rule}].target")]
    Target {
        /// Index of the rule.
        rule: usize,
        /// Which field, and what is wrong with it.
        source: SelectorError,
    },
}

impl IgnoreRules {
    /// Compiles `spec.ignore`.
    ///
    /// Source: `github.com/fluxcd/pkg/ssa/jsondiff` `CompileIgnoreRules`. Deviation: paths are checked here, not when
    /// they are first used; order of rules is kept.
    ///
    /// # Errors
    /// Names the first field that can't be used.
    pub fn new(rules: &[DriftIgnoreRule]) -> Result<Self, IgnoreRuleError> {
        let compiled = rules.iter().enumerate().map(|(index, rule)| compile(index, rule));
        let rules_compiled = compiled.collect::<Result<Vec<_>, _>>()?;
        let text = format!("{rules:?}");
        let digest = if rules.is_empty() { Digest::default() } else { Sha256::digest(text).into() };
        Ok(Self { rules: rules_compiled, digest })
    }

    /// Of the rules; all zeros for none.
    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    /// What [`drift::live_digest`] tells of an object without what is ignored of it.
    pub(crate) fn live_digest(&self, object: &Value) -> Digest {
        let paths = self.paths(object);
        if paths.is_empty() {
            drift::live_digest(object)
        } else {
            drift::live_digest(&without(object, &paths))
        }
    }

    /// Tells whether more than what is ignored differs; `merged` is what the rules are matched with.
    pub(crate) fn drifted(&self, live: &Value, merged: &Value) -> bool {
        let paths = self.paths(merged);
        if paths.is_empty() {
            return drift::drifted(live, merged);
        }
        drift::drifted(&without(live, &paths), &without(merged, &paths))
    }

    /// An object without what is ignored of it; `merged` is what the rules are matched with.
    pub(crate) fn strip(&self, object: &Value, merged: &Value) -> Value {
        without(object, &self.paths(merged))
    }

    /// What is to be applied in the place of `body` so that ignored fields stay as they are; nothing where the body
    /// itself does.
    ///
    /// A field that another manager applies is left out; any other gets its live value, or leaves with it.
    ///
    /// Source: `github.com/fluxcd/pkg/ssa` `computeDriftedPaths`, `applyDriftResult`. Deviation: a field that is not
    /// in the body, or not in the live object, is no error.
    pub(crate) fn settle(&self, body: &Value, live: &Value, merged: &Value, manager: &str) -> Option<Value> {
        let drifted: Vec<&Pointer> =
            self.paths(merged).into_iter().filter(|path| path.get(live) != path.get(merged)).collect();
        if drifted.is_empty() {
            return None;
        }
        let others = Claims::of_others(live, manager);
        let mut body = body.clone();
        for path in drifted {
            match path.get(live).filter(|_| !others.hold(live, path)) {
                Some(value) => path.set(&mut body, value.clone()),
                None => path.remove(&mut body),
            }
        }
        Some(body)
    }

    /// Tells whether a rule is for the object.
    pub(crate) fn concern(&self, object: &Value) -> bool {
        !self.paths(object).is_empty()
    }

    fn paths(&self, object: &Value) -> Vec<&Pointer> {
        let matching = |rule: &&Rule| rule.target.as_ref().is_none_or(|target| target.matches(object));
        self.rules.iter().filter(matching).flat_map(|rule| &rule.paths).collect()
    }
}

fn compile(index: usize, rule: &DriftIgnoreRule) -> Result<Rule, IgnoreRuleError> {
    let path = |(path, text): (usize, &String)| {
        Pointer::parse(text).map_err(|source| IgnoreRuleError::Path { rule: index, path, source })
    };
    let target = rule.target.as_ref().map(Selector::new).transpose();
    Ok(Rule {
        target: target.map_err(|source| IgnoreRuleError::Target { rule: index, source })?,
        paths: rule.paths.iter().enumerate().map(path).collect::<Result<_, _>>()?,
    })
}

fn without(object: &Value, paths: &[&Pointer]) -> Value {
    let mut object = object.clone();
    for path in paths {
        path.remove(&mut object);
    }
    object
}

#[cfg(test)]
mod tests;
