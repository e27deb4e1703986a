//! What a run would do, told without doing it.

use std::collections::HashSet;
use std::fmt;

use api::meta::{ObjectRef, ResourceRef};
use krm::Object;
use serde_json::Value;

use super::{ApplyError, ApplyOptions, Difference, ObjectError};
use crate::ignore::IgnoreRules;
use crate::{Action, Manager, Owner, PruneError, PruneOptions, mapper};

/// Most fields that are listed of one object.
const FIELDS: usize = 100;

/// What an apply and the prune after it would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Objects in apply order, then the deletions in theirs.
    pub entries: Vec<PlanEntry>,
    /// What could not be planned; the texts of the errors that the run would fail with.
    pub errors: Vec<String>,
}

/// What would be done with one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanEntry {
    /// Which object.
    pub object: ObjectRef,
    /// API version of the kind, without the group.
    pub version: String,
    /// What would be done.
    pub action: PlanAction,
    /// The fields that would change, as JSON pointers without values; a hundred at most.
    pub fields: Vec<String>,
    /// How many fields more would change.
    pub more: usize,
    /// The other owner from which the object would be taken over.
    pub previous_owner: Option<Owner>,
}

/// What would be done with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlanAction {
    /// It isn't there.
    Create,
    /// It differs.
    Configure,
    /// It differs in a field that can't be changed: it would be deleted and created.
    Recreate,
    /// It is as asked for.
    Unchanged,
    /// It would be left alone.
    Skip,
    /// It isn't asked for any more.
    Delete,
}

impl fmt::Display for PlanAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Configure => "configure",
            Self::Recreate => "recreate",
            Self::Unchanged => "unchanged",
            Self::Skip => "skip",
            Self::Delete => "delete",
        })
    }
}

/// Writes `Kind/namespace/name <action>`, followed by `: <field>, <field>` where there are fields.
impl fmt::Display for PlanEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.object.subject(), self.action)?;
        if !self.fields.is_empty() {
            write!(f, ": {}", self.fields.join(", "))?;
        }
        if self.more > 0 {
            write!(f, " and {} more", self.more)?;
        }
        Ok(())
    }
}

impl Plan {
    /// Tells whether a run would change something in the cluster.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.entries.iter().any(|entry| !matches!(entry.action, PlanAction::Unchanged | PlanAction::Skip))
    }
}

impl Manager {
    /// Tells what an apply of these objects would do, and what a prune of the stale entries would delete after it.
    ///
    /// Sends dry runs and reads only. An object whose kind or namespace is among the objects themselves and not there
    /// yet counts as one to create, unchecked.
    ///
    /// # Errors
    /// As [`Manager::diff`]. What fails for single objects is in the plan.
    pub async fn plan(
        &self,
        owner: &Owner,
        objects: &[Object],
        options: &ApplyOptions,
        stale: &[ResourceRef],
    ) -> Result<Plan, ApplyError> {
        let rules = IgnoreRules::new(&options.ignore).map_err(ApplyError::rules)?;
        let brought = Brought::by(objects);
        let (mut plan, mut keep) = (Plan::default(), HashSet::new());
        for difference in self.diff(owner, objects, options).await? {
            match difference {
                Ok(difference) => {
                    keep.extend(difference.change.uid.clone());
                    plan.entries.push(entry(difference, &rules));
                }
                Err(error) if error.homeless && brought.has_home_of(&error) => {
                    plan.entries.push(PlanEntry::new(error.object, String::new(), PlanAction::Create));
                }
                Err(error) => plan.errors.push(error.to_string()),
            }
        }
        let prune = PruneOptions {
            keep,
            timeout: options.timeout,
            cancel: options.cancel.clone(),
            ..PruneOptions::default()
        };
        match self.deletions(stale, owner, &prune).await {
            Ok(deletions) => plan.entries.extend(
                deletions
                    .into_iter()
                    .map(|deletion| PlanEntry::new(deletion.object, deletion.version, PlanAction::Delete)),
            ),
            Err(PruneError { errors, .. }) => plan.errors.extend(errors),
        }
        Ok(plan)
    }
}

/// Kinds and namespaces that come with the objects.
struct Brought {
    kinds: HashSet<(String, String)>,
    namespaces: HashSet<String>,
}

impl Brought {
    fn by(objects: &[Object]) -> Self {
        let (mut kinds, mut namespaces) = (HashSet::new(), HashSet::new());
        for object in objects {
            let id = object.id();
            match (id.group.as_str(), id.kind.as_str()) {
                ("", "Namespace") => {
                    namespaces.insert(id.name);
                }
                ("apiextensions.k8s.io", "CustomResourceDefinition") => {
                    let defined = mapper::defined(&object.to_json());
                    kinds.extend(defined.into_iter().map(|(kind, mapping)| (mapping.group, kind)));
                }
                _ => {}
            }
        }
        Self { kinds, namespaces }
    }

