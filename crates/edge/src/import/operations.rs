//! `POST …/batch`: does all operations of a request in one transaction, or none of them. The
//! operations are planned and written like a batch of an import.

use domain::Param;
use http_semantics::{Epoch, Problem};
use tables::Record;
use tables::import::ImportOptions;
use tables::operations::{self, MAX_OPERATIONS_BYTES, Operations, Results, Written};
use tables::record::Author;

use super::resolver::Resolver;
use super::{ATTEMPT, Importer};
use crate::collection::versioned_record::NORMALIZE;
use crate::d1::{MAX_WRITE_ATTEMPTS, Row};
use crate::env::trace::random_token;
use crate::error::Error;
use crate::http::request::{JSON, Request};
use crate::http::response::Response;
use crate::idempotency::IdempotentRequest;

/// `POST …/batch`: does the operations of the body, all of them or none.
///
/// # Errors
/// A malformed body, operations of which some cannot be done, or the idempotency key of another
/// request.
pub async fn batch<I: Importer>(
    request: Request,
    importer: impl FnOnce(&Request) -> Result<I, Error>,
) -> Result<Response, Error> {
    request.params(&[])?;
    request.reject_preconditions()?;
    request.media_type(JSON)?;
    let body = request.body(MAX_OPERATIONS_BYTES).await?;
    let mut operations = Operations::<I::Record>::parse(&body, NORMALIZE)?;
    let route = format!("POST {}/batch", I::Record::table().path());
    let key = IdempotentRequest::of_batch(&request, &route, &body)?;
    let refused = std::mem::take(&mut operations.batch.refused);
    if !refused.is_empty() {
        return Err(Results::refused(&operations.list, refused).into());
    }
    let author = Author {
        batch: Some(random_token()),
        ..request.env.author()
    };
    let importer = importer(&request)?;
    for attempt in 0..MAX_WRITE_ATTEMPTS {
        if attempt > 0 && !importer.database().quota().has(ATTEMPT) {
            break;
        }
        if let Some(key) = &key
            && let Some(row) = key.find_written(importer.database()).await?
        {
            return Ok(response(&operations, &row)?.header("idempotency-replayed", "true"));
        }
        match write(&importer, &operations, &author, key.as_ref()).await {
            Ok(row) => return response(&operations, &row),
            // Another request has changed one of the records, or has used the key.
            Err(Error::Unique(_) | Error::Check(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Problem::being_written().into())
}

/// Plans and writes the operations, and returns what was written.
async fn write<I: Importer>(
    importer: &I,
    operations: &Operations<I::Record>,
    author: &Author,
    key: Option<&IdempotentRequest>,
) -> Result<Row, Error> {
    let table = I::Record::table();
    let mut resolver = Resolver::new(importer, &operations.batch);
    let batch = resolver.resolve(false).await?;
    if !batch.refused.is_empty() {
        return Err(Results::refused(&operations.list, batch.refused).into());
    }
    let mut plan = importer.plan(&batch, ImportOptions::default()).await?;
    plan.set_author(author);
    let refused = std::mem::take(&mut plan.rejections);
    if !refused.is_empty() {
        return Err(Results::refused(&operations.list, refused).into());
    }
    let changes = plan.changes();
    let last = match key {
        Some(key) => key.save_written(table, changes, &plan.unchanged),
        None => operations::read_written(table, changes, &plan.unchanged),
    };
    let rows = if plan.is_empty() {
        // The resolver has read all records in one statement, and they still had the same versions
        // when they were planned.
        importer.database().batch(&[last]).await?.pop()
    } else {
        plan.last = vec![last];
        importer.write(&batch, &plan).await?
    };
    let row = rows.and_then(|rows| rows.into_iter().next());
    Ok(row.ok_or_else(Problem::internal)?)
}

/// The results of operations that were done.
fn response<R>(operations: &Operations<R>, row: &Row) -> Result<Response, Error> {
    let body = row.text("body").unwrap_or_default();
    let written: Written = serde_json::from_str(&body).map_err(|_| Problem::internal())?;
    let epoch = row.text("epoch").as_deref().and_then(Epoch::parse);
    let epoch = epoch.ok_or_else(Problem::internal)?;
    let results = Results::done(&operations.list, &written, epoch);
    Ok(Response::json(results.to_json()))
}
