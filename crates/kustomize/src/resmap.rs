//! The resources of a build in order.

use crate::error::{Error, Result};
use crate::ids::{IdKey, ResId};
use crate::resource::{Behavior, Resource};
use krm::{Mapping, Node};
use std::collections::HashSet;

/// Resources in order, each id once.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResMap {
    items: Vec<Resource>,
    /// The current ids, unless a transformer may have changed them.
    ids: Option<HashSet<IdKey>>,
}

impl ResMap {
    pub(crate) fn items(&self) -> &[Resource] {
        &self.items
    }

    /// The resources for changing; ids are looked at anew afterwards.
    pub(crate) fn items_mut(&mut self) -> &mut Vec<Resource> {
        self.ids = None;
        &mut self.items
    }

    pub(crate) fn into_items(self) -> Vec<Resource> {
        self.items
    }

    pub(crate) fn append(&mut self, resource: Resource) -> Result<()> {
        let id = resource.current_id();
        let items = &self.items;
        let ids = self.ids.get_or_insert_with(|| items.iter().map(|r| r.current_id().key()).collect());
        if !ids.insert(id.key()) {
            return Err(Error::new(format!("may not add resource with an already registered id: {id}")));
        }
        self.items.push(resource);
        Ok(())
    }

    pub(crate) fn append_all(&mut self, resources: impl IntoIterator<Item = Resource>) -> Result<()> {
        resources.into_iter().try_for_each(|resource| self.append(resource))
    }

    /// Takes out what a transformer emptied; the rest must have ids of their own.
    pub(crate) fn drop_gone(&mut self) {
        if self.items.iter().any(Resource::is_gone) {
            self.items_mut().retain(|r| !r.is_gone());
        }
    }

    pub(crate) fn check_unique(&mut self) -> Result<()> {
        let mut ids = HashSet::with_capacity(self.items.len());
        for resource in &self.items {
            let id = resource.current_id();
            if !ids.insert(id.key()) {
                return Err(Error::new(format!("may not add resource with an already registered id: {id}")));
            }
        }
        self.ids = Some(ids);
        Ok(())
    }

    /// The one resource that has or had an id.
    pub(crate) fn find_one(&self, id: &ResId) -> Result<usize> {
        let found = self.find_all(id);
        let fail = |what: &str| {
            Err(Error::new(format!("{what} for Id {id}; failed to find unique target for patch {id}")))
        };
        match found[..] {
            [] => fail("no matches"),
            [index] => Ok(index),
            _ => fail("multiple matches"),
        }
    }

    fn find_all(&self, id: &ResId) -> Vec<usize> {
        let matching = self.items.iter().enumerate().filter(|(_, r)| r.is_or_was(id));
        matching.map(|(index, _)| index).collect()
    }

    /// Takes in what a generator made: new, in place of an old one, or merged with it.
    pub(crate) fn absorb(&mut self, mut resource: Resource) -> Result<()> {
        let id = resource.current_id();
        let behavior = resource.book.behavior;
        let found = self.find_all(&id);
        let index = match found[..] {
            [] if matches!(behavior, Behavior::Merge | Behavior::Replace) => {
                return Err(Error::new(format!("id {id} does not exist; cannot merge or replace")));
            }
            [] => return self.append(resource),
            [index] => index,
            _ => {
                return Err(Error::new(format!(
                    "found multiple objects {id} that could accept merge of {id}"
                )));
            }
        };
        let old = &self.items[index];
        match behavior {
            Behavior::Replace => copy_metadata(&mut resource, old),
            Behavior::Merge => {
                copy_metadata(&mut resource, old);
                merge_map(&mut resource.node, &old.node, "data");
                merge_map(&mut resource.node, &old.node, "binaryData");
                if old.book.origin.is_some() {
                    resource.book.origin.clone_from(&old.book.origin);
                }
            }
            Behavior::Unspecified | Behavior::Create => {
                return Err(Error::new(format!(
                    "id {id} exists; can not use behavior: '{}', behavior must be merge or replace",
                    behavior.name()
                )));
            }
        }
        self.items_mut()[index] = resource;
        Ok(())
    }
}

/// Gives the new resource the old one's name, bookkeeping, and the labels and annotations it hasn't.
fn copy_metadata(new: &mut Resource, old: &Resource) {
    for field in ["labels", "annotations"] {
        let missing: Vec<(String, String)> = old
            .metadata_map(field)
            .filter(|(k, _)| new.node.at(&["metadata", field, k]).is_none())
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        for (key, value) in missing {
            new.set_metadata(field, &key, &value);
        }
    }
    new.set_name(old.name());
    new.set_namespace(old.namespace());
    let needs_hash = new.book.needs_hash && old.book.needs_hash;
    let origin = new.book.origin.take();
    new.book = old.book.clone();
    new.book.needs_hash = needs_hash;
    new.book.origin = origin.or_else(|| old.book.origin.clone());
}

fn merge_map(new: &mut Node, old: &Node, field: &str) {
    let Some(root) = new.as_map_mut() else { return };
    let Some(old) = old.get(field).and_then(Node::as_map).filter(|m| !m.is_empty()) else {
        // A map without entries doesn't stay.
        if root.get(field).is_some_and(Node::is_empty_map) {
            root.remove(field);
        }
        return;
    };
    let Some(map) = root.get_or_insert_with(field, Node::map).as_map_mut() else { return };
    let known: HashSet<String> = map.iter().map(|(k, _)| k.text.clone()).collect();
    let missing: Mapping = old
        .iter()
        .filter(|(k, _)| !known.contains(&k.text))
        .map(|(k, v)| (k.text.clone(), v.clone()))
        .collect();
    for (key, value) in missing {
        map.push(key, value);
    }
}