    fn has_home_of(&self, error: &ObjectError) -> bool {
        let object = &error.object;
        self.namespaces.contains(&object.namespace)
            || self.kinds.contains(&(object.group.clone(), object.kind.clone()))
    }
}

impl PlanEntry {
    fn new(object: ObjectRef, version: String, action: PlanAction) -> Self {
        Self { object, version, action, fields: Vec::new(), more: 0, previous_owner: None }
    }
}

fn entry(difference: Difference, rules: &IgnoreRules) -> PlanEntry {
    let Difference { change, live, merged } = difference;
    let action = match change.action {
        Action::Created if live.is_some() || change.uid.is_some() => PlanAction::Recreate,
        Action::Created => PlanAction::Create,
        Action::Configured => PlanAction::Configure,
        Action::Unchanged => PlanAction::Unchanged,
        Action::Skipped => PlanAction::Skip,
        Action::Deleted => PlanAction::Delete,
    };
    let mut fields = Vec::new();
    if let (Some(live), Some(merged)) = (&live, &merged) {
        compare(&rules.strip(live, merged), &rules.strip(merged, merged), action, &mut fields);
    }
    let more = fields.len().saturating_sub(FIELDS);
    fields.truncate(FIELDS);
    let previous_owner = change.previous_owner;
    PlanEntry { fields, more, previous_owner, ..PlanEntry::new(change.object, change.version, action) }
}

/// Lists what differs between two objects where an apply would correct it.
fn compare(live: &Value, merged: &Value, action: PlanAction, fields: &mut Vec<String>) {
    let (Some(live), Some(merged)) = (live.as_object(), merged.as_object()) else { return };
    for key in keys(live, merged) {
        let (before, after) = (live.get(key), merged.get(key));
        match key.as_str() {
            "status" => {}
            "metadata" => {
                for field in ["labels", "annotations"] {
                    let (before, after) =
                        (before.and_then(|all| all.get(field)), after.and_then(|all| all.get(field)));
                    let set = |value: &&Value| !value.is_null();
                    differences(&format!("/metadata/{field}"), before.filter(set), after.filter(set), fields);
                }
            }
            // A new object is asked for by what is set only: defaults are not there yet.
            _ if action == PlanAction::Recreate && after.is_none() => {}
            _ => differences(&format!("/{}", escaped(key)), before, after, fields),
        }
    }
}

fn differences(path: &str, before: Option<&Value>, after: Option<&Value>, fields: &mut Vec<String>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            for key in keys(before, after) {
                differences(&format!("{path}/{}", escaped(key)), before.get(key), after.get(key), fields);
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) if before.len() == after.len() => {
            for (index, (before, after)) in before.iter().zip(after).enumerate() {
                differences(&format!("{path}/{index}"), Some(before), Some(after), fields);
            }
        }
        _ => fields.push(path.to_owned()),
    }
}

/// The keys of both, each once.
fn keys<'a>(
    one: &'a serde_json::Map<String, Value>,
    other: &'a serde_json::Map<String, Value>,
) -> impl Iterator<Item = &'a String> {
    one.keys().chain(other.keys().filter(|key| !one.contains_key(key.as_str())))
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(live: &Value, merged: &Value, expected: &[&str]) {
        let mut fields = Vec::new();
        compare(live, merged, PlanAction::Configure, &mut fields);
        assert_eq!(fields, expected, "{live} {merged}");
    }

    #[test]
    fn changed_fields_are_listed_by_path() {
        check(
            &json!({"data": {"a": "1", "b": "2", "x/y~z": "3"}, "status": {"s": 1}}),
            &json!({"data": {"a": "1", "b": "9", "c": "4"}, "status": {}}),
            &["/data/b", "/data/x~1y~0z", "/data/c"],
        );
    }

    #[test]
    fn items_are_compared_one_by_one_while_their_number_stays() {
        check(
            &json!({"spec": {"ports": [{"port": 1}, {"port": 2}], "args": ["a"]}}),
            &json!({"spec": {"ports": [{"port": 1}, {"port": 3}], "args": ["a", "b"]}}),
            &["/spec/ports/1/port", "/spec/args"],
        );
    }

    #[test]
    fn of_metadata_only_labels_and_annotations_count() {
        check(
            &json!({"metadata": {"resourceVersion": "1", "labels": {"a": "b"}}}),
            &json!({"metadata": {"resourceVersion": "2", "annotations": {"c": "d"}, "labels": {"a": "x"}}}),
            &["/metadata/labels/a", "/metadata/annotations"],
        );
        check(&json!({"metadata": {"labels": null}}), &json!({"metadata": {}}), &[]);
    }
}
