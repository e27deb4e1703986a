//! What the recording has and what we have, side by side.

use std::{collections::BTreeSet, sync::LazyLock};

use anyhow::{Context, Result};
use e2e::{Ref, yaml};
use regex::Regex;
use serde_json::{Value, json};

use crate::{
    archive, oci,
    places::{self, Places},
    play::Stage,
    scenario::Scenario,
    transitions,
};

/// Something that isn't as recorded.
#[derive(Debug, Clone)]
pub(crate) struct Difference {
    /// Where, such as `result GitRepository/app .status.conditions[Ready].message`.
    pub(crate) place: String,
    pub(crate) recorded: String,
    pub(crate) ours: String,
}

impl Difference {
    pub(crate) fn new(
        place: impl Into<String>,
        recorded: impl Into<String>,
        ours: impl Into<String>,
    ) -> Self {
        Self { place: place.into(), recorded: recorded.into(), ours: ours.into() }
    }
}

/// Compares everything that was recorded of a scenario.
pub(crate) async fn compare(stage: &Stage, scenario: &Scenario, places: &Places) -> Result<Vec<Difference>> {
    let mut differences = results(stage, scenario, places).await?;
    differences.extend(events(stage, scenario, places).await?);
    differences.extend(posted(stage, scenario, places)?);
    let versions = stage.observer.of(&scenario.name);
    differences.extend(transitions::compare(&scenario.file("transitions.yaml")?, &versions, places)?);
    differences.extend(archive::compare(stage, scenario).await?);
    Ok(differences)
}

async fn results(stage: &Stage, scenario: &Scenario, places: &Places) -> Result<Vec<Difference>> {
    let mut differences = Vec::new();
    let documents = yaml::documents(&scenario.file("result.yaml")?)?;
    for recorded in documents.into_iter().filter(|document| document["kind"] != oci::KIND) {
        let missing = recorded["missing"].as_str();
        let reference = match missing {
            Some(missing) => missing.parse::<Ref>()?,
            None => Ref::of(&recorded)?,
        };
        let reference = reference.or_namespace(&scenario.name);
        let place = format!("result {}/{}", reference.kind, reference.name);
        match (missing, stage.bed.objects.get(&reference).await?) {
            (Some(_), None) => {}
            (Some(_), Some(_)) => differences.push(Difference::new(place, "missing", "there")),
            (None, None) => differences.push(Difference::new(place, "there", "missing")),
            (None, Some(ours)) => {
                let ours = without_identity(places.mask(&ours));
                values(&without_identity(recorded), &ours, &format!("{place} "), &mut differences);
            }
        }
    }
    Ok(differences)
}

/// Takes away what is another one every time.
fn without_identity(mut object: Value) -> Value {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in ["uid", "resourceVersion", "managedFields", "creationTimestamp"] {
            metadata.shift_remove(field);
        }
    }
    object
}

/// Walks through both values at once.
pub(crate) fn values(recorded: &Value, ours: &Value, place: &str, differences: &mut Vec<Difference>) {
    match (recorded, ours) {
        (Value::Object(left), Value::Object(right)) => {
            let names: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            for name in names {
                let side =
                    |fields: &serde_json::Map<String, Value>| fields.get(name).cloned().unwrap_or_default();
                values(&side(left), &side(right), &format!("{place}.{name}"), differences);
            }
        }
        (Value::Array(left), Value::Array(right)) if keyed(left) && keyed(right) => {
            values(&by_type(left), &by_type(right), place, differences);
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                values(left, right, &format!("{place}[{index}]"), differences);
            }
        }
        (Value::String(left), Value::String(right))
            if places::matches(left, right) || (is_uid(left) && is_uid(right)) => {}
        (left, right) if left == right => {}
        (left, right) => differences.push(Difference::new(place, shown(left), shown(right))),
    }
}

/// Kubernetes puts some into labels, where the recording shows them as they were.
fn is_uid(text: &str) -> bool {
    static UID: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$").expect("the pattern is valid")
    });
    UID.is_match(text)
}

