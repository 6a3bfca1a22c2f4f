//! The decisions of a handover: how a person comes into one of several databases, from another one
//! or from nowhere, though no transaction spans them.
//!
//! They are *prepared* where they go, unseen; their place is asked whether it stands; one database
//! *decides*, in the transaction in which they leave it; then they *arrive*. `docs/scale.md` argues
//! why no interleaving breaks it, and `crates/model` tries them all, with these very decisions.

use std::collections::BTreeMap;

use super::ShardMap;

/// The last that a database knows of a person, by its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Last {
    /// They are there.
    Here,
    /// They went to another database.
    Went,
    /// There is nobody any more.
    Gone,
}

/// Where a person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whereabouts {
    /// In a database.
    In(usize),
    /// Between two of them.
    OnTheWay,
    /// Nowhere any more: the database that they were in last, and the version of their end.
    Gone(usize, i64),
    /// Nowhere, ever.
    Nowhere,
}

impl Whereabouts {
    /// The version behind which somebody new comes who gets the same id; none while there is
    /// anybody.
    #[must_use]
    pub fn free_behind(self) -> Option<i64> {
        match self {
            Self::Nowhere => Some(0),
            Self::Gone(_, version) => Some(version),
            Self::In(_) | Self::OnTheWay => None,
        }
    }

    /// The database that somebody new comes from, where they are added in another one than that in
    /// which the id was used before. Who reads both must not see the one who was there and the one
    /// who comes.
    #[must_use]
    pub fn origin(self, to: usize) -> Option<usize> {
        match self {
            Self::Gone(from, _) if from != to => Some(from),
            _ => None,
        }
    }
}

/// Where a person is, by the last version that each database knows of, in whatever order they were
/// asked. The newest of them all is true: had the person gone on from there before it was read, it
/// would say so itself. Where they went to knows the same version, once they are there.
#[must_use]
pub fn whereabouts(known: impl IntoIterator<Item = Option<(i64, Last)>>) -> Whereabouts {
    let known = known.into_iter().enumerate();
    let newest = known
        .filter_map(|(shard, last)| last.map(|(version, last)| (version, last, shard)))
        .max_by_key(|(version, last, _)| (*version, *last == Last::Here));
    match newest {
        None => Whereabouts::Nowhere,
        Some((_, Last::Here, shard)) => Whereabouts::In(shard),
        Some((_, Last::Went, _)) => Whereabouts::OnTheWay,
        Some((version, Last::Gone, shard)) => Whereabouts::Gone(shard, version),
    }
}

/// How many went from a database to each of its peers, and came from them, by the peers' bindings.
pub type Passages = BTreeMap<String, [i64; 2]>;

/// Whether what databases answered, each at a moment of its own, has everybody once: as many have
/// come to each as went there. That holds only where nobody was still expected.
#[must_use]
pub fn has_everybody_once(map: &ShardMap, passages: &[Passages]) -> bool {
    let number = |of: usize, peer: usize, which: usize| {
        let peer = map.shards().get(peer).map(|shard| shard.binding.as_str());
        let numbers = passages
            .get(of)
            .zip(peer)
            .and_then(|(of, peer)| of.get(peer));
        numbers
            .and_then(|numbers| numbers.get(which))
            .copied()
            .unwrap_or_default()
    };
    let all = 0..passages.len();
    let mut pairs = all
        .clone()
        .flat_map(|from| all.clone().map(move |to| (from, to)));
    pairs.all(|(from, to)| number(from, to, 0) == number(to, from, 1))
}

/// What became of a handover, by the database that decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// They arrive; those without an id get ids from this one on.
    Done(Option<i64>),
    /// Nobody arrives.
    GivenUp,
}

/// What anybody else does with a handover that it meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Help {
    /// Have them arrive.
    Arrive(Option<i64>),
    /// Withdraw them.
    Withdraw,
    /// Decide against it first, and look again.
    GiveUp,
    /// Leave it to whoever began it.
    Leave,
}

/// What to do with a handover that is not one's own. Nobody can tell who is slow from who has
/// crashed, so that one is given up only when it `is_old`, and by a decision, which either side
/// may be the first to make.
#[must_use]
pub fn help(decision: Option<Decision>, is_old: bool) -> Help {
    match decision {
        Some(Decision::Done(first_id)) => Help::Arrive(first_id),
        Some(Decision::GivenUp) => Help::Withdraw,
        None if is_old => Help::GiveUp,
        None => Help::Leave,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_that_is_known_is_true() {
        use Last::{Gone, Here, Went};
        for (known, expected) in [
            (vec![None, None], Whereabouts::Nowhere),
            (vec![None, Some((3, Here))], Whereabouts::In(1)),
            // Read before they left, and read behind their arrival.
            (vec![Some((3, Here)), Some((4, Here))], Whereabouts::In(1)),
            (vec![Some((4, Went)), Some((4, Here))], Whereabouts::In(1)),
            (vec![Some((4, Here)), Some((4, Went))], Whereabouts::In(0)),
            // Read before their arrival.
            (vec![Some((4, Went)), None], Whereabouts::OnTheWay),
            (
                vec![Some((4, Went)), Some((2, Went))],
                Whereabouts::OnTheWay,
            ),
            (
                vec![Some((4, Went)), Some((5, Gone))],
                Whereabouts::Gone(1, 5),
            ),
            (
                vec![Some((6, Went)), Some((5, Gone))],
                Whereabouts::OnTheWay,
            ),
        ] {
            assert_eq!(whereabouts(known.clone()), expected, "{known:?}");
        }
    }

    #[test]
    fn an_id_that_was_used_goes_on_counting() {
        assert_eq!(Whereabouts::Nowhere.free_behind(), Some(0));
        assert_eq!(Whereabouts::Gone(1, 5).free_behind(), Some(5));
        assert_eq!(Whereabouts::In(0).free_behind(), None);
        assert_eq!(Whereabouts::Gone(1, 5).origin(0), Some(1));
        assert_eq!(Whereabouts::Gone(1, 5).origin(1), None);
        assert_eq!(Whereabouts::Nowhere.origin(1), None);
    }

    #[test]
    fn everybody_is_there_once_when_as_many_came_as_went() {
        let map = ShardMap::parse("DB, DB2 from 5").unwrap();
        let of = |peer: &str, numbers| Passages::from([(peer.to_owned(), numbers)]);
        let holds = |one, two| has_everybody_once(&map, &[one, two]);
        assert!(holds(Passages::new(), Passages::new()));
        assert!(holds(of("DB2", [3, 1]), of("DB", [1, 3])));
        // Gone from the first, and not yet seen in the second, or the other way round.
        assert!(!holds(of("DB2", [3, 1]), of("DB", [1, 2])));
        assert!(!holds(of("DB2", [2, 1]), of("DB", [1, 3])));
        assert!(!holds(of("DB2", [0, 1]), Passages::new()));
    }

    #[test]
    fn who_is_not_told_waits_and_then_gives_up() {
        assert_eq!(
            help(Some(Decision::Done(Some(7))), true),
            Help::Arrive(Some(7))
        );
        assert_eq!(help(Some(Decision::GivenUp), false), Help::Withdraw);
        assert_eq!(help(None, false), Help::Leave);
        assert_eq!(help(None, true), Help::GiveUp);
    }
}
