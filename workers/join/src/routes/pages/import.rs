//! `/ui/import`: the form that sends a file to an import, and the page that shows its progress.

use domain::Param;
use edge::import::Permit;
use edge::{Body, Error, Request, Response, ServiceClient, chunks, in_time};
use futures_util::stream::{self, LocalBoxStream};
use futures_util::{Stream, StreamExt, TryStreamExt};
use http_semantics::Problem;
use http_semantics::auth::Scope;
use http_semantics::idempotency::IdempotencyKey;
use js_sys::{ArrayBuffer, Uint8Array};
use pages::Form;
use pages::import::{self, COLLECTIONS, MAX_SHOWN_BYTES, MODES, Report};
use tables::import::MAX_FILE_BYTES;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{FormData, ResponseInit};

use super::form::{
    Session, add_idempotency_key, login_page, require_same_origin, show_problem, show_rejection,
};
use super::reads::unusable_body;
use super::{html, html_body};
use crate::backends::Backends;

/// The copies of a file in memory: the form, its file, and the body for the backend.
const COPIES: usize = 3;

/// The maximum size of the other fields of the form.
const MAX_FIELDS_BYTES: usize = 4096;

/// The form of an import.
///
/// # Errors
/// None.
pub async fn import_form(request: Request) -> Result<Response, Error> {
    let mut form = Session::load(&request).empty_form();
    import::set_choices(&mut form, &request.query);
    add_idempotency_key(&mut form);
    Ok(html(200, import::page(&form)))
}

/// Imports or checks a file. The page is streamed, and shows the progress.
///
/// The token may be a field of the form, which is known only when the form has been read. So without
/// a cookie that may write, the form must be short: nobody else can fill the memory.
///
/// # Errors
/// A form of another origin, or one that is too long.
pub async fn import(request: Request) -> Result<Response, Error> {
    require_same_origin(&request)?;
    let mut session = Session::load(&request);
    let length = announced_length(&request);
    let is_long = length.is_some_and(|length| length > max_bytes(false));
    if !session.has_write_access() && is_long {
        request.discard_body(max_bytes(true)).await?;
        let problem = Problem::token_required(Scope::Write);
        let lead = "You need a token to import a long file. Log in, then choose the file again.";
        return Ok(login_page(&problem, lead));
    }
    // A short form needs none, so that clients without a token cannot keep others from importing.
    let permit = if session.has_write_access() {
        Some(Permit::acquire(&request, COPIES).await?)
    } else {
        None
    };
    let (mut form, file) = read_form(&request, session.has_write_access()).await?;
    let collection = choice(&form, "collection", &COLLECTIONS)?;
    choice(&form, "mode", &MODES)?;
    apply_button(&mut form);
    if !session.may_write(&mut form) {
        return Ok(session.store(form_again(form, file)));
    }
    if file.is_empty() {
        form.add_error("file", "Choose a file, or paste its text below.");
        return Ok(session.store(form_again(form, file)));
    }
    if import::is_workbook(&file) {
        form.add_error("file", import::WORKBOOK);
        return Ok(session.store(html(form.status(), import::page(&form))));
    }
    let backends = Backends::new(&request.env)?;
    let backend = match collection {
        "places" => backends.places,
        _ => backends.people,
    }
    .with_import_timeout();
    let response = match send(&backend, &form, &file, 0).await {
        Ok(response) => response,
        Err(error) => {
            show_problem(&mut form, &error.into_problem());
            return Ok(session.store(form_again(form, file)));
        }
    };
    if response.status() != 200 {
        let rejection = backend.bytes(&response).await?;
        show_rejection(&mut form, &rejection).ok_or_else(|| unusable_body(&backend))?;
        return Ok(session.store(form_again(form, file)));
    }
    form.set("nextKey", edge::random_token());
    let import = Import {
        report: Report::new(form, &file),
        lines: Box::pin(chunks(response.body())),
        backend,
        file,
        permit,
    };
    let page = import.page();
    let page = page.map_ok(|bytes| Uint8Array::from(bytes.as_slice()));
    let page = Body::stream_with_error_end(page, |_| String::new());
    Ok(session.store(html_body(200, page)))
}

/// Sets the fields that a button stands for, and chooses the idempotency key. The button that imports the same file again has its own key, so the
/// API adds the records again. If the button is pressed twice, the key is the same, and the
/// records are added once.
fn apply_button(form: &mut Form) {
    if let Some(key) = form.filled("nextKey").map(ToOwned::to_owned) {
        form.set("key", key);
        form.set("again", "on");
        form.set("dryRun", "false");
    }
    if form.is_checked("importValid") {
        form.set("skipInvalid", "on");
        form.set("dryRun", "false");
    }
    if IdempotencyKey::parse(form.get("key")).is_none() {
        form.set("key", edge::random_token());
    }
}

/// The file as text, if it is short enough for the text field.
fn short_text(file: Vec<u8>) -> Option<String> {
    let is_short = file.len() <= MAX_SHOWN_BYTES;
    String::from_utf8(file).ok().filter(|_| is_short)
}

/// The form again. A page cannot fill a file field, so a short file becomes pasted text.
fn form_again(mut form: Form, file: Vec<u8>) -> Response {
    match short_text(file) {
        Some(text) => form.set("text", text),
        None => form.add_error("file", "Choose the file again."),
    }
    html(form.status(), import::page(&form))
}

