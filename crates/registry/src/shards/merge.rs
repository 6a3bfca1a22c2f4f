//! The merge of ordered pages into one, which is as long as each of them.
//!
//! A line is its key, a [`SEPARATOR`], and a record that nobody looks into. The key is the cursor
//! that a page ending there would have, so that whatever can be paged can be merged, and the last
//! line's key is the cursor behind the whole.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::Cursor;

/// What stands between a line's key and its record: a character that neither can hold.
pub const SEPARATOR: char = '\u{1f}';

/// The order that all pages are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The least first.
    Up,
    /// The greatest first.
    Down,
    /// The greatest number first, and of equal ones the least id.
    NumberDown,
}

impl Order {
    fn compare(self, one: &Cursor, other: &Cursor) -> Ordering {
        let up = match (one, other) {
            (Cursor::Name { key: a, id: m }, Cursor::Name { key: b, id: n }) => (a, m).cmp(&(b, n)),
            (Cursor::Pair(a, m), Cursor::Pair(b, n)) if self == Self::NumberDown => {
                return b.cmp(a).then(m.cmp(n));
            }
            (Cursor::Pair(a, m), Cursor::Pair(b, n)) => (a, m).cmp(&(b, n)),
            (one, other) => one.id().cmp(&other.id()),
        };
        if self == Self::Down { up.reverse() } else { up }
    }
}

/// What one database has of a page: its lines, and whether it has more behind them.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// The lines, with line feeds between them; empty where there is none.
    pub lines: &'a str,
    /// Whether there is more.
    pub has_more: bool,
}

/// A page of all databases.
#[derive(Debug, PartialEq, Eq)]
pub struct Merged<'a> {
    /// The records, in order.
    pub records: Vec<&'a str>,
    /// Where the page ends.
    pub last: Option<Cursor>,
    /// Where it ends in each of the parts, as far as it has anything of it.
    pub ends: Vec<Option<Cursor>>,
    /// Whether there is more behind it.
    pub has_more: bool,
}

impl Merged<'_> {
    /// Where the next page begins, if there is one.
    #[must_use]
    pub fn next(&self) -> Option<&Cursor> {
        self.last.as_ref().filter(|_| self.has_more)
    }
}

/// A line without a key, or pages that are not in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// A part as far as it has been taken: the heap has the least one on top.
struct Head<'a> {
    part: usize,
    key: Cursor,
    record: &'a str,
    rest: std::str::Split<'a, char>,
    order: Order,
}

impl<'a> Head<'a> {
    fn of(
        part: usize,
        mut rest: std::str::Split<'a, char>,
        order: Order,
    ) -> Result<Option<Self>, Malformed> {
        let Some(line) = rest.next() else {
            return Ok(None);
        };
        let (key, record) = line.split_once(SEPARATOR).ok_or(Malformed)?;
        let key = Cursor::from_plain(key).ok_or(Malformed)?;
        Ok(Some(Self {
            part,
            key,
            record,
            rest,
            order,
        }))
    }
}

impl Ord for Head<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order.compare(&other.key, &self.key)
    }
}

impl PartialOrd for Head<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head<'_> {}