fn keyed(items: &[Value]) -> bool {
    items.iter().all(|item| item["type"].is_string() && item["status"].is_string())
}

fn by_type(conditions: &[Value]) -> Value {
    conditions
        .iter()
        .map(|condition| (condition["type"].as_str().unwrap_or_default().to_owned(), condition.clone()))
        .collect()
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

async fn events(stage: &Stage, scenario: &Scenario, places: &Places) -> Result<Vec<Difference>> {
    let recorded = yaml::document(&scenario.file("events.yaml")?)?;
    let ours = stage.bed.objects.list("v1", "Event", Some(&scenario.name)).await?;
    let mut ours: Vec<Value> = ours.into_iter().filter(about_flux).collect();
    ours.sort_by_key(created);
    let ours: Vec<Value> = ours.iter().map(|event| event_facts(&places.mask(event))).collect();
    let recorded = recorded.as_array().into_iter().flatten().filter(|event| about_flux(event));
    let recorded: Vec<Value> = recorded.map(event_facts).collect();
    Ok(sequences("event", &recorded, &ours))
}

fn about_flux(event: &Value) -> bool {
    matches!(event["involvedObject"]["kind"].as_str(), Some("GitRepository" | "Kustomization"))
}

fn created(event: &Value) -> (String, u64) {
    let time = event["metadata"]["creationTimestamp"].as_str().unwrap_or_default().to_owned();
    let version = event["metadata"]["resourceVersion"].as_str().and_then(|version| version.parse().ok());
    (time, version.unwrap_or_default())
}

fn event_facts(event: &Value) -> Value {
    let involved = &event["involvedObject"];
    let annotations = event.get("annotations").unwrap_or(&event["metadata"]["annotations"]);
    json!({
        "object": format!("{}/{}", shown(&involved["kind"]), shown(&involved["name"])),
        "apiVersion": involved["apiVersion"],
        "type": event["type"],
        "reason": event["reason"],
        "message": event["message"],
        "component": event["source"]["component"],
        "reportingComponent": event["reportingComponent"],
        "annotations": if annotations.is_null() { json!({}) } else { annotations.clone() },
    })
}

fn posted(stage: &Stage, scenario: &Scenario, places: &Places) -> Result<Vec<Difference>> {
    let recorded = yaml::document(&scenario.file("posted.yaml")?)?;
    let recorded: Vec<Value> = recorded
        .as_array()
        .into_iter()
        .flatten()
        .filter(|posted| posted["body"]["involvedObject"]["kind"] != oci::KIND)
        .map(|posted| {
            // Headers are written once; all requests have the same.
            posted_facts(&posted["request"], &json!("application/json"), &posted["body"])
        })
        .collect();
    let ours: Vec<Value> = stage
        .bed
        .events
        .posted(&scenario.name)
        .iter()
        .map(|posted| {
            let content = posted.headers.iter().find(|(name, _)| name == "content-type");
            let content = content.map_or(Value::Null, |(_, value)| json!(value));
            posted_facts(&json!(posted.request), &content, &places.mask(&posted.body))
        })
        .collect();
    let mut differences = sequences("posted", &recorded, &ours);
    differences.extend(repetitions(&recorded, &ours));
    Ok(differences)
}

fn posted_facts(request: &Value, content: &Value, body: &Value) -> Value {
    let mut body = body.clone();
    let object =
        format!("{}/{}", shown(&body["involvedObject"]["kind"]), shown(&body["involvedObject"]["name"]));
    if let Some(body) = body.as_object_mut() {
        body.shift_remove("timestamp");
    }
    if let Some(involved) = body["involvedObject"].as_object_mut() {
        involved.shift_remove("uid");
        involved.shift_remove("resourceVersion");
    }
    json!({ "object": object, "request": request, "content": content, "body": body })
}

/// Compares what was said, whatever the number of repetitions: a failing object is retried at its own pace.
fn sequences(what: &str, recorded: &[Value], ours: &[Value]) -> Vec<Difference> {
    let (recorded, ours) = (distinct(recorded), distinct(ours));
    let mut differences = Vec::new();
    let mut left: Vec<&Value> = ours.iter().collect();
    let mut lacking = Vec::new();
    let mut order = Vec::new();
    for fact in &recorded {
        match left.iter().position(|ours| same(fact, ours)) {
            Some(index) => order.push(position(&ours, left.remove(index))),
            None => lacking.push(fact),
        }
    }
    pair_up(what, &lacking, &left, &mut differences);
    if differences.is_empty() && !order.is_sorted() {
        let list = |facts: &[Value]| facts.iter().map(title).collect::<Vec<_>>().join(" | ");
        differences.push(Difference::new(format!("{what} order"), list(&recorded), list(&ours)));
    }
    differences
}

/// Says field by field how those that don't fit differ, as long as they speak of the same thing.
fn pair_up(what: &str, lacking: &[&Value], left: &[&Value], differences: &mut Vec<Difference>) {
    let mut left = left.to_vec();
    for fact in lacking {
        let partner =
            left.iter().position(|ours| ours["object"] == fact["object"] && reason(ours) == reason(fact));
        match partner.map(|index| left.remove(index)) {
            Some(ours) => values(fact, ours, &format!("{what} {}", shown(&fact["object"])), differences),
            None => differences.push(Difference::new(format!("{what} lacking"), title(fact), "")),
        }
    }
    for ours in left {
        differences.push(Difference::new(format!("{what} more"), "", title(ours)));
    }
}

fn reason(fact: &Value) -> &Value {
    fact.get("reason").unwrap_or(&fact["body"]["reason"])
}

fn title(fact: &Value) -> String {
    let message = fact.get("message").unwrap_or(&fact["body"]["message"]);
    format!("{} {}: {}", shown(&fact["object"]), shown(reason(fact)), shown(message))
}

/// Good news has to be told as often as recorded. Failures come again with each attempt.
fn repetitions(recorded: &[Value], ours: &[Value]) -> Vec<Difference> {
    let good = |facts: &[Value]| -> Vec<String> {
        let good = facts.iter().filter(|fact| fact["body"]["severity"] == "info");
        good.map(|fact| blurred(&title(fact))).collect()
    };
    let (recorded, ours) = (good(recorded), good(ours));
    let times = |all: &[String], one: &String| all.iter().filter(|other| *other == one).count();
    let told: BTreeSet<&String> = recorded.iter().filter(|text| ours.contains(text)).collect();
    told.into_iter()
        .map(|text| (text, times(&recorded, text), times(&ours, text)))
        .filter(|(_, recorded, ours)| recorded != ours)
        .map(|(text, recorded, ours)| {
            Difference::new(format!("posted {text}"), format!("{recorded} times"), format!("{ours} times"))
        })
        .collect()
}

fn distinct(facts: &[Value]) -> Vec<Value> {
    let mut seen: Vec<Value> = Vec::new();
    for fact in facts {
        if !seen.iter().any(|known| alike(known, fact)) {
            seen.push(fact.clone());
        }
    }
    seen
}

fn alike(left: &Value, right: &Value) -> bool {
    blurred(&left.to_string()) == blurred(&right.to_string())
}

/// Without the durations and folders that are part of messages.
fn blurred(text: &str) -> String {
    static VARYING: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(finished in|passed in|failed after|kustomization-) ?([0-9][0-9.hmsµun]*|<dur>|<n>)")
            .expect("the pattern is valid")
    });
    VARYING.replace_all(text, "$1 <any>").into_owned()
}

fn same(recorded: &Value, ours: &Value) -> bool {
    let mut differences = Vec::new();
    values(recorded, ours, "", &mut differences);
    differences.is_empty()
}

fn position(all: &[Value], one: &Value) -> Option<usize> {
    all.iter().position(|value| std::ptr::eq(value, one))
}

/// A recorded YAML list.
pub(crate) fn list(text: &str) -> Result<Vec<Value>> {
    let document = yaml::document(text)?;
    Ok(document.as_array().context("not a list").cloned().unwrap_or_default())
}