/// Sends the file to the import of a backend, which skips the first `after` records.
async fn send(
    backend: &ServiceClient,
    form: &Form,
    file: &[u8],
    after: i64,
) -> Result<web_sys::Response, Error> {
    let collection = choice(form, "collection", &COLLECTIONS)?;
    let mut path = format!(
        "/v1/{collection}/import?dryRun={}",
        form.get("dryRun") != "false"
    );
    let mode = choice(form, "mode", &MODES)?;
    if !mode.is_empty() {
        path = format!("{path}&mode={mode}");
    }
    if form.is_checked("createPlaces") && collection == "people" {
        path.push_str("&createPlaces=true");
    }
    if form.is_checked("skipInvalid") {
        path.push_str("&skipInvalid=true");
    }
    if after > 0 {
        path = format!("{path}&after={after}");
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

/// An import in progress, and the page that reports it.
struct Import {
    backend: ServiceClient,
    file: Vec<u8>,
    permit: Option<Permit>,
    report: Report,
    /// The response of the backend: a line per batch, and the totals.
    lines: LocalBoxStream<'static, Result<Vec<u8>, JsValue>>,
}

impl Import {
    /// The page as a stream: the start, the progress of each chunk of the response, and the end.
    fn page(self) -> impl Stream<Item = Result<Vec<u8>, Error>> + use<> {
        let start = self.report.start();
        let rest = stream::unfold(Some(self), |import| async {
            let mut import = import?;
            if let Some(permit) = &import.permit {
                permit.renew();
            }
            // A truncated response has no totals. The end of the page then says so.
            if let Some(Ok(chunk)) = import.lines.next().await {
                return Some((import.report.push(&chunk), Some(import)));
            }
            if import.has_continued().await {
                return Some((String::new(), Some(import)));
            }
            let file = short_text(import.file);
            Some((import.report.end(file.as_deref()), None))
        });
        stream::iter([start])
            .chain(rest)
            .map(|text| Ok(text.into_bytes()))
    }

    /// Sends the file again, if the backend has stopped because one request may not make more calls.
    async fn has_continued(&mut self) -> bool {
        let Some(after) = self.report.continue_after() else {
            return false;
        };
        let rejection = match send(&self.backend, self.report.form(), &self.file, after).await {
            Ok(response) if response.status() == 200 => {
                self.lines = Box::pin(chunks(response.body()));
                return true;
            }
            Ok(response) => self.backend.bytes(&response).await,
            Err(error) => Err(error),
        };
        let problem = rejection.unwrap_or_else(|error| error.into_problem().to_json().into_bytes());
        self.report.fail(&problem);
        false
    }
}

/// The maximum size of a form.
fn max_bytes(has_write_access: bool) -> usize {
    let file = if has_write_access {
        MAX_FILE_BYTES
    } else {
        MAX_SHOWN_BYTES
    };
    file + MAX_FIELDS_BYTES
}

/// The length of the body in the headers. A body in chunks has none.
fn announced_length(request: &Request) -> Option<usize> {
    request.header("content-length")?.parse().ok()
}

/// The value of a select field. The page offers all of them, so only a modified form has another one.
///
/// # Errors
/// Another value.
fn choice(
    form: &Form,
    name: &str,
    choices: &[(&'static str, &str)],
) -> Result<&'static str, Problem> {
    let chosen = form.get(name);
    let mut values = choices.iter().map(|(value, _)| *value);
    values
        .find(|value| *value == chosen)
        .ok_or_else(Problem::modified_form)
}

/// Reads the fields of the form, and the file or the pasted text.
async fn read_form(request: &Request, has_write_access: bool) -> Result<(Form, Vec<u8>), Error> {
    let max_bytes = max_bytes(has_write_access);
    let thrown = Error::platform("reading a form");
    let not_a_form = |_| Problem::unsupported_media_type(&["multipart/form-data"]);
    let data = if announced_length(request).is_some_and(|length| length <= max_bytes) {
        request.parts.request.form_data().map_err(&thrown)?
    } else {
        // The platform would read a body of any length.
        let body = Uint8Array::from(request.body(max_bytes).await?.as_slice());
        let init = ResponseInit::new();
        init.set_headers(&request.parts.request.headers());
        let form = web_sys::Response::new_with_opt_js_u8_array_and_init(Some(&body), &init);
        form.and_then(|form| form.form_data()).map_err(&thrown)?
    };
    let data: FormData = in_time(max_bytes, JsFuture::from(data))
        .await?
        .map_err(not_a_form)?
        .unchecked_into();
    let fields = [
        "collection",
        "mode",
        "createPlaces",
        "skipInvalid",
        "importValid",
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
    let mut form = Form::from_values(values);
    let file = match data.get("file").dyn_into::<web_sys::Blob>() {
        Ok(file) if file.size() > 0.0 => {
            let bytes = JsFuture::from(file.array_buffer()).await.map_err(&thrown)?;
            Uint8Array::new(bytes.unchecked_ref::<ArrayBuffer>()).to_vec()
        }
        _ => form.get("text").as_bytes().to_vec(),
    };
    // The text is the file, or there is another one. A long text is not shown again.
    form.set("text", "");
    Ok((form, file))
}
