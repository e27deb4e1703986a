//! Versions and constraints against answers recorded from Masterminds/semver v3.5.0.

use std::cmp::Ordering;

use serde_json::Value;
use sprig::semver::{Constraint, Version};

use crate::recorded::{bytes, finish, lines};

fn text(value: &Value) -> String {
    String::from_utf8_lossy(&bytes(value)).into_owned()
}

fn outcome<E: ToString>(parsed: Result<String, E>) -> String {
    parsed.unwrap_or_else(|error| format!("error: {}", error.to_string()))
}

#[test]
fn versions_parse_and_order_as_recorded() {
    let rows = lines("semver-versions.jsonl");
    let mut failures = Vec::new();
    for row in &rows {
        let version = text(&row["version"]);
        let (loose, strict) = (text(&row["loose"]), text(&row["strict"]));
        let got = (
            outcome(Version::parse(&version).map(|version| version.to_string())),
            outcome(Version::parse_strict(&version).map(|version| version.to_string())),
        );
        if got != (loose.clone(), strict.clone()) {
            failures.push(format!("{version:?}: got {got:?}, recorded {:?}", (loose, strict)));
        }
        let Ok(version) = Version::parse(&version) else { continue };
        for (other, order) in row["compared"].as_object().expect("compared") {
            let order: Ordering = order.as_i64().expect("an order").cmp(&0);
            let got = version.cmp(&Version::parse(other).expect(other));
            if got != order {
                failures.push(format!("{version} with {other}: got {got:?}, recorded {order:?}"));
            }
        }
    }
    finish(&failures, rows.len());
}

#[test]
fn constraints_check_as_recorded() {
    let rows = lines("semver-constraints.jsonl");
    let (mut failures, mut cases) = (Vec::new(), 0);
    for row in &rows {
        let written = text(&row["constraint"]);
        let constraint = Constraint::parse(&written);
        let got = outcome(constraint.as_ref().map(ToString::to_string));
        if got != text(&row["parsed"]) {
            failures.push(format!("{written:?}: got {got:?}, recorded {}", row["parsed"]));
        }
        let Ok(mut constraint) = constraint else { continue };
        for (key, include_prerelease) in [("satisfied", false), ("satisfied_with_prereleases", true)] {
            constraint.include_prerelease = include_prerelease;
            for (version, satisfied) in row[key].as_object().expect("versions") {
                cases += 1;
                let got = constraint.check(&Version::parse(version).expect(version));
                if Some(got) != satisfied.as_bool() {
                    failures.push(format!("{written:?} {version}: got {got} ({key})"));
                }
            }
        }
    }
    finish(&failures, cases);
}

#[test]
fn constraints_and_versions_are_bounded() {
    let long = "1.2.3 ".repeat(200);
    let groups = "1||".repeat(40);
    assert!(Constraint::parse(&long).is_err());
    assert!(Constraint::parse(&groups).is_err());
    assert!(Version::parse(&format!("1.2.3-{}", "a".repeat(300))).is_err());
}
