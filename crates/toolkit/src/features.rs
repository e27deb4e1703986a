//! Feature gates: what can be turned on and off by `--feature-gates`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::args::Gate;

/// A feature that a controller knows.
#[derive(Clone, Copy, Debug)]
pub struct Feature {
    /// Flux's name for it.
    pub name: &'static str,
    /// Whether it is on when the flag says nothing.
    pub default: bool,
}

/// Which features are on. Cheap to clone.
#[derive(Clone, Debug)]
pub struct FeatureGates(Arc<BTreeMap<&'static str, bool>>);

/// The flag names a feature that the controller doesn't have.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("feature-gate '{0}' not supported")]
pub struct UnknownFeature(String);

impl FeatureGates {
    /// Applies the flag's settings, in order, to what the controller supports.
    ///
    /// # Errors
    /// When a setting names a feature that isn't in `supported`.
    pub fn new(supported: &[Feature], settings: &[Gate]) -> Result<Self, UnknownFeature> {
        let mut gates: BTreeMap<&'static str, bool> = supported.iter().map(|f| (f.name, f.default)).collect();
        for setting in settings.iter().filter(|s| !s.name.is_empty()) {
            let gate =
                gates.get_mut(setting.name.as_str()).ok_or_else(|| UnknownFeature(setting.name.clone()))?;
            *gate = setting.enabled;
        }
        Ok(Self(Arc::new(gates)))
    }

    /// Whether the feature is on; `false` for one that the controller doesn't list.
    #[must_use]
    pub fn enabled(&self, name: &str) -> bool {
        self.0.get(name).copied().unwrap_or(false)
    }

    /// All features with their state, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, bool)> + '_ {
        self.0.iter().map(|(name, enabled)| (*name, *enabled))
    }
}

#[cfg(test)]
mod tests {
    use super::{Feature, FeatureGates};
    use crate::args::Gate;

    const SUPPORTED: &[Feature] =
        &[Feature { name: "ExternalArtifact", default: false }, Feature { name: "Strict", default: true }];

    fn gates(settings: &[(&str, bool)]) -> Result<FeatureGates, super::UnknownFeature> {
        let settings: Vec<Gate> = settings
            .iter()
            .map(|(name, enabled)| Gate { name: (*name).to_owned(), enabled: *enabled })
            .collect();
        FeatureGates::new(SUPPORTED, &settings)
    }

    #[test]
    fn settings_override_defaults() {
        let gates = gates(&[("ExternalArtifact", true), ("", false)]).unwrap();
        assert!(gates.enabled("ExternalArtifact") && gates.enabled("Strict") && !gates.enabled("Other"));
    }

    #[test]
    fn an_unknown_feature_is_refused() {
        assert_eq!(
            gates(&[("OptimizedGitClones", true)]).unwrap_err().to_string(),
            "feature-gate 'OptimizedGitClones' not supported"
        );
    }
}
