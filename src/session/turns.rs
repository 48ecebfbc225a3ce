//! What is kept for as long as there is room: who was not used since it was asked last goes first.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    mem,
};

/// Values by their keys, and the bytes that they take.
#[derive(Debug)]
pub(super) struct Turns<K, V> {
    filled: HashMap<K, Slot<V>>,
    /// Whose turn it is to go, unless it was used since it was asked last.
    turns: VecDeque<K>,
    bytes: usize,
}

#[derive(Debug)]
struct Slot<V> {
    value: V,
    bytes: usize,
    used: bool,
}

impl<K, V> Default for Turns<K, V> {
    fn default() -> Self {
        Self { filled: HashMap::new(), turns: VecDeque::new(), bytes: 0 }
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Turns<K, V> {
    pub(super) fn get(&mut self, key: &K) -> Option<V> {
        let slot = self.filled.get_mut(key)?;
        slot.used = true;
        Some(slot.value.clone())
    }

    /// Takes a value, in the place of another one of its key, and lets others go until all are within the limit.
    pub(super) fn put(&mut self, key: K, value: V, bytes: usize, limit: usize) {
        match self.filled.insert(key.clone(), Slot { value, bytes, used: false }) {
            Some(before) => self.bytes -= before.bytes,
            None => self.turns.push_back(key),
        }
        self.bytes += bytes;
        while self.bytes > limit {
            let Some(key) = self.turns.pop_front() else { return };
            let used = self.filled.get_mut(&key).is_some_and(|slot| mem::take(&mut slot.used));
            if used {
                self.turns.push_back(key);
            } else {
                self.bytes -= self.filled.remove(&key).map_or(0, |slot| slot.bytes);
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.filled.iter().map(|(key, slot)| (key, &slot.value))
    }

    /// What all of them take, and how many there are; each has one turn.
    #[cfg(test)]
    pub(super) fn taken(&self) -> (usize, usize) {
        assert_eq!(self.filled.len(), self.turns.len(), "each has one turn");
        (self.bytes, self.filled.len())
    }
}
