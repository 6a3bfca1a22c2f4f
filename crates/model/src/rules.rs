//! The rules that the states of both databases must follow.

use crate::places::Phase;
use crate::world::World;

/// The rules of every state.
pub(crate) fn always(world: &World) -> Result<(), String> {
    let tombstones = &world.places.tombstones;
    for (person, slot) in &world.people.slots {
        let Some(row) = slot.row else { continue };
        let exists = row.place.is_some_and(|place| world.places.exists(place));
        let will_be_detached = row.place.is_some_and(|place| {
            let tombstone = tombstones.get(&place);
            tombstone.is_some_and(|tombstone| tombstone.phase == Phase::Deleted)
        });
        if row.alive && !exists {
            return Err(format!("{person} lives in a place that does not exist"));
        }
        if row.place.is_some() && !exists && !will_be_detached {
            return Err(format!("dead {person} keeps a deleted place"));
        }
        if row.king && !row.alive {
            return Err(format!("{person} is a dead king"));
        }
        if row.king {
            let mut others = world.people.slots.iter();
            let rival = others.any(|(other, slot)| {
                let row_of_other = slot.row.filter(|other| other.king);
                other != person && row_of_other.is_some_and(|other| other.place == row.place)
            });
            if rival {
                return Err(format!("{person} is one of two kings"));
            }
        }
    }
    for (place, tombstone) in tombstones {
        if world.places.exists(*place) == (tombstone.phase == Phase::Deleted) {
            return Err(format!("the tombstone of {place} has the wrong phase"));
        }
    }
    if world.places.is_batch_divided {
        return Err("a place of a batch was deleted without the others".into());
    }
    if let Some(place) = world.places.deleted_by_nobody() {
        return Err(format!(
            "{place} was deleted although its deletion was rejected"
        ));
    }
    let mut deletions = world.places.acknowledged_deletions.iter();
    match deletions.find(|place| world.places.exists(**place)) {
        Some(place) => Err(format!("{place} exists after an acknowledged deletion")),
        None => Ok(()),
    }
}

/// The rules when every request has ended or crashed, and the repair has run.
pub(crate) fn at_rest(world: &World) -> Result<(), String> {
    if !world.is_at_rest() {
        return Err("the repair leaves something unfinished".into());
    }
    for (person, slot) in &world.people.slots {
        if slot.row.is_none() && slot.acknowledged > slot.deleted {
            return Err(format!("{person} was acknowledged and is missing"));
        }
        if slot.row.is_some() && slot.deleted == slot.version {
            return Err(format!("{person} exists after an acknowledged deletion"));
        }
    }
    always(world)
}
