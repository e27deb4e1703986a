//! Holds back deletions that look like an accident, until someone approves exactly these. Pure.

use std::fmt;

use api::meta::ObjectRef;
use sha2::{Digest, Sha256};

use super::steering::PRUNE_APPROVED;

/// Most deletions of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// So many of a hundred that were applied.
    Percent(u8),
    /// So many.
    Count(usize),
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::Count(count) => write!(f, "{count}"),
        }
    }
}

/// How many of the objects to delete a message lists.
const LISTED: usize = 50;

/// Deletions that wait for approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Why, in the words of the condition.
    why: Vec<String>,
    /// The objects, as `Kind/namespace/name`, sorted.
    objects: Vec<String>,
    /// What approves exactly these deletions.
    pub token: String,
}

/// Tells why, what, and how to approve it.
impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "deletion held back: {}", self.why.join(", "))?;
        for object in self.objects.iter().take(LISTED) {
            writeln!(f, "{object}")?;
        }
        if let Some(more) = self.objects.len().checked_sub(LISTED).filter(|more| *more > 0) {
            writeln!(f, "and {more} more")?;
        }
        write!(f, "to delete them, set the annotation {PRUNE_APPROVED}={}", self.token)
    }
}

/// Judges the deletions of one run: `None` lets them go.
///
/// `before` counts the objects that were applied before. Held back are more deletions than the limit, the deletion of
/// everything, and that of any object which takes others or their data with it.
#[must_use]
pub fn judge(limit: Limit, before: usize, deletions: &[ObjectRef], approved: Option<&str>) -> Option<Held> {
    let count = deletions.len();
    let mut why = Vec::new();
    let exceeds = match limit {
        Limit::Percent(percent) => count * 100 > before * usize::from(percent),
        Limit::Count(most) => count > most,
    };
    if exceeds && count > 0 {
        why.push(format!("{count} of {before} objects would be deleted, the limit is {limit}"));
    }
    if count > 0 && count >= before {
        why.push("nothing of what was applied before would stay".to_owned());
    }
    let precious: Vec<String> =
        deletions.iter().filter(|object| is_precious(object)).map(ObjectRef::subject).collect();
    if let Some(first) = precious.first() {
        let more =
            if precious.len() > 1 { format!(" and {} more", precious.len() - 1) } else { String::new() };
        why.push(format!("{first}{more} would take other objects or data with it"));
    }
    if why.is_empty() {
        return None;
    }
    let mut objects: Vec<String> = deletions.iter().map(ObjectRef::subject).collect();
    objects.sort();
    let token = token(deletions);
    (approved != Some(token.as_str())).then_some(Held { why, objects, token })
}

/// Whether the deletion of the object deletes more than the object.
fn is_precious(object: &ObjectRef) -> bool {
    matches!(
        (object.group.as_str(), object.kind.as_str()),
        ("", "Namespace" | "PersistentVolumeClaim" | "PersistentVolume")
            | ("apiextensions.k8s.io", "CustomResourceDefinition")
    )
}

/// Names a set of objects, whatever their order.
fn token(objects: &[ObjectRef]) -> String {
    let mut ids: Vec<String> = objects.iter().map(ToString::to_string).collect();
    ids.sort();
    let mut hash = Sha256::new();
    for id in ids {
        hash.update(id.as_bytes());
        hash.update(b"\n");
    }
    let mut token = hex::encode(hash.finalize());
    token.truncate(12);
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(names: &[&str]) -> Vec<ObjectRef> {
        let object = |name: &&str| {
            let (kind, name) = name.split_once('/').unwrap_or(("ConfigMap", name));
            ObjectRef {
                namespace: "a".to_owned(),
                name: name.to_owned(),
                group: if kind == "CustomResourceDefinition" {
                    "apiextensions.k8s.io".into()
                } else {
                    String::new()
                },
                kind: kind.to_owned(),
            }
        };
        names.iter().map(object).collect()
    }

    #[test]
    fn the_limit_the_whole_and_the_precious_are_held_back() {
        for (limit, before, deletions, held) in [
            (Limit::Percent(50), 10, &["a"][..], false),
            (Limit::Percent(50), 4, &["a", "b"], false),
            (Limit::Percent(50), 4, &["a", "b", "c"], true),
            (Limit::Count(2), 100, &["a", "b"], false),
            (Limit::Count(2), 100, &["a", "b", "c"], true),
            (Limit::Percent(100), 2, &["a", "b"], true),
            (Limit::Percent(0), 2, &[], false),
            (Limit::Count(9), 0, &[], false),
            (Limit::Percent(50), 100, &["Namespace/a"], true),
            (Limit::Percent(50), 100, &["PersistentVolumeClaim/a"], true),
            (Limit::Percent(50), 100, &["CustomResourceDefinition/a"], true),
        ] {
            let verdict = judge(limit, before, &objects(deletions), None);
            assert_eq!(verdict.is_some(), held, "{limit} of {before}: {deletions:?}");
        }
    }

    #[test]
    fn an_approval_is_for_these_objects_alone() {
        let held = judge(Limit::Count(1), 9, &objects(&["a", "b"]), None).unwrap();
        assert_eq!(judge(Limit::Count(1), 9, &objects(&["b", "a"]), Some(&held.token)), None);
        assert!(judge(Limit::Count(1), 9, &objects(&["a", "b", "c"]), Some(&held.token)).is_some());
    }

    #[test]
    fn the_message_says_why_what_and_how() {
        let held = judge(Limit::Percent(25), 2, &objects(&["b", "Namespace/a"]), None).unwrap();
        let expected = format!(
            "deletion held back: 2 of 2 objects would be deleted, the limit is 25%, nothing of what was applied before \
             would stay, Namespace/a/a would take other objects or data with it\n\
             ConfigMap/a/b\nNamespace/a/a\n\
             to delete them, set the annotation {PRUNE_APPROVED}={}",
            held.token
        );
        assert_eq!(held.to_string(), expected);
        let names: Vec<String> = (0..60).map(|n| format!("n{n:02}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let text = judge(Limit::Count(1), 99, &objects(&names), None).unwrap().to_string();
        assert!(text.contains("\nand 10 more\n"), "{text}");
    }
}
