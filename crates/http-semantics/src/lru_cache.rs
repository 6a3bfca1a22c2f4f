//! A cache with a maximum size in bytes. It approximates LRU eviction with two generations of
//! entries.
//!
//! A new entry is added to the young generation. When this generation is full, it replaces the old
//! one. An entry of the old generation moves to the young one when it is read. So no lookup has to
//! maintain an ordered list.

use std::collections::HashMap;
use std::mem;

/// The values by key.
#[derive(Debug)]
pub struct LruCache<T> {
    young: HashMap<String, (T, usize)>,
    old: HashMap<String, (T, usize)>,
    /// The size of the young generation.
    bytes: usize,
    /// The maximum size of each generation.
    max_generation_bytes: usize,
}

impl<T: Clone> LruCache<T> {
    /// A cache with a maximum size.
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            bytes: 0,
            max_generation_bytes: max_bytes / 2,
        }
    }

    /// The value of a key.
    pub fn get(&mut self, key: &str) -> Option<T> {
        if let Some((value, _)) = self.young.get(key) {
            return Some(value.clone());
        }
        let (key, (value, bytes)) = self.old.remove_entry(key)?;
        self.put_counted(key, value.clone(), bytes);
        Some(value)
    }

    /// Removes all values.
    pub fn clear(&mut self) {
        *self = Self::new(2 * self.max_generation_bytes);
    }

    /// Stores a value with its size. A value larger than a quarter of the cache is not stored.
    pub fn put(&mut self, key: String, value: T, bytes: usize) {
        let bytes = bytes + key.len();
        self.put_counted(key, value, bytes);
    }

    fn put_counted(&mut self, key: String, value: T, bytes: usize) {
        self.old.remove(&key);
        if let Some((_, before)) = self.young.remove(&key) {
            self.bytes -= before;
        }
        if bytes > self.max_generation_bytes / 2 {
            return;
        }
        if self.bytes + bytes > self.max_generation_bytes {
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

    fn bytes<T>(cache: &LruCache<T>) -> usize {
        let generations = cache.young.values().chain(cache.old.values());
        generations.map(|(_, bytes)| bytes).sum()
    }

    #[test]
    fn a_value_that_is_read_often_is_not_evicted() {
        let mut cache = LruCache::new(80);
        cache.put("a".to_owned(), 1, 9);
        for n in 0..50 {
            cache.put(format!("{n:03}"), n, 7);
            assert_eq!(cache.get("a"), Some(1));
        }
        assert_eq!(cache.get("000"), None);
        assert_eq!(cache.get("049"), Some(49));
    }

    #[test]
    fn a_cleared_cache_is_empty_and_has_the_same_size() {
        let mut cache = LruCache::new(80);
        for key in ["a", "b"] {
            cache.put(key.to_owned(), 1, 18);
        }
        cache.put("c".to_owned(), 1, 18);
        cache.clear();
        for key in ["a", "b", "c"] {
            assert_eq!(cache.get(key), None);
        }
        cache.put("a".to_owned(), 2, 19);
        assert_eq!((cache.get("a"), bytes(&cache)), (Some(2), 20));
    }

    #[test]
    fn a_generation_is_full_at_half_of_the_size() {
        let mut cache = LruCache::new(80);
        for key in ["a", "b", "c"] {
            cache.put(key.to_owned(), 1, 19);
        }
        assert_eq!((cache.young.len(), cache.old.len()), (1, 2));
        assert_eq!(["a", "b", "c"].map(|key| cache.get(key)), [Some(1); 3]);
    }

    #[test]
    fn a_value_that_is_too_large_is_not_stored() {
        let mut cache = LruCache::new(80);
        cache.put("a".to_owned(), 1, 20);
        assert_eq!(cache.get("a"), None);
        cache.put("a".to_owned(), 1, 9);
        cache.put("a".to_owned(), 2, 1000);
        assert_eq!(cache.get("a"), None);
    }

    proptest! {
        #[test]
        fn the_cache_stays_within_its_size_and_returns_the_last_value(
            steps in prop::collection::vec((0..12u8, prop::option::of(0..30usize)), 0..200),
        ) {
            let mut cache = LruCache::new(100);
            let mut last = HashMap::new();
            for (n, (key, put)) in steps.into_iter().enumerate() {
                let key = key.to_string();
                match put {
                    Some(size) => {
                        cache.put(key.clone(), n, size);
                        last.insert(key, n);
                    }
                    None => if let Some(found) = cache.get(&key) {
                        prop_assert_eq!(Some(&found), last.get(&key));
                    },
                }
                prop_assert!(bytes(&cache) <= 100);
                let young: usize = cache.young.values().map(|(_, bytes)| bytes).sum();
                prop_assert_eq!(young, cache.bytes);
            }
        }
    }
}
