//! What is held in memory, up to so many bytes: two generations, of which the older one is let
//! go when the younger is full. What is asked for moves to the younger, so that it stays; no
//! step looks at more than one entry.

use std::collections::HashMap;
use std::mem;

/// Values under keys.
#[derive(Debug)]
pub struct Held<T> {
    young: HashMap<String, (T, usize)>,
    old: HashMap<String, (T, usize)>,
    /// The bytes of the young.
    bytes: usize,
    /// The most bytes of each generation.
    most: usize,
}

impl<T: Clone> Held<T> {
    /// Holds at most so many bytes.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            bytes: 0,
            most: most / 2,
        }
    }

    /// The value under a key.
    pub fn get(&mut self, key: &str) -> Option<T> {
        if let Some((value, _)) = self.young.get(key) {
            return Some(value.clone());
        }
        let (key, (value, bytes)) = self.old.remove_entry(key)?;
        self.put_counted(key, value.clone(), bytes);
        Some(value)
    }

    /// Holds a value of so many bytes, unless it would fill a quarter of the whole.
    pub fn put(&mut self, key: String, value: T, bytes: usize) {
        let bytes = bytes + key.len();
        self.put_counted(key, value, bytes);
    }

    fn put_counted(&mut self, key: String, value: T, bytes: usize) {
        self.old.remove(&key);
        if let Some((_, before)) = self.young.remove(&key) {
            self.bytes -= before;
        }
        if bytes > self.most / 2 {
            return;
        }
        if self.bytes + bytes > self.most {
            self.old = mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += bytes;
        self.young.insert(key, (value, bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes<T>(held: &Held<T>) -> usize {
        let generations = held.young.values().chain(held.old.values());
        generations.map(|(_, bytes)| bytes).sum()
    }

    #[test]
    fn what_is_asked_for_stays() {
        let mut held = Held::new(80);
        held.put("a".to_owned(), 1, 9);
        for n in 0..50 {
            held.put(format!("{n:03}"), n, 7);
            assert_eq!(held.get("a"), Some(1));
        }
        assert_eq!(held.get("000"), None);
        assert_eq!(held.get("049"), Some(49));
    }

    #[test]
    fn what_is_too_large_is_not_held_and_replaces_what_was() {
        let mut held = Held::new(80);
        held.put("a".to_owned(), 1, 9);
        held.put("a".to_owned(), 2, 1000);
        assert_eq!(held.get("a"), None);
    }

    proptest! {
        #[test]
        fn it_never_holds_more_and_gives_what_was_put_last(
            steps in prop::collection::vec((0..12u8, prop::option::of(0..30usize)), 0..200),
        ) {
            let mut held = Held::new(100);
            let mut last = HashMap::new();
            for (n, (key, put)) in steps.into_iter().enumerate() {
                let key = key.to_string();
                match put {
                    Some(size) => {
                        held.put(key.clone(), n, size);
                        last.insert(key, n);
                    }
                    None => if let Some(found) = held.get(&key) {
                        prop_assert_eq!(Some(&found), last.get(&key));
                    },
                }
                prop_assert!(bytes(&held) <= 100);
                let young: usize = held.young.values().map(|(_, bytes)| bytes).sum();
                prop_assert_eq!(young, held.bytes);
            }
        }
    }
}
