//! Who deletes the place of the second database: marks it, counts, and commits or steps back.

use registry::integrity::Standing;

use super::flaw::Flaw;
use super::world::World;

/// A deleter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Deleter {
    /// Marks the place.
    #[default]
    Mark,
    /// Counts who holds it.
    Count,
    /// Deletes it.
    Commit,
    /// Lifts the mark.
    Unmark,
}

impl Deleter {
    /// Takes a step; whether the place is gone, at the end.
    pub fn step(&mut self, world: &mut World, flaw: Option<Flaw>) -> Option<bool> {
        *self = match self {
            Self::Mark if world.place == Standing::Stands => {
                world.place = Standing::Going;
                Self::Count
            }
            Self::Mark => return Some(false),
            Self::Count if world.is_held(flaw) => Self::Unmark,
            Self::Count => Self::Commit,
            Self::Commit => {
                world.place = Standing::Missing;
                return Some(true);
            }
            Self::Unmark => {
                world.place = Standing::Stands;
                return Some(false);
            }
        };
        None
    }
}
