//! `/problems` and `/problems/{type}`: the pages that document the problem types.

use edge::{Error, Request, Response};
use http_semantics::Problem;
use pages::problem_types;

use super::html;

/// All problem types.
///
/// # Errors
/// None.
pub async fn problem_types(_request: Request) -> Result<Response, Error> {
    Ok(html(200, problem_types::list()))
}

/// One problem type.
///
/// # Errors
/// A type that does not exist.
pub async fn problem_type(request: Request) -> Result<Response, Error> {
    let slug = request.segments.first().map_or("", String::as_str);
    let page = problem_types::page(slug).ok_or_else(Problem::unknown_route)?;
    Ok(html(200, page))
}
