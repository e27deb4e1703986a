//! A bounded store of what was made from an object, for as long as the object says the same.

use std::collections::HashMap;
use std::hash::Hash;

/// What tells whether an object still says the same.
pub(super) type Fingerprint = [u8; 32];

/// Keeps the values that were used last.
pub(super) struct Shelf<K, V> {
    capacity: usize,
    clock: u64,
    entries: HashMap<K, Entry<V>>,
}

struct Entry<V> {
    fingerprint: Fingerprint,
    used: u64,
    value: V,
}

impl<K: Clone + Eq + Hash, V: Clone> Shelf<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, clock: 0, entries: HashMap::new() }
    }

    /// The value, if it was made from what the object says now. An older one is dropped.
    pub(super) fn get(&mut self, key: &K, fingerprint: &Fingerprint) -> Option<V> {
        self.clock += 1;
        let entry = self.entries.get_mut(key)?;
        if entry.fingerprint != *fingerprint {
            self.entries.remove(key);
            return None;
        }
        entry.used = self.clock;
        Some(entry.value.clone())
    }

    /// Keeps a value, in the place of the one that was not used for the longest time if need be.
    pub(super) fn put(&mut self, key: K, fingerprint: Fingerprint, value: V) {
        self.clock += 1;
        if self.entries.len() >= self.capacity && !self.entries.contains_key(&key) {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(key, _)| key.clone());
            oldest.and_then(|key| self.entries.remove(&key));
        }
        self.entries.insert(key, Entry { fingerprint, used: self.clock, value });
    }

    pub(super) fn drop_if(&mut self, gone: impl Fn(&K) -> bool) {
        self.entries.retain(|key, _| !gone(key));
    }
}

#[cfg(test)]
impl<K, V: Clone> Shelf<K, V> {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = V> {
        self.entries.values().map(|entry| entry.value.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::Shelf;

    #[test]
    fn what_was_used_last_is_kept_while_the_object_says_the_same() {
        let mut shelf = Shelf::new(2);
        shelf.put("a", [1; 32], 1);
        shelf.put("b", [1; 32], 2);
        assert_eq!(shelf.get(&"a", &[1; 32]), Some(1));
        shelf.put("c", [1; 32], 3);
        assert_eq!((shelf.get(&"b", &[1; 32]), shelf.get(&"a", &[1; 32])), (None, Some(1)));
        assert_eq!(
            (shelf.get(&"a", &[2; 32]), shelf.get(&"a", &[1; 32])),
            (None, None),
            "an old one is dropped"
        );
        shelf.drop_if(|key| *key == "c");
        assert_eq!(shelf.get(&"c", &[1; 32]), None);
    }
}
