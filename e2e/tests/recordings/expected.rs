//! Differences that we want, each with its reason.

use std::collections::BTreeSet;

use crate::compare::Difference;

/// A class of differences.
#[derive(Debug)]
pub(crate) struct Expected {
    /// Where it comes; empty for anywhere.
    scenarios: &'static [&'static str],
    fits: fn(&Difference) -> bool,
    pub(crate) reason: &'static str,
    /// Whether it depends on who was faster. One that doesn't has to come each time.
    by_chance: bool,
}

/// The most frequent one by far, therefore counted apart.
pub(crate) const TARBALL: &str = "the tarball holds the same entries but was deflated by another library";

const EXPECTED: &[Expected] = &[
    Expected { scenarios: &[], fits: tarball, reason: TARBALL, by_chance: false },
    Expected {
        scenarios: &[],
        fits: |it| it.recorded.replace(UNPACKED, "") == it.ours,
        reason: "a path is named from the root of the artifact, which isn't unpacked into a folder",
        by_chance: false,
    },
    Expected {
        scenarios: &["ks-build-outside"],
        fits: |it| both(it, "accumulating resources from '../../../etc': fs-security-constraint read "),
        reason: "the tail comes from the file system: outside of an artifact there is nothing to look at",
        by_chance: false,
    },
    Expected {
        scenarios: &["ks-yaml-invalid"],
        fits: |it| {
            it.recorded.replace(UNPACKED, "").replace("Error: yaml: ", "Error: yaml: line 1: ") == it.ours
        },
        reason: "the YAML library names the line also when it is the first",
        by_chance: false,
    },
    Expected {
        scenarios: &["ks-crd-removed-restart"],
        fits: |_| true,
        reason: "a kind whose API is gone for certain counts as deleted; Flux fails to prune it for ever",
        by_chance: false,
    },
    Expected {
        scenarios: &["ks-delete-during-health-check"],
        fits: |it| {
            it.place.starts_with("transition Kustomization/app ")
                && it.ours.contains(" g1: ")
                && it.recorded.contains(" g2: ")
        },
        reason: "a run that a deletion overtakes worked on generation 1 and says so; Flux writes the number \
                 that the deletion has given the object meanwhile",
        by_chance: false,
    },
    Expected {
        scenarios: &["ks-depends-ok", "ks-depends-revision", "ks-ready-expr", "ks-ready-expr-runtime"],
        fits: |it| {
            let instead = it.recorded.contains("is not ready") || it.recorded.contains("failed to evaluate");
            instead && it.ours.contains("not found: kustomizations.kustomize")
        },
        reason: "we look for the dependency before the next request has made it",
        by_chance: true,
    },
    Expected {
        scenarios: &["ks-depends-self"],
        fits: |it| {
            it.place.starts_with("posted Kustomization/app DependencyNotReady") && it.ours == "2 times"
        },
        reason: "a source and a Kustomization that come to the caches in the same moment wake it twice",
        by_chance: true,
    },
    Expected {
        scenarios: &["ks-ready-expr", "ks-ready-expr-runtime"],
        fits: |it| {
            it.place.starts_with("posted Kustomization/app DependencyNotReady") && it.ours == "2 times"
        },
        reason: "a dependency that becomes ready wakes its dependents, whatever their expression makes of it",
        by_chance: true,
    },
    Expected {
        scenarios: &["ks-drift", "ks-drift-apply-manager", "ks-drift-kubectl-edit", "ks-reconcile-disabled"],
        fits: |it| {
            it.place == "result Kustomization/app .status.history[0].totalReconciliations"
                || (it.place.contains("Reconciliation finished in") && it.ours == "3 times")
        },
        reason: "a change by others is corrected at once, not only at the next request",
        by_chance: false,
    },
    Expected {
        scenarios: &["ks-crd-removed"],
        fits: |it| {
            it.place.starts_with("result Kustomization/app .status.history")
                || it.place.starts_with("posted ")
                || it.place.starts_with("event ")
        },
        reason: "a definition that others deleted is made anew at once",
        by_chance: false,
    },
    Expected {
        scenarios: &["ks-sops-no-decryption"],
        fits: |_| true,
        reason: "an encrypted Secret is refused whichever field holds the ciphertext; Flux applies the ciphertext",
        by_chance: false,
    },
    Expected {
        scenarios: &["ks-substitute-malformed"],
        fits: |it| it.ours.replace(" in line 3 of the object, field data.color", "") == it.recorded,
        reason: "errors of substitution say where",
        by_chance: false,
    },
    Expected {
        scenarios: &["ks-two-owners"],
        fits: |it| it.ours.contains(" belonged to Kustomization "),
        reason: "taking over what belongs to another Kustomization is told",
        by_chance: true,
    },
    Expected {
        scenarios: &["ks-two-owners"],
        fits: |it| {
            let place = it.place.starts_with("event ") || it.place.starts_with("posted ");
            place
                && [&it.recorded, &it.ours].iter().all(|text| text.is_empty() || text.contains("/settings c"))
        },
        reason: "both are made at once, and whoever comes first creates the object that the other configures",
        by_chance: true,
    },
    Expected {
        scenarios: &["ks-health-then-fixed"],
        fits: |it| {
            let failure = it.recorded.contains("failed early due to stalled resources");
            failure && it.place.ends_with(" lacking")
                || it.place == "result Kustomization/app .status.history"
        },
        reason: "a repaired Deployment shows its old failure for a moment: only who looks then fails once more",
        by_chance: true,
    },
];

