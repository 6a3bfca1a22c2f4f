//! The decisions of the protocol that keeps people in places that exist, though the two
//! registers are two databases and no transaction spans them.
//!
//! A person is written *unsettled*, then the place is asked again; a place is marked as
//! *going*, then its people are counted. Whichever comes second sees the other and steps
//! back. `docs/integrity.md` argues why no interleaving breaks the rule, and
//! `crates/model` tries them all, with these very decisions.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::Problem;

/// What the register of places says of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It exists, and nobody is deleting it.
    Stands,
    /// It is marked: its people are being counted, and it may yet stay.
    Going,
    /// It does not exist.
    Missing,
}

/// How places stand, as their owner answers; those in neither do not exist.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Standings {
    /// Those that stand.
    pub stands: HashSet<i64>,
    /// Those that are going.
    pub going: HashSet<i64>,
}

impl Standings {
    /// How a place stands.
    #[must_use]
    pub fn of(&self, place: i64) -> Standing {
        if self.stands.contains(&place) {
            Standing::Stands
        } else if self.going.contains(&place) {
            Standing::Going
        } else {
            Standing::Missing
        }
    }

    /// Adds what was asked apart.
    pub fn join(&mut self, other: Self) {
        self.stands.extend(other.stands);
        self.going.extend(other.going);
    }

    /// What a write that needs the place is told.
    ///
    /// # Errors
    /// A place that does not stand.
    pub fn check(&self, place: i64) -> Result<(), Problem> {
        match self.of(place) {
            Standing::Stands => Ok(()),
            Standing::Going => Err(Problem::place_is_going(place)),
            Standing::Missing => Err(Problem::no_such_place(place)),
        }
    }
}

/// What becomes of an unsettled write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It holds.
    Settle,
    /// It is taken back, to the state before it.
    Undo,
    /// It cannot be told yet.
    Wait,
}

impl Standing {
    /// What the writer itself does with its write. Nobody has been told of it yet, so it
    /// may step back as soon as there is doubt.
    #[must_use]
    pub fn for_writer(self) -> Verdict {
        match self {
            Self::Stands => Verdict::Settle,
            Self::Going | Self::Missing => Verdict::Undo,
        }
    }

    /// What anybody else does with a write that it finds unsettled. Its writer may have
    /// been told that the place stands and have said so to its client; then the mark came
    /// later, and the count will see the person. So doubt is no reason to undo.
    #[must_use]
    pub fn for_others(self) -> Verdict {
        match self {
            Self::Stands => Verdict::Settle,
            Self::Going => Verdict::Wait,
            Self::Missing => Verdict::Undo,
        }
    }
}

/// How many places the report on integrity reads at a time.
pub const PLACES_A_PAGE: i64 = 5_000;

/// The most of each kind of doubt that it shows.
pub const DOUBTS_SHOWN: i64 = 1_000;
