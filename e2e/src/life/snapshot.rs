//! The state of a namespace and of its kind, without what differs from run to run.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use super::group;
use crate::{Objects, Ref, objects::condition};

/// What a namespace can hold in its application's life, beside the kind that the application brings along.
const KINDS: [(&str, &str); 8] = [
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("apps/v1", "Deployment"),
    ("networking.k8s.io/v1", "Ingress"),
    ("source.toolkit.fluxcd.io/v1", "GitRepository"),
    ("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
];

/// Objects by kind and name.
#[derive(Debug, Default, Clone)]
pub struct Snapshot {
    objects: BTreeMap<String, Seen>,
}

#[derive(Debug, Clone)]
struct Seen {
    uid: String,
    facts: Value,
}

impl Snapshot {
    /// Looks at everything that is there now.
    ///
    /// Names of the namespace and of commits, given in the order of their pushes, are made the same in every life.
    pub async fn take(objects: &Objects, namespace: &str, commits: &[String]) -> Result<Self> {
        let neutral = |text: &str| {
            let text = text.replace(namespace, "@NS@");
            commits.iter().enumerate().fold(text, |text, (n, commit)| text.replace(commit, &format!("@{n}@")))
        };
        let mut found = Vec::new();
        for (api_version, kind) in KINDS {
            found.extend(objects.list(api_version, kind, Some(namespace)).await?);
        }
        found.extend(brought_along(objects, namespace).await?);
        let mut seen = BTreeMap::new();
        for object in found {
            let kind = object["kind"].as_str().unwrap_or_default();
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            // Kubernetes puts these two into every namespace.
            if matches!((kind, name), ("ConfigMap", "kube-root-ca.crt") | ("ServiceAccount", "default")) {
                continue;
            }
            let uid = object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
            let facts: Value = serde_json::from_str(&neutral(&facts(&object).to_string()))?;
            seen.insert(neutral(&format!("{kind}/{name}")), Seen { uid, facts });
        }
        Ok(Self { objects: seen })
    }

    /// What is in one and not in the other, or different.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, seen) in &self.objects {
            match other.objects.get(name) {
                None => lines.push(format!("{name} is missing")),
                Some(now) if now.facts != seen.facts => {
                    lines.push(format!("{name} is {} instead of {}", now.facts, seen.facts));
                }
                Some(_) => {}
            }
        }
        let orphans = other.objects.keys().filter(|name| !self.objects.contains_key(*name));
        lines.extend(orphans.map(|name| format!("{name} should not be there")));
        lines
    }

    /// Objects that have the name of an earlier one and aren't it.
    pub fn replaced(&self, later: &Self) -> Vec<String> {
        let same_name =
            self.objects.iter().filter_map(|(name, seen)| Some((name, seen, later.objects.get(name)?)));
        same_name
            .filter(|(_, before, after)| before.uid != after.uid)
            .map(|(name, ..)| format!("{name} was deleted and made again"))
            .collect()
    }
}

/// The namespace's own kind and the objects of it.
async fn brought_along(objects: &Objects, namespace: &str) -> Result<Vec<Value>> {
    let group = group(namespace);
    let definition = Ref {
        api_version: "apiextensions.k8s.io/v1".to_owned(),
        kind: "CustomResourceDefinition".to_owned(),
        namespace: None,
        name: format!("widgets.{group}"),
    };
    let Some(definition) = objects.get(&definition).await? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    if condition(&definition, "Established", "True").is_some() {
        // While the kind comes or goes there may be no list; then the next look shows it.
        found = objects.list(&format!("{group}/v1"), "Widget", Some(namespace)).await.unwrap_or_default();
    }
    found.push(definition);
    Ok(found)
}

fn facts(object: &Value) -> Value {
    let metadata = &object["metadata"];
    let status = &object["status"];
    match object["kind"].as_str() {
        Some("GitRepository") => json!({
            "finalizers": metadata["finalizers"],
            "conditions": conditions(status),
            "revision": status["artifact"]["revision"],
        }),
        Some("Kustomization") => json!({
            "finalizers": metadata["finalizers"],
            "conditions": conditions(status),
            "inventory": status["inventory"],
            "applied": status["lastAppliedRevision"],
            "attempted": status["lastAttemptedRevision"],
        }),
        Some("CustomResourceDefinition") => json!({
            "labels": metadata["labels"],
            "annotations": metadata["annotations"],
            "group": object["spec"]["group"],
            "deleted": metadata["deletionTimestamp"].is_string(),
        }),
        _ => json!({
            "labels": metadata["labels"],
            "annotations": metadata["annotations"],
            "data": object["data"],
            "spec": without_address(&object["spec"]),
        }),
    }
}

fn conditions(status: &Value) -> Value {
    let facts = |condition: &Value| {
        // How long a health check took is in its message.
        let message = if condition["type"] == "Healthy" { &Value::Null } else { &condition["message"] };
        json!([condition["type"], condition["status"], condition["reason"], message])
    };
    status["conditions"].as_array().into_iter().flatten().map(facts).collect()
}

fn without_address(spec: &Value) -> Value {
    let mut spec = spec.clone();
    if let Some(fields) = spec.as_object_mut() {
        fields.shift_remove("clusterIP");
        fields.shift_remove("clusterIPs");
    }
    spec
}
