//! Saves the data of a page as a snapshot when the page is shown. While a backend is down, the page
//! shows the saved data again.

use edge::{Env, Error, Request, Response};
use http_semantics::MediaType;
use http_semantics::from_json::{self, FromJson};
use js_sys::Date;
use tables::ChangeSeqs;

use super::reads::reason;
use crate::domain::snapshot;
use crate::service::cache;

/// The data of a page that could be read completely.
pub struct Complete<F> {
    /// The change sequences that it contains.
    pub change_seqs: Option<ChangeSeqs>,
    /// Renders it as JSON.
    pub render: F,
}

impl<F: FnOnce() -> String> Complete<F> {
    /// The response that a snapshot is made from. None if the page could not show it as a `T`, as
    /// after a malformed response of a backend.
    pub fn into_response<T: FromJson>(self) -> Option<Response> {
        let data = (self.render)();
        from_json::parse::<T>(data.as_bytes())?;
        Some(Response::json(data).with_change_seqs(self.change_seqs))
    }

    /// Saves the data, unless the data at these change sequences is saved already. `query` is the
    /// page's own, without parameters that it ignores.
    pub fn save<T: FromJson>(self, request: &Request, query: &str, requested_at: i64) {
        let key = snapshot::key(&request.path, query, MediaType::Json);
        if let (Some(key), Some(change_seqs)) = (key, self.change_seqs)
            && !cache::is_saved(&key, change_seqs)
            && let Some(response) = self.into_response::<T>()
        {
            cache::save(request, key, response, requested_at);
        }
    }
}

/// Data from a snapshot.
pub struct Saved<T> {
    /// The data.
    pub data: T,
    /// The time at which it was fresh, for the reader of the page.
    at: String,
}

impl<T: FromJson> Saved<T> {
    /// The data in the snapshot of a path and query, if there is one.
    pub async fn load(env: &Env, path: &str, query: &str) -> Option<Self> {
        let key = snapshot::key(path, query, MediaType::Json)?;
        let response = cache::read_snapshot(env, &key).await?;
        let at = time_text(response.fresh_at());
        let data = from_json::parse(response.into_text()?.as_bytes())?;
        Some(Self { data, at })
    }
}

impl<T> Saved<T> {
    /// The same data in another form.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Saved<U> {
        Saved {
            data: convert(self.data),
            at: self.at,
        }
    }

    /// The text of the only banner of a page that shows this data: the reasons, and the time. `parts` are the subject
    /// and verb: "The counts are".
    pub fn notice(&self, errors: Vec<Error>, parts: &str) -> String {
        let mut reasons: Vec<String> = Vec::new();
        for error in errors {
            let reason = reason(&error.into_problem());
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        let at = &self.at;
        format!("{} {parts} from {at}.", reasons.join(" "))
    }
}

/// A time as text: `2026-01-31 12:00 UTC`.
fn time_text(milliseconds: i64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a time is far below 2^53")]
    let date = Date::new(&(milliseconds as f64).into());
    let text = String::from(date.to_iso_string());
    let text = text.get(..16).unwrap_or_default().replace('T', " ");
    format!("{text} UTC")
}
