//! Which database has the people of which places.

use crate::{Param, PlaceId};

/// One database: its binding, and the first place whose people it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// The name that it is bound under.
    pub binding: String,
    /// The least place id of its range.
    pub first: i64,
}

/// The databases of a register, in the order of their ranges, which leave no gap: each ends where
/// the next begins. Whoever is new, and of no place, is
/// in the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardMap(Vec<Shard>);

/// The most databases: a request asks all of them at once, and may call so many and no more.
pub(super) const MOST: usize = 32;

impl ShardMap {
    /// One database, which has them all: what there is without a setting.
    #[must_use]
    pub fn one() -> Self {
        Self(vec![Shard {
            binding: "DB".to_owned(),
            first: 0,
        }])
    }

    /// Reads a setting as in `DB, DB2 from 500000, DB3 from 900000`.
    ///
    /// # Errors
    /// What is wrong with it. No database is better than the wrong one.
    pub fn parse(setting: &str) -> Result<Self, String> {
        let mut shards: Vec<Shard> = Vec::new();
        for entry in setting.split(',').map(str::trim) {
            let (binding, first) = match entry.split_once(" from ") {
                None => (entry, Some(0)),
                Some((binding, first)) => (binding, PlaceId::parse(first.trim()).map(PlaceId::get)),
            };
            let is_name =
                |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
            if binding.is_empty() || !binding.bytes().all(is_name) {
                return Err(format!("`{entry}` begins with no name of a binding"));
            }
            let first = first.ok_or_else(|| format!("`{entry}` begins at no id of a place"))?;
            match shards.last() {
                None if first != 0 => {
                    return Err(format!("`{entry}` leaves out the places before it"));
                }
                Some(_) if first == 0 => return Err(format!("`{entry}` says not where it begins")),
                Some(before) if before.first >= first => {
                    return Err(format!("`{entry}` begins no later than the one before it"));
                }
                _ => {}
            }
            if shards.iter().any(|known| known.binding == binding) {
                return Err(format!("`{binding}` is there twice"));
            }
            shards.push(Shard {
                binding: binding.to_owned(),
                first,
            });
        }
        if shards.len() > MOST {
            return Err(format!("there are more than {MOST} databases"));
        }
        Ok(Self(shards))
    }

    /// The databases, in the order of their ranges.
    #[must_use]
    pub fn shards(&self) -> &[Shard] {
        &self.0
    }

    /// Which of them is bound under a name.
    #[must_use]
    pub fn named(&self, binding: &str) -> Option<usize> {
        self.0.iter().position(|shard| shard.binding == binding)
    }

    /// Which of them has the people of a place, or of none.
    #[must_use]
    pub fn of(&self, place: Option<PlaceId>) -> usize {
        let place = place.map_or(0, PlaceId::get);
        self.0
            .partition_point(|shard| shard.first <= place)
            .saturating_sub(1)
    }

    /// Those that have places behind one, up to another, in order.
    #[must_use]
    pub fn between(&self, after: i64, through: i64) -> std::ops::Range<usize> {
        let at = |place: i64| self.0.partition_point(|shard| shard.first <= place);
        if after >= through {
            return 0..0;
        }
        at(after + 1).saturating_sub(1)..at(through)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn three() -> ShardMap {
        ShardMap::parse("DB, DB2 from 500, DB3 from 900").unwrap()
    }

    fn place(id: i64) -> Option<PlaceId> {
        PlaceId::parse(&id.to_string())
    }

    #[test]
    fn a_place_is_in_one_database_and_nowhere_is_in_the_first() {
        let map = three();
        let of = |id| map.of(place(id));
        assert_eq!(
            [1, 499, 500, 899, 900, PlaceId::MOST].map(of),
            [0, 0, 1, 1, 2, 2]
        );
        assert_eq!(map.of(None), 0);
        assert_eq!((map.named("DB3"), map.named("DB4")), (Some(2), None));
        assert_eq!(ShardMap::one().of(place(PlaceId::MOST)), 0);
    }

    #[test]
    fn a_range_of_places_is_in_those_that_it_touches() {
        let map = three();
        assert_eq!(map.between(0, PlaceId::MOST), 0..3);
        assert_eq!(map.between(0, 499), 0..1);
        assert_eq!(map.between(498, 500), 0..2);
        assert_eq!(map.between(499, 500), 1..2);
        assert_eq!(map.between(899, PlaceId::MOST), 2..3);
        assert_eq!(map.between(10, 5), 0..0);
    }

    #[test]
    fn a_setting_that_cannot_be_is_refused() {
        for wrong in [
            "",
            "DB,",
            "db",
            "DB from 5",
            "DB, DB2",
            "DB, DB2 from 0",
            "DB, DB2 from x",
            "DB, DB2 from 9, DB3 from 9",
            "DB, DB2 from 9, DB3 from 8",
            "DB, DB from 9",
            "DB DB2",
        ] {
            assert!(ShardMap::parse(wrong).is_err(), "{wrong}");
        }
        let many: Vec<String> = (1..40).map(|n| format!("DB{n} from {n}")).collect();
        assert!(ShardMap::parse(&format!("DB, {}", many.join(", "))).is_err());
        assert_eq!(ShardMap::parse("DB"), Ok(ShardMap::one()));
    }

    proptest! {
        #[test]
        fn each_place_of_a_range_is_where_the_range_is(
            firsts in prop::collection::btree_set(1..60_i64, 0..5),
            after in 0..70_i64,
            through in 0..70_i64,
        ) {
            let more = firsts.iter().map(|first| format!(", DB{first} from {first}"));
            let map = ShardMap::parse(&format!("DB{}", more.collect::<String>())).unwrap();
            let range = map.between(after, through);
            let asked: Vec<usize> = (after + 1..=through).map(|id| map.of(place(id))).collect();
            prop_assert!(asked.iter().all(|shard| range.contains(shard)));
            prop_assert_eq!(asked.first().copied(), Some(range.start).filter(|_| after < through));
            prop_assert_eq!(asked.last().copied(), range.last().filter(|_| after < through));
        }
    }
}
