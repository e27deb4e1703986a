//! What was done to which object.

use std::fmt;

use api::meta::ObjectRef;

use crate::Owner;

/// What was done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// It was not there before.
    Created,
    /// It was there and differed.
    Configured,
    /// It was there as asked for; nothing was written.
    Unchanged,
    /// An annotation or label, or a foreign owner, kept us from touching it.
    Skipped,
    /// It is gone, or on its way.
    Deleted,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Created => "created",
            Self::Configured => "configured",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
            Self::Deleted => "deleted",
        })
    }
}

/// One object and what was done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Who the object is, as the server sees it: without a namespace where the kind has none.
    pub object: ObjectRef,
    /// API version of the kind, without the group.
    pub version: String,
    /// What was done.
    pub action: Action,
    /// `metadata.uid` of the live object, where it was seen.
    pub uid: Option<String>,
    /// The owner that the live object named before, where another one has just taken it over.
    pub previous_owner: Option<Owner>,
}

/// Writes `<Kind/namespace/name> <action>`.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.object.subject(), self.action)
    }
}

/// Changes in the order in which they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeSet {
    /// One entry an object.
    pub entries: Vec<Change>,
}

/// One line an entry, without a newline at the end; empty for no entries.
impl fmt::Display for ChangeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, change) in self.entries.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{change}")?;
        }
        Ok(())
    }
}

impl ChangeSet {
    /// The entries that tell of a change in the cluster: created, configured or deleted.
    #[must_use]
    pub fn changed(&self) -> Self {
        let changed = |change: &&Change| !matches!(change.action, Action::Unchanged | Action::Skipped);
        Self { entries: self.entries.iter().filter(changed).cloned().collect() }
    }

    /// Tells whether the cluster differed from what was asked for.
    #[must_use]
    pub fn drifted(&self) -> bool {
        self.entries.iter().any(|change| matches!(change.action, Action::Created | Action::Configured))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(kind: &str, namespace: &str, action: Action) -> Change {
        let object = ObjectRef {
            namespace: namespace.into(),
            name: "a".into(),
            group: String::new(),
            kind: kind.into(),
        };
        Change { object, version: "v1".into(), action, uid: None, previous_owner: None }
    }

    #[test]
    fn entries_read_like_the_lines_of_an_event() {
        let set = ChangeSet {
            entries: vec![
                change("Namespace", "", Action::Created),
                change("ConfigMap", "b", Action::Configured),
                change("ConfigMap", "b", Action::Unchanged),
                change("ConfigMap", "b", Action::Skipped),
                change("ConfigMap", "b", Action::Deleted),
            ],
        };
        assert_eq!(
            set.to_string(),
            "Namespace/a created\nConfigMap/b/a configured\nConfigMap/b/a unchanged\nConfigMap/b/a skipped\nConfigMap/b/a deleted"
        );
        assert_eq!(
            set.changed().to_string(),
            "Namespace/a created\nConfigMap/b/a configured\nConfigMap/b/a deleted"
        );
        assert!(set.drifted());
    }

    #[test]
    fn unchanged_skipped_and_deleted_are_no_drift() {
        let entries = [Action::Unchanged, Action::Skipped, Action::Deleted]
            .map(|action| change("ConfigMap", "b", action))
            .to_vec();
        assert!(!ChangeSet { entries }.drifted());
    }

    #[test]
    fn no_entries_are_no_text() {
        assert_eq!(ChangeSet::default().to_string(), "");
    }
}
