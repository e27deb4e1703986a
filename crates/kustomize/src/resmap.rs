//! The resources of a build in order.

use crate::error::{Error, Result, closest};
use crate::ids::{IdKey, ResId};
use crate::resource::{Behavior, Resource};
use crate::scopes::Scopes;
use krm::{Mapping, Node};
use std::collections::{HashMap, HashSet};

/// Resources in order, each id once.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResMap {
    items: Vec<Resource>,
    /// The current ids, unless a transformer may have changed them.
    ids: Option<HashSet<IdKey>>,
    scopes: Scopes,
}

impl ResMap {
    /// An empty map; what is added takes on the scopes.
    pub(crate) fn new(scopes: Scopes) -> Self {
        Self { scopes, ..Self::default() }
    }

    pub(crate) const fn scopes(&self) -> &Scopes {
        &self.scopes
    }

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

    pub(crate) fn append(&mut self, mut resource: Resource) -> Result<()> {
        resource.scopes = self.scopes.clone();
        let id = resource.current_id();
        let items = &self.items;
        let ids = self.ids.get_or_insert_with(|| items.iter().map(|r| r.current_id().key()).collect());
        if !ids.insert(id.key()) {
            return Err(registered(&id));
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
                return Err(registered(&id));
            }
        }
        self.ids = Some(ids);
        Ok(())
    }

    /// The one resource that has or had an id.
    pub(crate) fn find_one(&self, id: &ResId) -> Result<usize> {
        let found = self.find_all(&id.clone().in_scope(&self.scopes));
        let fail = |what: &str, help: String| {
            Err(Error::new(format!("{what} for Id {id}; failed to find unique target for patch {id}"))
                .hint(help))
        };
        match found[..] {
            [] => fail("no matches", self.help_finding(id)),
            [index] => Ok(index),
            _ => {
                let objects = found.iter().filter_map(|index| self.items.get(*index));
                let objects: Vec<String> = objects.map(|r| r.current_id().told()).collect();
                fail("multiple matches", format!("make a patch for each of {}", objects.join(", ")))
            }
        }
    }

    /// What to do about an id that nothing has.
    fn help_finding(&self, id: &ResId) -> String {
        let of_kind = || self.items.iter().filter(|r| r.kind() == id.gvk.kind);
        if let Some(other) = of_kind().find(|r| r.name() == id.name || r.original_name() == id.name) {
            let told = other.current_id().told();
            if other.gvk() != id.gvk {
                return format!("there is {told}: write apiVersion: {} in the patch", other.api_version());
            }
            let namespace = if other.namespace().is_empty() { "no namespace" } else { "its namespace" };
            return format!("there is {told}: write {namespace} in the patch");
        }
        match closest(&id.name, of_kind().map(Resource::name)) {
            Some(name) => format!("did you mean {name:?}?"),
            None => format!("list {} under 'resources', or take the patch out", id.told()),
        }
    }

    fn find_all(&self, id: &ResId) -> Vec<usize> {
        let matching = self.items.iter().enumerate().filter(|(_, r)| r.is_or_was(id));
        matching.map(|(index, _)| index).collect()
    }

    /// Takes in what generators made: each new, in place of an old one, or merged with it.
    ///
    /// # Errors
    /// What is wrong with the first that can't be taken in, and its position.
    pub(crate) fn absorb_all(&mut self, resources: Vec<Resource>) -> Result<(), (usize, Error)> {
        if resources.is_empty() {
            return Ok(());
        }
        let mut names = Names::of(&self.items);
        let mut resources = resources.into_iter().enumerate();
        resources.try_for_each(|(at, resource)| self.absorb(resource, &mut names).map_err(|e| (at, e)))
    }

    fn absorb(&mut self, mut resource: Resource, names: &mut Names) -> Result<()> {
        resource.scopes = self.scopes.clone();
        let id = resource.current_id();
        let behavior = resource.book.behavior;
        let found = names.find(&self.items, &id);
        let index = match found[..] {
            [] if matches!(behavior, Behavior::Merge | Behavior::Replace) => {
                let error = Error::new(format!("id {id} does not exist; cannot merge or replace"));
                let help = format!("list {} under 'resources', or write behavior: create", id.told());
                return Err(error.object(id.told()).hint(help));
            }
            [] => {
                names.add(self.items.len(), &resource);
                return self.append(resource);
            }
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
                ))
                .object(id.told())
                .hint("write behavior: merge or behavior: replace, or give it another name"));
            }
        }
        // It has the names of the old one, and its id unless that one has changed its kind.
        let id = resource.current_id();
        if id.key() != old.current_id().key() {
            return Err(Error::new(format!("cannot find resource with id {id} to replace")));
        }
        self.items[index] = resource;
        Ok(())
    }
}

fn registered(id: &ResId) -> Error {
    Error::new(format!("may not add resource with an already registered id: {id}"))
        .object(id.told())
        .hint("keep one of the two; to change the other one, make a patch of it")
}

/// Where the resources are that have or had a name.
struct Names {
    positions: HashMap<String, Vec<usize>>,
}

impl Names {
    fn of(items: &[Resource]) -> Self {
        let mut names = Self { positions: HashMap::with_capacity(items.len()) };
        items.iter().enumerate().for_each(|(position, resource)| names.add(position, resource));
        names
    }

    fn add(&mut self, position: usize, resource: &Resource) {
        let previous = resource.book.previous.iter().map(|p| p.name.as_str());
        for name in previous.chain([resource.name()]) {
            let positions = self.positions.entry(name.to_owned()).or_default();
            if positions.last() != Some(&position) {
                positions.push(position);
            }
        }
    }

    /// The resources that have or had an id.
    fn find(&self, items: &[Resource], id: &ResId) -> Vec<usize> {
        let positions = self.positions.get(&id.name).into_iter().flatten().copied();
        positions.filter(|position| items[*position].is_or_was(id)).collect()
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
