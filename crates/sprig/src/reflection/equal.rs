//! Equality in depth.

use std::collections::HashSet;
use std::rc::Rc;

use gotemplate::{List, Map, Object, Value};

/// Go's `reflect.DeepEqual`: equal types, equal contents; not-a-number equals nothing, but a list
/// or map equals itself whatever is in it.
pub(crate) fn deep_equal(left: &Value, right: &Value) -> bool {
    if !matches!(left, Value::List(_) | Value::Map(_) | Value::Object(_)) {
        return scalars_are_equal(left, right);
    }
    let mut pending = Pending { pairs: vec![(left.clone(), right.clone())], seen: HashSet::new() };
    while let Some((left, right)) = pending.pairs.pop() {
        if !pending.compare(&left, &right) {
            return false;
        }
    }
    true
}

/// Whether both are the same scalar; nothing else is equal here.
fn scalars_are_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Int(left, a), Value::Int(right, b)) => left == right && a == b,
        (Value::Float(left), Value::Float(right)) => left == right,
        (Value::Complex(left, a), Value::Complex(right, b)) => left == right && a == b,
        (Value::String(left), Value::String(right)) => left == right,
        _ => false,
    }
}

/// The pairs that are yet to be compared. Not the call stack: values may be deep.
struct Pending {
    pairs: Vec<(Value, Value)>,
    /// The pairs of lists and maps that were begun, by address. They count as equal when they come
    /// again, so that values which contain themselves come to an end.
    seen: HashSet<(usize, usize)>,
}

impl Pending {
    fn compare(&mut self, left: &Value, right: &Value) -> bool {
        match (left, right) {
            (Value::List(left), Value::List(right)) => self.compare_lists(left, right),
            (Value::Map(a), Value::Map(b)) => left.type_of() == right.type_of() && self.compare_maps(a, b),
            (Value::Object(left), Value::Object(right)) => {
                Rc::ptr_eq(left, right)
                    || left.type_name() == right.type_name() && self.compare_objects(&**left, &**right)
            }
            _ => scalars_are_equal(left, right),
        }
    }

    fn compare_lists(&mut self, left: &Rc<List>, right: &Rc<List>) -> bool {
        if left.element() != right.element() || left.len() != right.len() {
            return false;
        }
        if self.is_new(Rc::as_ptr(left).addr(), Rc::as_ptr(right).addr()) {
            self.pairs.extend(left.to_vec().into_iter().zip(right.to_vec()));
        }
        true
    }

    fn compare_maps(&mut self, left: &Rc<Map>, right: &Rc<Map>) -> bool {
        if left.len() != right.len() || left.is_nil() != right.is_nil() {
            return false;
        }
        if !left.is_same(right) && self.is_new(Rc::as_ptr(left).addr(), Rc::as_ptr(right).addr()) {
            for (key, value) in left.to_vec() {
                let Some(other) = right.get(&key) else { return false };
                self.pairs.push((value, other));
            }
        }
        true
    }

    /// Objects show their fields, or else their text: those of a pointer count too, not only its
    /// address.
    fn compare_objects(&mut self, left: &dyn Object, right: &dyn Object) -> bool {
        if left.equals(right) {
            return true;
        }
        let (fields, others) = (left.fields(), right.fields());
        if fields.is_empty() {
            return left.display().is_some_and(|text| right.display() == Some(text));
        }
        let values = |fields: Vec<(_, Value)>| fields.into_iter().map(|(_, value)| value);
        self.pairs.extend(values(fields).zip(values(others)));
        true
    }

    fn is_new(&mut self, left: usize, right: usize) -> bool {
        left != right && self.seen.insert((left.min(right), left.max(right)))
    }
}
