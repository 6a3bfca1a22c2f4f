//! What the writes of one person share: the place that must stand, and why a write was
//! refused.

use edge::Error;
use registry::problem::FieldError;
use registry::{PlaceId, Problem};

use super::settling::Registrar;
use crate::domain::Residence;
use crate::store;

/// The addresses of people.
pub const PEOPLE: &str = "/v1/people";

impl Registrar {
    /// The place of a write must stand before it is even tried.
    ///
    /// # Errors
    /// A place that does not.
    pub async fn must_stand(&self, place: Option<PlaceId>) -> Result<(), Error> {
        let Some(place) = place.map(PlaceId::get) else {
            return Ok(());
        };
        let standings = self.standings(&[place].into()).await?;
        Ok(standings.check(place)?)
    }

    /// What a write that was refused is told: a second king, with the first.
    pub async fn refused(&self, error: Error, residence: Residence) -> Error {
        let Some(place) = residence
            .place()
            .filter(|_| error.is_unique("person.place_id"))
        else {
            return error;
        };
        match self.database.row(&store::king(place)).await {
            Ok(Some(king)) => {
                let (id, name) = (king.integer(0), king.text(1));
                let (id, name) = (id.unwrap_or_default(), name.unwrap_or_default());
                Problem::place_has_king(place.get(), id, &name).into()
            }
            // The king is gone again: the same request may succeed now.
            Ok(None) => Problem::being_written().into(),
            Err(error) => error,
        }
    }
}

/// A crown is not taken by somebody who is only moving in: the one who lost it would not get
/// it back if the move were undone.
#[must_use]
pub fn depose_needs_a_resident() -> Problem {
    Problem::invalid_record(&[FieldError {
        pointer: "/placeId".to_owned(),
        detail: "as it is, with `depose`: move first, then crown".to_owned(),
    }])
}
