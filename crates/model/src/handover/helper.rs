//! Who ends what others have begun: a reader, or the repair, which also gives up what nobody has decided.

use registry::shards::handover::{Decision, Help, help};

use super::flaw::Flaw;
use super::world::{Arrival, Shard, Token, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum At {
    Read(Shard),
    Ask(bool),
    GiveUp,
    End(Help),
}

/// A helper.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Helper {
    is_patient: bool,
    open: Vec<(Shard, Token, Arrival)>,
    at: At,
    /// Whether anything has been ended.
    pub have_ended: bool,
}

impl Helper {
    /// A reader, who leaves what is undecided to whoever began it.
    pub fn reader() -> Self {
        Self {
            is_patient: true,
            open: Vec::new(),
            at: At::Read(0),
            have_ended: false,
        }
    }

    /// The repair, to which all is old: so it may come at any time.
    pub fn repair() -> Self {
        Self {
            is_patient: false,
            ..Self::reader()
        }
    }

    /// Takes a step; whether it is at its end.
    pub fn step(&mut self, world: &mut World, flaw: Option<Flaw>) -> Result<bool, String> {
        if let At::Read(shard) = self.at {
            let open = world.shard(shard).arrivals.iter();
            self.open
                .extend(open.map(|(token, arrival)| (shard, *token, *arrival)));
            self.at = if shard == 0 {
                At::Read(1)
            } else {
                At::Ask(!self.is_patient)
            };
            return Ok(shard == 1 && self.open.is_empty());
        }
        let Some((shard, token, arrival)) = self.open.last().copied() else {
            return Ok(true);
        };
        self.at = match self.at {
            At::Read(_) => return Ok(true),
            At::Ask(is_old) => {
                let decisions = &world.shard(arrival.decider()).decisions;
                match help(decisions.get(&token).copied(), is_old) {
                    Help::GiveUp if Flaw::GivesUpUndecided.is_in(flaw) => At::End(Help::Withdraw),
                    Help::GiveUp => At::GiveUp,
                    help => At::End(help),
                }
            }
            At::GiveUp => {
                let decisions = &mut world.shard(arrival.decider()).decisions;
                decisions.entry(token).or_insert(Decision::GivenUp);
                At::Ask(true)
            }
            At::End(help) => {
                self.have_ended |= matches!(help, Help::Arrive(_) | Help::Withdraw);
                match help {
                    Help::Arrive(first) => world.arrive(shard, token, first, flaw)?,
                    Help::Withdraw => drop(world.shard(shard).arrivals.remove(&token)),
                    Help::GiveUp | Help::Leave => {}
                }
                self.open.pop();
                At::Ask(!self.is_patient)
            }
        };
        Ok(self.open.is_empty())
    }
}
