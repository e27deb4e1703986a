//! Whether a case ended as it should.

use e2e::objects::find_condition;
use serde_json::Value;

use super::{Expected, world::LEAKS};

/// Longest message of a condition, in bytes.
const MESSAGE: usize = 32 << 10;

impl Expected {
    /// The API server didn't take the object.
    pub(super) fn refused_at_once(&self, refusal: &str) -> Option<String> {
        match self {
            Self::Refused | Self::Settled => None,
            Self::Applied | Self::Waiting => Some(format!("was refused: {refusal}")),
        }
    }

    /// What is wrong with how the Kustomization ended; `None` stands for one that didn't.
    pub(super) fn judge(&self, object: Option<&Value>) -> Vec<String> {
        let Some(object) = object else {
            return match self {
                Self::Waiting => Vec::new(),
                _ => vec!["came to no end".to_owned()],
            };
        };
        let ready = find_condition(object, "Ready").cloned().unwrap_or_default();
        let message = ready["message"].as_str().unwrap_or_default();
        let mut problems = Vec::new();
        let is_ready = ready["status"] == "True";
        match self {
            Self::Refused | Self::Waiting if is_ready => problems.push("was applied".to_owned()),
            Self::Applied if !is_ready => problems.push(format!("is not ready: {message}")),
            _ => {}
        }
        if !is_ready && message.is_empty() {
            problems.push("says nothing".to_owned());
        }
        let strange = |c: char| c.is_control() && c != '\n' && c != '\t';
        if message.len() > MESSAGE || message.contains(strange) {
            problems.push(format!("a message of {} bytes: {:.200}", message.len(), message.escape_debug()));
        }
        for secret in LEAKS {
            if object.to_string().contains(secret) {
                problems.push(format!("{secret:?} in its status"));
            }
        }
        problems
    }
}