/// The folder that Flux unpacks an artifact into.
const UNPACKED: &str = "<dir>/kustomization-<n>";

fn tarball(it: &Difference) -> bool {
    let place = it.place.ends_with(".artifact.digest")
        || it.place.ends_with(".artifact.size")
        || it.place.ends_with(".toolkit.fluxcd.io/digest");
    let said = "failed to verify integrity of artifact: computed digest doesn't match";
    if place {
        same_shape(&it.recorded, &it.ours)
    } else {
        both(it, said) && same_shape(&it.recorded, &it.ours)
    }
}

fn both(it: &Difference, beginning: &str) -> bool {
    // A transition's text begins with what the condition is.
    it.recorded.contains(beginning) && it.ours.contains(beginning)
}

/// Equal but for hexadecimal digits, of which a size may have more.
fn same_shape(recorded: &str, ours: &str) -> bool {
    let shape = |text: &str| text.replace(|character: char| character.is_ascii_hexdigit(), "");
    let digest = |text: &str| !text.contains("sha256:") || text.len() == recorded.len();
    shape(recorded) == shape(ours) && digest(ours)
}

/// Why a difference is as it should be, if it is one that we expect.
pub(crate) fn explanation(scenario: &str, difference: &Difference) -> Option<&'static Expected> {
    EXPECTED.iter().find(|expected| expected.covers(scenario) && (expected.fits)(difference))
}

/// What was expected of these scenarios and didn't come. `all` says whether they are all there are.
pub(crate) fn outdated(
    seen: &BTreeSet<(String, &'static str)>,
    played: &[&String],
    all: bool,
) -> Vec<String> {
    let mut lines = Vec::new();
    for expected in EXPECTED.iter().filter(|expected| !expected.by_chance) {
        let anywhere = expected.scenarios.is_empty();
        if all && anywhere && !seen.iter().any(|(_, reason)| *reason == expected.reason) {
            lines.push(expected.reason.to_owned());
        }
        let named = expected.scenarios.iter().filter(|name| played.iter().any(|played| played == *name));
        for name in named.filter(|name| !seen.contains(&((**name).to_owned(), expected.reason))) {
            lines.push(format!("{name}: {}", expected.reason));
        }
    }
    lines
}

impl Expected {
    fn covers(&self, scenario: &str) -> bool {
        self.scenarios.is_empty() || self.scenarios.contains(&scenario)
    }
}
