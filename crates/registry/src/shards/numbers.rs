//! The numbers of changes that several databases make: each counts by itself, in steps, so that no
//! two give the same, and a number tells whose it is.

use super::map::MOST;
use crate::Cursor;

/// How one database numbers what it has counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    /// From one number to the next.
    pub step: i64,
    /// What is left of each when it is divided by the step: which database it is.
    pub shard: i64,
}

#[expect(
    clippy::cast_possible_wrap,
    reason = "there are no more than 32 databases"
)]
const STEP: i64 = MOST as i64;

impl Numbers {
    /// Those of a database.
    #[must_use]
    pub fn of(shard: usize) -> Self {
        Self {
            step: STEP,
            shard: i64::try_from(shard).unwrap_or_default(),
        }
    }
}

/// How far a feed has been shown that several databases have a share in: the last number of each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Positions(Vec<i64>);

impl Positions {
    /// Those of a cursor; none of a cursor of something else. One number is how far the first
    /// database was shown while there was no other.
    #[must_use]
    pub fn of(cursor: Option<&Cursor>) -> Option<Self> {
        match cursor {
            None | Some(Cursor::Id(0)) => Some(Self::default()),
            Some(Cursor::Id(seq)) => Some(Self(vec![seq.checked_mul(STEP)?])),
            Some(Cursor::Several(numbers)) => Some(Self(numbers.clone())),
            Some(_) => None,
        }
    }

    /// What a database has counted to, as far as it was shown.
    #[must_use]
    pub fn seen(&self, shard: usize) -> i64 {
        let Numbers { step, shard } = Numbers::of(shard);
        let mine = self.0.iter().find(|number| *number % step == shard);
        mine.map_or(0, |number| number / step)
    }

    /// A number more has been shown.
    pub fn show(&mut self, number: i64) {
        match self
            .0
            .iter_mut()
            .find(|known| **known % STEP == number % STEP)
        {
            Some(known) => *known = number,
            None => self.0.push(number),
        }
    }

    /// The cursor behind what was shown.
    #[must_use]
    pub fn into_cursor(self) -> Cursor {
        if self.0.is_empty() {
            Cursor::Id(0)
        } else {
            Cursor::Several(self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_tells_whose_it_is() {
        let mut positions = Positions::of(None).unwrap();
        assert_eq!((positions.seen(0), positions.seen(2)), (0, 0));
        let number = |shard, seq: i64| {
            let Numbers { step, shard } = Numbers::of(shard);
            seq * step + shard
        };
        for shown in [number(2, 7), number(0, 1), number(2, 9)] {
            positions.show(shown);
        }
        assert_eq!([0, 1, 2].map(|shard| positions.seen(shard)), [1, 0, 9]);
        let cursor = positions.clone().into_cursor();
        assert_eq!(Positions::of(Some(&cursor)), Some(positions));
        assert_eq!(Positions::of(Some(&Cursor::Pair(3, 4))), None);
        let before = Positions::of(Some(&Cursor::Id(3))).unwrap();
        assert_eq!([0, 1].map(|shard| before.seen(shard)), [3, 0]);
        assert_eq!(Positions::default().into_cursor(), Cursor::Id(0));
    }
}