/// The first `limit` records of all parts, each of which has its own first `limit`. It takes as
/// many steps as the page has records, each of the logarithm of how many parts there are.
///
/// # Errors
/// What is no page in this order.
pub fn merged<'a>(parts: &[Part<'a>], order: Order, limit: usize) -> Result<Merged<'a>, Malformed> {
    let mut heads = BinaryHeap::new();
    for (n, part) in parts.iter().enumerate() {
        if !part.lines.is_empty() {
            heads.extend(Head::of(n, part.lines.split('\n'), order)?);
        }
    }
    let mut merged = Merged {
        records: Vec::with_capacity(limit.min(1_001)),
        last: None,
        ends: vec![None; parts.len()],
        has_more: parts.iter().any(|part| part.has_more),
    };
    while merged.records.len() < limit
        && let Some(head) = heads.pop()
    {
        merged.records.push(head.record);
        let next = Head::of(head.part, head.rest, order)?;
        let goes_back = |next: &Head<'_>| order.compare(&head.key, &next.key) != Ordering::Less;
        if next.as_ref().is_some_and(goes_back) {
            return Err(Malformed);
        }
        heads.extend(next);
        if let Some(end) = merged.ends.get_mut(head.part) {
            *end = Some(head.key.clone());
        }
        merged.last = Some(head.key);
    }
    merged.has_more |= !heads.is_empty();
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(cursor: &Cursor) -> String {
        match cursor {
            Cursor::Id(id) => format!("i{id}"),
            Cursor::Name { key, id } => format!("n{id}:{key}"),
            Cursor::Pair(first, second) => format!("p{first}.{second}"),
            Cursor::Several(_) => unreachable!("no page is ordered so"),
        }
    }

    /// What the databases answer that have these: each its first `limit`, in order.
    fn parts(shards: &[Vec<Cursor>], order: Order, limit: usize) -> Vec<(String, bool)> {
        let part = |shard: &Vec<Cursor>| {
            let mut all = shard.clone();
            all.sort_by(|one, other| order.compare(one, other));
            let has_more = all.len() > limit;
            let line = |key: &Cursor| format!("{}{SEPARATOR}<{}>", plain(key), plain(key));
            let lines: Vec<String> = all.iter().take(limit).map(line).collect();
            (lines.join("\n"), has_more)
        };
        shards.iter().map(part).collect()
    }

    fn check(shards: &[Vec<Cursor>], order: Order, limit: usize) {
        let parts = parts(shards, order, limit);
        let parts: Vec<Part<'_>> = parts
            .iter()
            .map(|(lines, has_more)| Part {
                lines,
                has_more: *has_more,
            })
            .collect();
        let found = merged(&parts, order, limit).unwrap();
        let mut all: Vec<Cursor> = shards.concat();
        all.sort_by(|one, other| order.compare(one, other));
        let mut wanted = all.iter().take(limit);
        let records: Vec<String> = wanted
            .clone()
            .map(|key| format!("<{}>", plain(key)))
            .collect();
        assert_eq!(found.records, records);
        assert_eq!(found.last.as_ref(), wanted.next_back());
        assert_eq!(found.has_more, all.len() > limit);
    }

    /// What several databases have, no two of them the same.
    fn shards() -> impl Strategy<Value = Vec<Vec<(i64, i64, String)>>> {
        let all =
            prop::collection::btree_map(1..200_i64, (0..5_i64, "[a-cñ]{1,3}", 0..4_usize), 0..60);
        all.prop_map(|all| {
            let mut shards = vec![Vec::new(); 4];
            for (id, (number, name, shard)) in all {
                if let Some(shard) = shards.get_mut(shard) {
                    shard.push((id, number, name));
                }
            }
            shards
        })
    }

    proptest! {
        #[test]
        fn is_what_one_database_would_give(shards in shards(), limit in 1..40_usize) {
            type Key = fn(&(i64, i64, String)) -> Cursor;
            let keys: [(Key, &[Order]); 3] = [
                (|one| Cursor::Id(one.0), &[Order::Up, Order::Down]),
                (|one| Cursor::Name { key: one.2.clone(), id: one.0 }, &[Order::Up, Order::Down]),
                (|one| Cursor::Pair(one.1, one.0), &[Order::Up, Order::NumberDown]),
            ];
            for (key, orders) in keys {
                let shards: Vec<Vec<Cursor>> =
                    shards.iter().map(|shard| shard.iter().map(key).collect()).collect();
                for order in orders {
                    check(&shards, *order, limit);
                }
            }
        }

        #[test]
        fn nothing_makes_it_panic(one in "\\PC*", other in "[ip0-9\u{1f}\n.]*", limit in 0..9_usize) {
            for lines in [one.as_str(), other.as_str()] {
                let part = Part { lines, has_more: false };
                let _ = merged(&[part, part], Order::Up, limit);
            }
        }
    }

    #[test]
    fn what_is_not_in_order_is_refused() {
        for lines in [
            "i2\u{1f}b\ni1\u{1f}a",
            "i1\u{1f}a\ni1\u{1f}a",
            "x\u{1f}a",
            "i1",
            "i1\u{1f}a\n",
        ] {
            let part = Part {
                lines,
                has_more: false,
            };
            assert_eq!(merged(&[part], Order::Up, 5), Err(Malformed), "{lines:?}");
        }
    }
}
