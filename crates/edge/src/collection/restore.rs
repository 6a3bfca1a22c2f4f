//! `POST /v1/{collection}/{id}/restore`: writes an earlier state of a record again. The same rules
//! apply as to a `PUT` of this state.

use http_semantics::Problem;
use http_semantics::fields::Fields;
use http_semantics::json::Object;
use http_semantics::problem::FieldError;
use tables::{Record, change_log};

use super::versioned_record::VersionedRecord;
use super::write::{Change, Writer, write};
use super::{Collection, not_found};
use crate::d1::{Database, Row};
use crate::error::Error;
use crate::http::request::{JSON, Request};
use crate::http::response::Response;

/// `POST /v1/{collection}/{id}/restore`: writes the state of the version in the body
/// (`{"version":3}`) as a new version. Without a body: the last state of a deleted record.
///
/// # Errors
/// A version that has no state, a record that was erased or never existed, a precondition that fails,
/// or a rule that the state breaks now.
pub async fn restore<R: Collection>(request: Request) -> Result<Response, Error> {
    let writer = R::Writer::new(&request, R::Writer::PARAMETERS)?;
    let id: R::Id = request.id()?;
    let preconditions = request.preconditions()?;
    let version = match request.optional_json_object(JSON).await? {
        Some(body) => parse_version(body)?,
        None => None,
    };
    let change = read_state(writer.database(), id, version).await?;
    write(&request, writer, id, &preconditions, change).await
}

/// Reads the state to restore: that of the requested version, or the last one of a deleted record.
///
/// # Errors
/// As [`restore`].
pub(super) async fn read_state<R: Collection>(
    database: &Database,
    id: R::Id,
    requested: Option<i64>,
) -> Result<Change<R>, Error> {
    let find = change_log::latest_and(R::table(), id.into(), requested);
    let rows = database.rows(&find).await?;
    let row = find_state::<R>(id, &rows, requested)?;
    if row.boolean("is_erased") {
        return Err(Problem::person_erased().into());
    }
    let state = VersionedRecord::from_row(id.into(), row);
    Ok(Change::Restore {
        record: state.record()?,
        version: state.version.number,
        requested,
    })
}

fn parse_version(body: Object) -> Result<Option<i64>, Problem> {
    let mut fields = Fields::new(body);
    let version = fields.version("version");
    let parsed = fields.finish(&["version"], Some(version));
    parsed.map_err(|errors| Problem::invalid_record(&errors))
}

/// The row of the state to restore, among those of [`change_log::latest_and`].
fn find_state<R: Collection>(
    id: R::Id,
    rows: &[Row],
    requested: Option<i64>,
) -> Result<&Row, Error> {
    let latest = rows.first().ok_or_else(|| not_found::<R>(id))?;
    let Some(version) = requested else {
        return if latest.boolean("has_state") {
            Err(not_deleted::<R>().into())
        } else {
            Ok(latest)
        };
    };
    let mut states = rows.iter().filter(|row| row.boolean("has_state"));
    let state = states.find(|row| row.integer("version") == Some(version));
    state.ok_or_else(|| {
        let name = R::table().declaration.singular;
        let expected = format!("the version of a state in the history of the {name}");
        invalid_version(&expected).into()
    })
}

/// The problem of a restore without a version of a record that exists.
pub(super) fn not_deleted<R: Record>() -> Problem {
    let name = R::table().declaration.singular;
    invalid_version(&format!(
        "a version in the history of the {name}, because it is not deleted"
    ))
}

fn invalid_version(expected: &str) -> Problem {
    Problem::invalid_record(&[FieldError {
        pointer: "/version".to_owned(),
        detail: expected.to_owned(),
    }])
}
