//! `GET /ui/import` and `POST /ui/import`

use domain::Param;
use edge::{Body, Error, Request, Response, ServiceClient, chunks};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use http_semantics::Problem;
use http_semantics::idempotency::IdempotencyKey;
use js_sys::{ArrayBuffer, Uint8Array};
use pages::Form;
use pages::api::ApiProblem;
use pages::import::{self, COLLECTIONS, MAX_SHOWN_BYTES, Report};
use tables::import::MAX_FILE_BYTES;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::FormData;

use super::form::{Session, add_idempotency_key, require_same_origin};
use super::{html, html_body};
use crate::backends::Backends;

/// The bytes of a form besides its file.
const FORM_OVERHEAD_BYTES: usize = 4096;

/// The form.
///
/// # Errors
/// None.
pub async fn import_form(call: Request) -> Result<Response, Error> {
    let mut form = Session::load(&call).begin(Form::default());
    form.set("collection", "people");
    add_idempotency_key(&mut form);
    Ok(html(200, import::page(&form)))
}

/// Imports a file, or checks it. The page shows the progress while it arrives.
///
/// # Errors
/// A form of another origin, or one that is too long.
pub async fn import(call: Request) -> Result<Response, Error> {
    require_same_origin(&call)?;
    let (mut form, file) = read(&call).await?;
    choose_key(&mut form);
    let mut session = Session::load(&call);
    if !session.may_write(&mut form) {
        return Ok(session.store(form_again(form, file)));
    }
    if file.is_empty() {
        form.add_error("file", "Choose a file, or paste its text below.");
        return Ok(session.store(form_again(form, file)));
    }
    let backends = Backends::new(&call.env)?;
    let backend = match form.get("collection") {
        "places" => backends.places,
        _ => backends.people,
    }
    .with_import_timeout();
    let response = send(&backend, &form, &file).await?;
    if response.status() != 200 {
        let refusal = backend.bytes(&response).await?;
        let refusal: ApiProblem = serde_json::from_slice(&refusal)
            .map_err(|error| backend.unusable_response(&error.to_string()))?;
        form.show_problem(&refusal);
        return Ok(session.store(form_again(form, file)));
    }
    let lines = file.split(|byte| *byte == b'\n').count();
    form.set("nextKey", edge::random_token());
    let report = Report::new(form, i64::try_from(lines).unwrap_or_default());
    let page = stream_page(report, &response, short_text(file));
    let page = page.map_ok(|bytes| Uint8Array::from(bytes.as_slice()));
    let page = Body::stream_with_error_end(page, |_| String::new());
    Ok(session.store(html_body(200, page)))
}

/// Reads the choice to import again. Its button brings a key of its own, which the API takes for
/// another import of the same records. Sent twice, it is one key, and so one import.
fn choose_key(form: &mut Form) {
    if let Some(key) = form.filled("nextKey").map(ToOwned::to_owned) {
        form.set("key", key);
        form.set("again", "on");
        form.set("dryRun", "false");
    }
    if IdempotencyKey::parse(form.get("key")).is_none() {
        form.set("key", edge::random_token());
    }
}

/// The file as text, if it is short enough to be shown.
fn short_text(file: Vec<u8>) -> Option<String> {
    let is_short = file.len() <= MAX_SHOWN_BYTES;
    String::from_utf8(file).ok().filter(|_| is_short)
}

/// The form again. No page can preset a file field, so a short file is shown as pasted text.
fn form_again(mut form: Form, file: Vec<u8>) -> Response {
    match short_text(file) {
        Some(text) => form.set("text", text),
        None => form.add_error("file", "Choose the file once more."),
    }
    html(form.status(), import::page(&form))
}

async fn send(
    backend: &ServiceClient,
    form: &Form,
    file: &[u8],
) -> Result<web_sys::Response, Error> {
    let register = form.get("collection");
    let register = COLLECTIONS.iter().find(|(name, _)| *name == register);
    let register = register.map_or("people", |(name, _)| *name);
    let mut path = format!(
        "/v1/{register}/import?dryRun={}",
        form.get("dryRun") != "false"
    );
    if form.is_checked("upsert") {
        path.push_str("&mode=upsert");
    }
    let mut headers = vec![
        ("accept", "application/x-ndjson"),
        ("content-type", import::media_type(file)),
    ];
    if form.is_checked("again") {
        headers.push(("idempotency-key", form.get("key")));
    }
    backend.send("POST", &path, &headers, Some(file)).await
}

/// The page as a stream: its start, the rows of each chunk of the response, its end.
fn stream_page(
    report: Report,
    response: &web_sys::Response,
    file: Option<String>,
) -> impl Stream<Item = Result<Vec<u8>, Error>> + use<> {
    let start = report.start();
    let parts = Box::pin(chunks(response.body()));
    let rest = stream::unfold(Some((report, parts)), move |state| {
        let file = file.clone();
        async move {
            let (mut report, mut parts) = state?;
            // A truncated body has no last line, which the end of the page states.
            let (text, state) = match parts.next().await {
                Some(Ok(part)) => (report.push(&part), Some((report, parts))),
                Some(Err(_)) | None => (report.end(file.as_deref()), None),
            };
            Some((text, state))
        }
    });
    stream::iter([start])
        .chain(rest)
        .map(|text| Ok(text.into_bytes()))
}

/// The fields of the form, and the file or the pasted text.
async fn read(call: &Request) -> Result<(Form, Vec<u8>), Error> {
    let most = MAX_FILE_BYTES + FORM_OVERHEAD_BYTES;
    let length = call
        .header("content-length")
        .and_then(|length| length.parse::<usize>().ok());
    if length.is_none_or(|length| length > most) {
        // A client that is still sending does not read the response.
        call.body(most).await?;
        return Err(Problem::body_too_large(most).into());
    }
    let thrown = Error::platform("reading a form");
    let not_a_form = |_| Problem::unsupported_media_type(&["multipart/form-data"]);
    let data = call.parts.request.form_data().map_err(&thrown)?;
    let data: FormData = JsFuture::from(data)
        .await
        .map_err(not_a_form)?
        .unchecked_into();
    let fields = [
        "collection",
        "upsert",
        "dryRun",
        "again",
        "key",
        "nextKey",
        "token",
        "text",
    ];
    let values = fields.map(|name| {
        let value = data.get(name).as_string().unwrap_or_default();
        (name.to_owned(), value)
    });
    let form = Form::from_values(values);
    let file = match data.get("file").dyn_into::<web_sys::Blob>() {
        Ok(file) if file.size() > 0.0 => {
            let bytes = JsFuture::from(file.array_buffer()).await.map_err(&thrown)?;
            Uint8Array::new(bytes.unchecked_ref::<ArrayBuffer>()).to_vec()
        }
        _ => form.get("text").as_bytes().to_vec(),
    };
    Ok((form, file))
}
