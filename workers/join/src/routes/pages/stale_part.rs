//! A part of a page from a snapshot, while a backend is down.

use edge::{Error, Request};
use http_semantics::MediaType;
use js_sys::Date;
use pages::Notice;
use serde::de::DeserializeOwned;

use super::reads::after_of;
use crate::domain::snapshot;
use crate::service::cache::read_snapshot;

/// A part of a page, as it was.
pub struct StalePart<T> {
    /// Its content.
    pub content: T,
    /// The cursor of the next page.
    pub next: Option<String>,
    fresh_at: String,
}

impl<T: DeserializeOwned> StalePart<T> {
    /// The snapshot of a read of the API, if there is one.
    pub async fn load(request: &Request, path: &str, query: &str) -> Option<Self> {
        let key = snapshot::key(path, query, MediaType::Json)?;
        let stale = read_snapshot(&request.env, &key).await?;
        let fresh_at = time(stale.fresh_at());
        let (text, link) = stale.into_page();
        Some(Self {
            content: serde_json::from_str(&text?).ok()?,
            next: link.and_then(|link| after_of(&link)),
            fresh_at,
        })
    }
}

impl<T> StalePart<T> {
    /// Adds a notice that states the failure and the time of the content.
    pub fn warn(&self, error: Error, what: &str, notices: &mut Vec<Notice>) {
        let detail = error.into_problem().detail().to_owned();
        let at = &self.fresh_at;
        notices.push(Notice::Warning(format!(
            "{detail} So {what} is shown as of {at}."
        )));
    }
}

/// A time for people: `2026-01-31 12:00 UTC`.
fn time(milliseconds: i64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a time is far below 2^53")]
    let date = Date::new(&(milliseconds as f64).into());
    let text = String::from(date.to_iso_string());
    let text = text.get(..16).unwrap_or_default().replace('T', " ");
    format!("{text} UTC")
}
