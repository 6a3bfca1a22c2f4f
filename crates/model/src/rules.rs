//! What must be true of the world.

use crate::places::Phase;
use crate::world::World;

/// In every state.
pub(crate) fn always(world: &World) -> Result<(), String> {
    for (person, slot) in world.people.slots() {
        if slot.told & slot.undone != 0 {
            return Err(format!("a write of {person} was told of and is undone"));
        }
        let Some(row) = slot.row else { continue };
        let exists = row.place.is_some_and(|place| world.places.exists(place));
        let gone = row.place.is_some_and(|place| {
            let tombstone = world.places.tombstones().get(&place);
            tombstone.is_some_and(|tombstone| tombstone.phase == Phase::Gone)
        });
        let settled = row.doubt.is_none();
        if settled && row.alive && !exists {
            return Err(format!("{person} is settled and lives in no place"));
        }
        if settled && row.place.is_some() && !exists && !gone {
            return Err(format!("{person} lies in a place that nobody will clear"));
        }
        if row.king && !row.alive {
            return Err(format!("{person} is a dead king"));
        }
    }
    for (place, tombstone) in world.places.tombstones() {
        if world.places.exists(*place) != (tombstone.phase == Phase::Going) {
            return Err(format!("the tombstone of {place} tells it wrong"));
        }
    }
    let mut told_gone = world.places.told_gone().iter();
    match told_gone.find(|place| world.places.exists(**place)) {
        Some(place) => Err(format!("{place} is there, and was told to be gone")),
        None => Ok(()),
    }
}

/// When everybody is done or has crashed, and the repair has been.
pub(crate) fn at_rest(world: &World) -> Result<(), String> {
    if !world.rests() {
        return Err("the repair does not come to rest".into());
    }
    for (person, slot) in world.people.slots() {
        let told_since = slot.told >> (slot.deleted + 1);
        match slot.row {
            None if told_since != 0 => {
                return Err(format!("{person} was told to be there, and is not"));
            }
            Some(row) if row.place.is_some_and(|place| !world.places.exists(place)) => {
                return Err(format!("{person} refers to no place"));
            }
            _ => {}
        }
    }
    always(world)
}
