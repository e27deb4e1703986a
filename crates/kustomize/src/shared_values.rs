//! Labels that were made in several places at once stay one value.
//!
//! Where kustomize makes a label that a resource didn't have, it puts one and the same node into every place: into the
//! metadata, the selector, the template. Whatever changes one of them later changes all, be it a patch to the metadata's
//! labels alone. The same goes for annotations.

use krm::{Mapping, Node, Scalar};

/// Marks values that were just made; no text has that many lines.
const MARK: u32 = u32::MAX;

/// A value that several places share.
#[derive(Clone, Debug)]
pub(crate) struct SharedValue {
    places: Vec<Vec<Step>>,
    value: Scalar,
}

/// One step from a value into it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// Makes an entry, marked, unless the key is there; returns whether it did.
pub(crate) fn insert_marked(map: &mut Mapping, key: &str, value: &str) -> bool {
    if let Some(old) = map.get_mut(key) {
        let is_marked = old.as_scalar().is_some_and(|s| s.line == MARK);
        if !is_marked {
            *old = Node::string(value);
        }
        return false;
    }
    map.insert(key, Node::Scalar(Scalar { line: MARK, ..Scalar::string(value) }));
    true
}

/// Finds the values that were made and takes their marks away; those under the same key share their value.
pub(crate) fn take_marked(node: &mut Node) -> Vec<SharedValue> {
    let mut found: Vec<(Vec<Step>, Scalar)> = Vec::new();
    collect(node, &mut Vec::new(), &mut found);
    let mut shared: Vec<SharedValue> = Vec::new();
    for (place, value) in found {
        match shared.iter_mut().find(|s| s.places[0].last() == place.last()) {
            Some(same) => same.places.push(place),
            None => shared.push(SharedValue { places: vec![place], value }),
        }
    }
    shared.retain(|s| s.places.len() > 1);
    shared
}

fn collect(node: &mut Node, way: &mut Vec<Step>, found: &mut Vec<(Vec<Step>, Scalar)>) {
    match node {
        Node::Scalar(scalar) => {
            if scalar.line == MARK {
                scalar.line = 0;
                found.push((way.clone(), scalar.clone()));
            }
        }
        Node::Sequence(items) => {
            for (index, item) in items.iter_mut().enumerate().filter(|(_, item)| item.as_scalar().is_none()) {
                way.push(Step::Index(index));
                collect(item, way, found);
                way.pop();
            }
        }
        Node::Mapping(map) => {
            let is_new = |value: &Node| value.as_scalar().is_none_or(|s| s.line == MARK);
            for (key, value) in map.iter_mut().filter(|(_, value)| is_new(value)) {
                way.push(Step::Key(key.text.clone()));
                collect(value, way, found);
                way.pop();
            }
        }
    }
}

impl SharedValue {
    /// Gives all places the value that one of them got since.
    pub(crate) fn spread(&mut self, node: &mut Node) {
        let mut changed = None;
        self.places.retain(|place| match at(node, place).and_then(|n| n.as_scalar()) {
            Some(scalar) => {
                if *scalar != self.value {
                    changed = Some(scalar.clone());
                }
                true
            }
            None => false,
        });
        let Some(value) = changed else { return };
        self.value = value;
        for place in &self.places {
            if let Some(scalar) = at(node, place).and_then(Node::as_scalar_mut) {
                *scalar = self.value.clone();
            }
        }
    }

    /// Forgets the place in the object's own annotations.
    fn leave_annotations(&mut self) {
        let is_own = |place: &[Step]| match place {
            [Step::Key(metadata), Step::Key(annotations), ..] => {
                metadata == "metadata" && annotations == "annotations"
            }
            _ => false,
        };
        self.places.retain(|place| !is_own(place));
    }
}

/// Forgets which values an object's own annotations share with other places.
pub(crate) fn leave_annotations(shared: &mut [SharedValue]) {
    shared.iter_mut().for_each(SharedValue::leave_annotations);
}

fn at<'a>(node: &'a mut Node, place: &[Step]) -> Option<&'a mut Node> {
    place.iter().try_fold(node, |node, step| match step {
        Step::Key(key) => node.get_mut(key),
        Step::Index(index) => node.as_seq_mut()?.get_mut(*index),
    })
}
