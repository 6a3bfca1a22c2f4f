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
use crate::d1::Row;
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
    let find = change_log::latest_and(R::table(), id.into(), version);
    let rows = writer.database().rows(&find).await?;
    let change = Change::Restore {
        record: state(id, &rows, version)?,
        was_deleted: version.is_none(),
    };
    write(&request, writer, id, &preconditions, &change).await
}

fn parse_version(body: Object) -> Result<Option<i64>, Problem> {
    let mut fields = Fields::new(body);
    let version = fields.version("version");
    let parsed = fields.finish(&["version"], Some(version));
    parsed.map_err(|errors| Problem::invalid_record(&errors))
}

/// The state to restore, in the rows of [`change_log::latest_and`].
fn state<R: Collection>(id: R::Id, rows: &[Row], version: Option<i64>) -> Result<R, Error> {
    let latest = rows.first().ok_or_else(|| not_found::<R>(id))?;
    let row = match version {
        None if latest.boolean("has_state") => return Err(not_deleted::<R>().into()),
        None => latest,
        Some(version) => rows
            .iter()
            .find(|row| row.boolean("has_state") && row.integer("version") == Some(version))
            .ok_or_else(|| {
                let name = R::table().declaration.singular;
                invalid_version(&format!(
                    "the version of a state in the history of the {name}"
                ))
            })?,
    };
    if row.boolean("is_erased") {
        return Err(Problem::person_erased().into());
    }
    VersionedRecord::from_row(id.into(), row).record()
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
