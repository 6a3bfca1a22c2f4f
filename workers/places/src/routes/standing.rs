//! `GET /internal/standing`: what the owner of people asks before and after it writes who
//! lives where. The entry point forwards nothing to this address.

use edge::{Answer, Body, Call, Database, Error};
use registry::{Format, Param, Problem};
use serde_json::json;

use crate::store;
use registry::ids::Ids;

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
    let (going, stands): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.truth(1));
    let ids = |rows: Vec<&edge::Row>| -> Vec<i64> {
        rows.into_iter().filter_map(|row| row.integer(0)).collect()
    };
    let body = json!({"stands": ids(stands), "going": ids(going)}).to_string();
    Ok(Answer::ok(Format::Json.media_type(), Body::Text(body)))
}
