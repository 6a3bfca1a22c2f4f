//! A part of a page from a snapshot, while a backend is down.

use edge::{Error, Request};
use http_semantics::MediaType;
use js_sys::Date;
use pages::Notice;
use serde::de::DeserializeOwned;

use super::reads::{next_cursor, reason};
use crate::domain::snapshot;
use crate::service::cache::read_snapshot;

/// A response of the API from a snapshot.
pub struct StalePart<T> {
    /// The parsed body.
    pub content: T,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// The time at which it was fresh, for the reader of the page.
    fresh_at: String,
}

impl<T: DeserializeOwned> StalePart<T> {
    /// The snapshot of a request to the API, if there is one.
    pub async fn load(request: &Request, path: &str, query: &str) -> Option<Self> {
        let key = snapshot::key(path, query, MediaType::Json)?;
        let response = read_snapshot(&request.env, &key).await?;
        let fresh_at = time_text(response.fresh_at());
        let (body, link) = response.into_page();
        Some(Self {
            content: serde_json::from_slice(body?.as_bytes()).ok()?,
            next: link.and_then(|link| next_cursor(&link)),
            fresh_at,
        })
    }
}

impl<T> StalePart<T> {
    /// The result of a read, or else that of the snapshot with a notice.
    pub fn replace_error<R>(
        &self,
        read: Result<R, Error>,
        part: &str,
        notices: &mut Vec<Notice>,
        stale: impl FnOnce(&T) -> R,
    ) -> R {
        read.unwrap_or_else(|error| {
            self.add_notice(error, part, notices);
            stale(&self.content)
        })
    }

    /// Adds a notice of the failure and of the snapshot's time. `part` is the subject and verb of
    /// the notice: "The counts are".
    pub fn add_notice(&self, error: Error, part: &str, notices: &mut Vec<Notice>) {
        let reason = reason(&error.into_problem());
        let at = &self.fresh_at;
        notices.push(Notice::Warning(format!("{reason} {part} from {at}.")));
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
