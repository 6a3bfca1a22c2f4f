//! Serves the static files of the gateway through the worker. Cloudflare could serve them without
//! the worker. But it does not answer `OPTIONS` requests for them, and its 405 response has no
//! `Allow` header.

use http_semantics::Problem;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

use crate::env::trace::REQUEST_ID_HEADER;
use crate::error::Error;
use crate::http::request::Request;
use crate::http::response::Response;

/// The binding of the static files.
const BINDING: &str = "ASSETS";

/// Serves the file at the path of the request.
///
/// # Errors
/// A file that does not exist, or a worker without the binding.
pub async fn serve(request: Request) -> Result<Response, Error> {
    let thrown = Error::platform("reading a file");
    let files = request.env.service(BINDING).ok_or_else(Problem::internal)?;
    let file = files.fetch(&request.parts.request).map_err(&thrown)?;
    let file = JsFuture::from(file).await.map_err(&thrown)?;
    let file: web_sys::Response = file.unchecked_into();
    if file.status() == 404 {
        return Err(Problem::unknown_route().into());
    }
    let id = request.env.trace().id();
    Ok(Response::proxied(file).header(REQUEST_ID_HEADER, id.as_str()))
}
