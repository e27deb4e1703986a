//! Which objects belong to an owner, from one run to the next.

use std::collections::HashSet;

use api::meta::{ResourceInventory, ResourceRef};

use crate::{Action, ChangeSet};

/// Lists what was applied, in apply order, with unchanged and skipped objects.
#[must_use]
pub fn of_changes(changes: &ChangeSet) -> ResourceInventory {
    let mut seen = HashSet::new();
    let entries = changes
        .entries
        .iter()
        .filter(|change| change.action != Action::Deleted)
        .map(|change| ResourceRef { id: change.object.to_string(), v: change.version.clone() })
        .filter(|entry| seen.insert(entry.id.clone()))
        .collect();
    ResourceInventory { entries }
}

/// Picks the entries of `old` that are not in `new`, with their old version.
///
/// A difference of the version alone does not make an entry stale.
#[must_use]
pub fn stale(old: &ResourceInventory, new: &ResourceInventory) -> Vec<ResourceRef> {
    let kept: HashSet<&str> = new.entries.iter().map(|entry| entry.id.as_str()).collect();
    old.entries.iter().filter(|entry| !kept.contains(entry.id.as_str())).cloned().collect()
}

/// Adds the entries of `more` whose id is not in `inventory` yet.
pub fn merge(inventory: &mut ResourceInventory, more: impl IntoIterator<Item = ResourceRef>) {
    let mut seen: HashSet<String> = inventory.entries.iter().map(|entry| entry.id.clone()).collect();
    inventory.entries.extend(more.into_iter().filter(|entry| seen.insert(entry.id.clone())));
}

#[cfg(test)]
mod tests {
    use api::meta::ObjectRef;

    use super::*;
    use crate::Change;

    fn inventory(entries: &[(&str, &str)]) -> ResourceInventory {
        let entry = |(id, v): &(&str, &str)| ResourceRef { id: (*id).into(), v: (*v).into() };
        ResourceInventory { entries: entries.iter().map(entry).collect() }
    }

    #[test]
    fn only_a_missing_id_is_stale() {
        let old = inventory(&[("a_x__ConfigMap", "v1"), ("a_y_g_Kind", "v1beta1"), ("_z__Namespace", "v1")]);
        let new = inventory(&[("a_y_g_Kind", "v1"), ("a_n__ConfigMap", "v1")]);
        assert_eq!(
            stale(&old, &new),
            inventory(&[("a_x__ConfigMap", "v1"), ("_z__Namespace", "v1")]).entries
        );
    }

    #[test]
    fn a_merge_keeps_order_and_adds_no_id_twice() {
        let mut one = inventory(&[("a_x__ConfigMap", "v1"), ("a_y_g_Kind", "v1")]);
        merge(&mut one, inventory(&[("a_y_g_Kind", "v1beta1"), ("a_z__Secret", "v1")]).entries);
        assert_eq!(one, inventory(&[("a_x__ConfigMap", "v1"), ("a_y_g_Kind", "v1"), ("a_z__Secret", "v1")]));
    }

    #[test]
    fn everything_but_deleted_objects_is_listed() {
        let change = |name: &str, action| Change {
            object: ObjectRef {
                namespace: "a".into(),
                name: name.into(),
                group: "apps".into(),
                kind: "Deployment".into(),
            },
            version: "v1".into(),
            action,
            uid: None,
            previous_owner: None,
        };
        let entries = vec![
            change("c", Action::Created),
            change("u", Action::Unchanged),
            change("s", Action::Skipped),
            change("d", Action::Deleted),
        ];
        assert_eq!(
            of_changes(&ChangeSet { entries }),
            inventory(&[
                ("a_c_apps_Deployment", "v1"),
                ("a_u_apps_Deployment", "v1"),
                ("a_s_apps_Deployment", "v1")
            ])
        );
    }
}
