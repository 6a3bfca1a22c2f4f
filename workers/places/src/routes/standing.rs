//! `GET /internal/standing`: what the owner of people asks before and after it writes who
//! lives where. The entry point forwards nothing to this address.

use edge::{Answer, Body, Call, Database, Error};
use registry::ids::Ids;
use registry::integrity::Standings;
use registry::{Format, Param, Problem};

use crate::store;

/// How places stand: `{"stands":[1,2],"going":[3]}`; those in neither do not exist.
///
/// # Errors
/// A list of ids that cannot be used.
pub async fn standing(call: Call) -> Result<Answer, Error> {
    let ids: Option<Ids> = call.params(&["ids"])?.get("ids")?;
    let ids = ids.ok_or_else(|| Problem::invalid_parameter("ids", Ids::EXPECTED))?;
    let rows = Database::of(&call.env)?
        .rows(&store::standing(&ids.to_json()))
        .await?;
    let mut standings = Standings::default();
    for row in &rows {
        let of_its_kind = if row.truth(1) {
            &mut standings.going
        } else {
            &mut standings.stands
        };
        of_its_kind.extend(row.integer(0));
    }
    let body = serde_json::to_string(&standings).unwrap_or_default();
    Ok(Answer::ok(Format::Json.media_type(), Body::Text(body)))
}
