//! The life of an object: ours may have fewer states than recorded, never others, and what a client waits for
//! has to be there.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use crate::{
    compare::{Difference, list},
    observe::Version,
    oci,
    places::{self, Places},
};

/// One condition as somebody who watches sees it.
type Fact = Value;
/// Conditions of one version.
type State = Vec<Fact>;

/// Compares the lives of all objects of a scenario.
pub(crate) fn compare(recorded: &str, ours: &[Version], places: &Places) -> Result<Vec<Difference>> {
    let recorded = recorded_lives(&list(recorded)?);
    let ours = our_lives(ours, places);
    let mut differences = Vec::new();
    for (object, life) in &recorded {
        let none = Vec::new();
        let our_life = ours.get(object).unwrap_or(&none);
        differences.extend(contradictions(object, life, our_life));
        differences.extend(unseen(object, life, our_life));
        differences.extend(disorder(object, life, our_life));
    }
    Ok(differences)
}

fn recorded_lives(entries: &[Value]) -> BTreeMap<String, Vec<State>> {
    let mut lives: BTreeMap<String, Vec<State>> = BTreeMap::new();
    for entry in entries {
        let Some(object) = entry["object"].as_str() else { continue };
        if object.starts_with(oci::KIND) {
            continue;
        }
        // A deletion repeats the last state.
        let state: State = entry["conditions"].as_array().into_iter().flatten().map(fact).collect();
        lives.entry(object.to_owned()).or_default().push(state);
    }
    lives
}

fn our_lives(versions: &[Version], places: &Places) -> BTreeMap<String, Vec<State>> {
    let mut lives: BTreeMap<String, Vec<State>> = BTreeMap::new();
    for version in versions.iter().filter(|version| !version.deleted) {
        let object = places.mask(&version.object);
        let state = object["status"]["conditions"].as_array().into_iter().flatten().map(fact).collect();
        lives.entry(format!("{}/{}", version.kind(), version.name())).or_default().push(state);
    }
    lives
}

fn fact(condition: &Value) -> Fact {
    let mut condition = condition.clone();
    if let Some(condition) = condition.as_object_mut() {
        condition.shift_remove("lastTransitionTime");
    }
    condition
}

/// A condition that Flux never showed.
fn contradictions(object: &str, recorded: &[State], ours: &[State]) -> Vec<Difference> {
    let known: Vec<&Fact> = recorded.iter().flatten().collect();
    let mut seen: Vec<String> = Vec::new();
    let mut differences = Vec::new();
    for fact in ours.iter().flatten().filter(|fact| !known.iter().any(|known| same(known, fact))) {
        let ours = title(fact);
        if !seen.contains(&ours) {
            let close = known
                .iter()
                .rfind(|known| known["type"] == fact["type"] && known["status"] == fact["status"]);
            let place = format!("transition {object} {}", text(&fact["type"]));
            differences.push(Difference::new(
                place,
                close.map(|fact| title(fact)).unwrap_or_default(),
                ours.clone(),
            ));
            seen.push(ours);
        }
    }
    differences
}

/// What a client waits for: work in progress, its end, and Ready being unknown before it is true.
fn unseen(object: &str, recorded: &[State], ours: &[State]) -> Vec<Difference> {
    let shown = |life: &[State], kind: &str, status: &str| {
        life.iter().flatten().any(|fact| fact["type"] == kind && fact["status"] == status)
    };
    let mut wanted =
        vec![("Reconciling", "True"), ("Ready", "True"), ("Ready", "False"), ("Stalled", "True")];
    if shown(ours, "Ready", "True") {
        wanted.push(("Ready", "Unknown"));
    }
    wanted.retain(|(kind, status)| shown(recorded, kind, status) && !shown(ours, kind, status));
    let place = format!("transition {object}");
    wanted
        .iter()
        .map(|(kind, status)| Difference::new(&place, format!("{kind}={status}"), "never seen"))
        .collect()
}

/// Ready becomes what it became in the recording, in that order; a state that was passed through may be left out.
fn disorder(object: &str, recorded: &[State], ours: &[State]) -> Option<Difference> {
    let (recorded, ours) = (readiness(recorded), readiness(ours));
    let mut order = firsts(&recorded);
    order.retain(|status| ours.contains(status));
    let fits = is_part(&ours, &recorded) || firsts(&ours) == order;
    let place = || format!("transition {object} Ready in order");
    (!fits).then(|| Difference::new(place(), recorded.join(" "), ours.join(" ")))
}

/// The statuses of Ready, one after the other.
fn readiness(life: &[State]) -> Vec<String> {
    let ready = life.iter().flatten().filter(|fact| fact["type"] == "Ready");
    let mut statuses: Vec<String> = ready.map(|fact| text(&fact["status"])).collect();
    statuses.dedup();
    statuses
}

/// Whether all of them come in the other list, in this order.
fn is_part(some: &[String], all: &[String]) -> bool {
    let mut all = all.iter();
    some.iter().all(|status| all.any(|other| other == status))
}

/// Each where it came first: how often something fails before it works is a matter of time.
fn firsts(statuses: &[String]) -> Vec<&String> {
    let mut firsts = Vec::new();
    for status in statuses {
        if !firsts.contains(&status) {
            firsts.push(status);
        }
    }
    firsts
}

fn same(recorded: &Fact, ours: &Fact) -> bool {
    ["type", "status", "reason", "message"]
        .iter()
        .all(|field| places::matches(&text(&recorded[*field]), &text(&ours[*field])))
        && recorded["observedGeneration"] == ours["observedGeneration"]
}

fn title(fact: &Fact) -> String {
    format!(
        "{}={} {} g{}: {}",
        text(&fact["type"]),
        text(&fact["status"]),
        text(&fact["reason"]),
        fact["observedGeneration"],
        text(&fact["message"])
    )
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
