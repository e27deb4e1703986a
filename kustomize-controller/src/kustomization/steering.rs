//! Annotations of a Kustomization that steer how it is reconciled, beside Flux's own.

use api::kustomize::v1::Kustomization;
use kube::ResourceExt;

use super::guard::Limit;

/// With `enabled`, nothing is written to the cluster; what would change is told instead.
pub const OBSERVE: &str = "kustomize.toolkit.fluxcd.io/observe";

/// Most deletions of one run: a number, a share such as `25%`, or `off`.
pub const PRUNE_LIMIT: &str = "kustomize.toolkit.fluxcd.io/prune-limit";

/// Approves the deletions of a run that were held back: the token that the condition names.
pub const PRUNE_APPROVED: &str = "kustomize.toolkit.fluxcd.io/prune-approved";

/// Those that ask for a run when they change.
pub(crate) const ALL: [&str; 3] = [OBSERVE, PRUNE_LIMIT, PRUNE_APPROVED];

/// The value of an annotation.
#[must_use]
pub fn get<'a>(object: &'a Kustomization, name: &str) -> Option<&'a str> {
    object.annotations().get(name).map(String::as_str)
}

/// Whether changes are told and not made.
#[must_use]
pub fn observes(object: &Kustomization) -> bool {
    get(object, OBSERVE).is_some_and(|value| value.eq_ignore_ascii_case("enabled"))
}

/// A value of [`PRUNE_LIMIT`] that is no limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("annotation {PRUNE_LIMIT} must be a number, a percentage from 0% to 100% or off, not {0:?}")]
pub struct BadLimit(String);

/// The limit of the object, else the one given; 0 percent is none, as the flag has it.
///
/// # Errors
/// When the annotation says neither a number nor a share nor `off`: deleting without the limit that someone meant to
/// set would be worse than not deleting.
pub fn prune_limit(object: &Kustomization, default_percent: u8) -> Result<Option<Limit>, BadLimit> {
    let Some(text) = get(object, PRUNE_LIMIT) else {
        return Ok((default_percent > 0).then_some(Limit::Percent(default_percent)));
    };
    let bad = || BadLimit(text.chars().take(64).collect());
    let trimmed = text.trim();
    if trimmed.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    match trimmed.strip_suffix('%') {
        Some(percent) => match percent.trim().parse() {
            Ok(percent @ 0..=100) => Ok(Some(Limit::Percent(percent))),
            _ => Err(bad()),
        },
        None => trimmed.parse().map(|count| Some(Limit::Count(count))).map_err(|_| bad()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn annotated(name: &str, value: &str) -> Kustomization {
        serde_json::from_value(json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": {"name": "app", "namespace": "apps", "annotations": {name: value}},
            "spec": {"interval": "1m", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "fleet"}},
        }))
        .unwrap()
    }

    #[test]
    fn the_annotation_wins_over_the_flag() {
        for (value, expected) in [
            ("25%", Some(Some(Limit::Percent(25)))),
            (" 0% ", Some(Some(Limit::Percent(0)))),
            ("7", Some(Some(Limit::Count(7)))),
            ("Off", Some(None)),
            ("101%", None),
            ("-1", None),
            ("", None),
            ("some", None),
        ] {
            assert_eq!(prune_limit(&annotated(PRUNE_LIMIT, value), 50).ok(), expected, "{value:?}");
        }
        let plain = annotated("other", "");
        assert_eq!(prune_limit(&plain, 50), Ok(Some(Limit::Percent(50))));
        assert_eq!(prune_limit(&plain, 0), Ok(None), "0 is Flux's way: no limit");
    }

    #[test]
    fn observing_is_asked_for_by_word() {
        assert!(observes(&annotated(OBSERVE, "Enabled")));
        assert!(!observes(&annotated(OBSERVE, "disabled")));
        assert!(!observes(&annotated("other", "enabled")));
    }
}
