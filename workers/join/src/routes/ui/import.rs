//! `GET /ui/import` and `POST /ui/import`

use edge::{Answer, Body, Call, Error, Upstream, pieces};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use http_semantics::Problem;
use js_sys::{ArrayBuffer, Uint8Array};
use pages::Form;
use pages::api::Refusal;
use pages::import::{self, MOST_KEPT, REGISTERS, Report};
use tables::import::MAX_FILE_BYTES;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{FormData, Response};

use super::form::{Session, must_be_own};
use super::{html, of_body};
use crate::routes::people_per_place::Services;

/// What a form has around its file, in bytes.
const AROUND: usize = 4096;

/// The form.
///
/// # Errors
/// None.
pub async fn import_form(call: Call) -> Result<Answer, Error> {
    let mut form = Session::of(&call).begin(Form::default());
    form.set("register", "people");
    Ok(html(200, import::page(&form)))
}

/// Tries a file, or imports it: the page shows what becomes of it while it does.
///
/// # Errors
/// A form that is not ours, or that is too long.
pub async fn import(call: Call) -> Result<Answer, Error> {
    must_be_own(&call)?;
    let (mut form, file) = read(&call).await?;
    let mut session = Session::of(&call);
    if !session.admits(&mut form) {
        return Ok(session.keep(again(form, file)));
    }
    if file.is_empty() {
        form.wrong("file", "Choose a file, or paste its text below.");
        return Ok(session.keep(again(form, file)));
    }
    let services = Services::of(&call.env)?;
    let owner = match form.get("register") {
        "places" => services.places,
        _ => services.people,
    }
    .patient();
    let answer = send(&owner, &form, &file).await?;
    if answer.status() != 200 {
        let refusal = owner.bytes(&answer).await?;
        let refusal: Refusal =
            serde_json::from_slice(&refusal).map_err(|error| owner.failed(&error.to_string()))?;
        form.refuse(&refusal);
        return Ok(session.keep(again(form, file)));
    }
    let lines = file.split(|byte| *byte == b'\n').count();
    let report = Report::new(form, i64::try_from(lines).unwrap_or_default());
    let page = page(report, &answer, kept(file));
    let page = page.map_ok(|bytes| Uint8Array::from(bytes.as_slice()));
    let page = Body::ended(page, |_| String::new());
    Ok(session.keep(of_body(200, page)))
}

/// The file as a text, where it is short enough to be shown.
fn kept(file: Vec<u8>) -> Option<String> {
    let is_short = file.len() <= MOST_KEPT;
    String::from_utf8(file).ok().filter(|_| is_short)
}

/// The form once more. No page can choose a file, so what was in it is shown as if typed.
fn again(mut form: Form, file: Vec<u8>) -> Answer {
    match kept(file) {
        Some(text) => form.set("text", text),
        None => form.wrong("file", "Choose the file once more."),
    }
    html(form.status(), import::page(&form))
}

async fn send(owner: &Upstream, form: &Form, file: &[u8]) -> Result<Response, Error> {
    let register = form.get("register");
    let register = REGISTERS.iter().find(|(name, _)| *name == register);
    let register = register.map_or("people", |(name, _)| *name);
    let mut path = format!(
        "/v1/{register}/import?dryRun={}",
        form.get("dryRun") != "false"
    );
    if form.is_ticked("upsert") {
        path.push_str("&mode=upsert");
    }
    let headers = [
        ("accept", "application/x-ndjson"),
        ("content-type", import::media_type(file)),
    ];
    owner.send("POST", &path, &headers, Some(file)).await
}

/// The page as it comes: its start, what each part of the answer adds, its end.
fn page(
    report: Report,
    answer: &Response,
    file: Option<String>,
) -> impl Stream<Item = Result<Vec<u8>, Error>> + use<> {
    let start = report.start();
    let parts = Box::pin(pieces(answer.body()));
    let rest = stream::unfold(Some((report, parts)), move |state| {
        let file = file.clone();
        async move {
            let (mut report, mut parts) = state?;
            // A body that broke off has no last line, and the end of the page says so.
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

/// The fields of the form, and the file or what was pasted in its place.
async fn read(call: &Call) -> Result<(Form, Vec<u8>), Error> {
    let most = MAX_FILE_BYTES + AROUND;
    let length = call
        .header("content-length")
        .and_then(|length| length.parse::<usize>().ok());
    if length.is_none_or(|length| length > most) {
        // Whoever still sends does not read the answer.
        call.body(most).await?;
        return Err(Problem::body_too_large(most).into());
    }
    let thrown = Error::platform("reading a form");
    let not_a_form = |_| Problem::unsupported_media_type(&["multipart/form-data"]);
    let data = call.incoming.request.form_data().map_err(&thrown)?;
    let data: FormData = JsFuture::from(data)
        .await
        .map_err(not_a_form)?
        .unchecked_into();
    let fields = ["register", "upsert", "dryRun", "token", "text"];
    let values = fields.map(|name| {
        let value = data.get(name).as_string().unwrap_or_default();
        (name.to_owned(), value)
    });
    let form = Form::of(values);
    let file = match data.get("file").dyn_into::<web_sys::Blob>() {
        Ok(file) if file.size() > 0.0 => {
            let bytes = JsFuture::from(file.array_buffer()).await.map_err(&thrown)?;
            Uint8Array::new(bytes.unchecked_ref::<ArrayBuffer>()).to_vec()
        }
        _ => form.get("text").as_bytes().to_vec(),
    };
    Ok((form, file))
}
