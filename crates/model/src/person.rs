//! A person: what the register has of them, and what their history tells.

use crate::flaw::Flaw;
use crate::world::{Place, Version};

/// A person, as the register has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Row {
    /// Whether they live.
    pub alive: bool,
    /// Whether they are king of their place.
    pub king: bool,
    /// Where they live, or lie.
    pub place: Option<Place>,
    /// Whether the place has yet to be asked again.
    pub doubt: Option<Doubt>,
}

/// An unsettled write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Doubt {
    /// The place that an undo brings the person back to.
    pub returns_to: Option<Place>,
}

/// A person's id, with or without a person behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Slot {
    pub(crate) version: Version,
    pub(crate) row: Option<Row>,
    /// The state one version ago: the only part of the history that is ever read.
    pub(crate) before: Option<Row>,
    /// The versions that a client was told of, a bit each.
    pub(crate) told: u32,
    /// The versions that were taken back, as the history knows them.
    pub(crate) undone: u32,
    /// The version by which a client last deleted the person.
    pub(crate) deleted: Version,
}

impl Row {
    /// Somebody who lives here.
    #[must_use]
    pub const fn living(place: Place) -> Self {
        Self {
            alive: true,
            king: false,
            place: Some(place),
            doubt: None,
        }
    }

    /// Somebody who lies here.
    #[must_use]
    pub const fn dead(place: Place) -> Self {
        Self {
            alive: false,
            ..Self::living(place)
        }
    }

    /// The king of this place.
    #[must_use]
    pub const fn king(place: Place) -> Self {
        Self {
            king: true,
            ..Self::living(place)
        }
    }

    /// Whether the place must stay for this person's sake: they live there, or it is in
    /// doubt whether they lie there.
    pub(crate) fn holds(&self, place: Place, flaw: Option<Flaw>) -> bool {
        let in_doubt = self.doubt.is_some() && !Flaw::DeadInDoubtUncounted.is_in(flaw);
        self.place == Some(place) && (self.alive || in_doubt)
    }

    pub(crate) fn may_return_to(&self, place: Place) -> bool {
        self.doubt
            .is_some_and(|doubt| doubt.returns_to == Some(place))
    }
}

impl Slot {
    /// The next version. Every change of the state makes one; settling does not.
    pub(crate) fn advance(&mut self, next: Option<Row>) -> Version {
        self.before = self.row;
        self.row = next;
        self.version += 1;
        self.version
    }
}

/// A version's bit in a set of versions.
pub(crate) fn bit(version: Version) -> u32 {
    1 << version
}
