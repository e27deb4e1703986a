//! Maps that lie in themselves: a template makes one with `set`, and counting references alone never frees it.
//!
//! Whoever changes a map of a template records it. When the values of an execution are let go, what is recorded and
//! still there is looked at: maps that are held by nothing but each other are emptied, which frees them.

use std::cell::RefCell;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::mem;
use std::rc::{Rc, Weak};

use crate::string::Str;
use crate::value::{List, Map, Value};

/// What a map holds; maps of several types may share it.
pub(crate) type Entries = RefCell<BTreeMap<Str, Value>>;

/// The maps that functions of an environment have changed.
#[derive(Default)]
pub(crate) struct Changed {
    maps: RefCell<HashMap<*const Entries, Weak<Entries>>>,
}

impl Changed {
    pub(crate) fn record(&self, map: &Map) {
        let mut maps = self.maps.borrow_mut();
        if maps.len() == maps.capacity() {
            // Maps that are gone needn't be remembered. The room is doubled, so that this is seldom done.
            maps.retain(|_, map| map.strong_count() > 0);
            let alive = maps.len();
            maps.reserve(alive.max(8));
        }
        maps.entry(Rc::as_ptr(map.entries())).or_insert_with(|| Rc::downgrade(map.entries()));
    }

    /// Empties what is recorded and held by nothing but itself, and forgets the rest.
    pub(crate) fn free(&self) {
        let recorded = mem::take(&mut *self.maps.borrow_mut());
        let alive: Vec<_> = recorded.values().filter_map(Weak::upgrade).collect();
        if alive.is_empty() {
            return;
        }
        let mut graph = Graph::default();
        for entries in &alive {
            // One of its references is that of `alive`.
            graph.reach(Held::Entries(Rc::clone(entries)));
            graph.count(Rc::as_ptr(entries).cast());
        }
        graph.explore();
        let garbage = graph.garbage();
        // Emptied one after the other, and dropped only then: dropping one must not reach another that is borrowed.
        let emptied: Vec<_> = garbage.iter().map(|entries| mem::take(&mut *entries.borrow_mut())).collect();
        drop((alive, graph, garbage, emptied));
    }
}

/// Something that holds values, or holds what does.
enum Held {
    Entries(Rc<Entries>),
    Map(Rc<Map>),
    List(Rc<List>),
}

/// An address, whatever is there.
type Address = *const ();

/// All that the recorded maps lead to.
#[derive(Default)]
struct Graph {
    found: HashMap<Address, Found>,
    /// What is found and not yet looked into.
    open: Vec<Address>,
}

struct Found {
    held: Held,
    /// How many references from within the graph lead here, our own included.
    inner: usize,
    leads_to: Vec<Address>,
}

impl Held {
    fn address(&self) -> Address {
        match self {
            Self::Entries(entries) => Rc::as_ptr(entries).cast(),
            Self::Map(map) => Rc::as_ptr(map).cast(),
            Self::List(list) => Rc::as_ptr(list).cast(),
        }
    }

    fn references(&self) -> usize {
        match self {
            Self::Entries(entries) => Rc::strong_count(entries),
            Self::Map(map) => Rc::strong_count(map),
            Self::List(list) => Rc::strong_count(list),
        }
    }

    /// What is in it, a reference each.
    fn inside(&self) -> Vec<Self> {
        let of = |value: &Value| match value {
            Value::Map(map) => Some(Self::Map(Rc::clone(map))),
            Value::List(list) => Some(Self::List(Rc::clone(list))),
            _ => None,
        };
        match self {
            Self::Entries(entries) => entries.borrow().values().filter_map(of).collect(),
            Self::Map(map) => vec![Self::Entries(Rc::clone(map.entries()))],
            Self::List(list) => list.borrow().iter().filter_map(of).collect(),
        }
    }
}

impl Graph {
    /// Takes it in if it isn't yet; the reference that the graph itself keeps counts as an inner one.
    fn reach(&mut self, held: Held) {
        let address = held.address();
        if let Entry::Vacant(entry) = self.found.entry(address) {
            entry.insert(Found { held, inner: 1, leads_to: Vec::new() });
            self.open.push(address);
        }
    }

    fn count(&mut self, address: Address) {
        if let Some(found) = self.found.get_mut(&address) {
            found.inner += 1;
        }
    }

    fn explore(&mut self) {
        while let Some(address) = self.open.pop() {
            let Some(found) = self.found.get(&address) else { continue };
            let inside = found.held.inside();
            let leads_to: Vec<_> = inside.iter().map(Held::address).collect();
            for held in inside {
                let inner = held.address();
                self.reach(held);
                self.count(inner);
            }
            if let Some(found) = self.found.get_mut(&address) {
                found.leads_to = leads_to;
            }
        }
    }

    /// The maps that nobody outside of the graph holds, neither directly nor through others.
    fn garbage(&self) -> Vec<Rc<Entries>> {
        let is_held = |found: &&Found| found.held.references() > found.inner;
        let mut held: HashSet<Address> = HashSet::new();
        let mut open: Vec<Address> =
            self.found.values().filter(is_held).map(|found| found.held.address()).collect();
        while let Some(address) = open.pop() {
            if held.insert(address) {
                open.extend(self.found.get(&address).into_iter().flat_map(|found| &found.leads_to));
            }
        }
        let free = self.found.iter().filter(|(address, _)| !held.contains(*address));
        free.filter_map(|(_, found)| match &found.held {
            Held::Entries(entries) => Some(Rc::clone(entries)),
            _ => None,
        })
        .collect()
    }
}
