//! What the pages show of the past while a service is down: what the API would, and as of when.

use edge::{Call, Error};
use http_semantics::Format;
use js_sys::Date;
use pages::Notice;
use serde::de::DeserializeOwned;

use super::reading::after_of;
use crate::domain::snapshot;
use crate::routes::standby::kept;

/// A part of a page as it was.
pub struct Past<T> {
    /// What it shows.
    pub shown: T,
    /// Where the page behind it begins.
    pub next: Option<String>,
    at: String,
}

/// The last good answer to a read of the API.
pub async fn past<T: DeserializeOwned>(call: &Call, path: &str, query: &str) -> Option<Past<T>> {
    let key = snapshot::key(path, query, Format::Json)?;
    let kept = kept::in_time(&call.env, &key).await?;
    let at = time(kept.at());
    let (text, link) = kept.into_page();
    Some(Past {
        shown: serde_json::from_str(&text?).ok()?,
        next: link.and_then(|link| after_of(&link)),
        at,
    })
}

impl<T> Past<T> {
    /// Says so above the page.
    pub fn told(&self, error: Error, what: &str, notices: &mut Vec<Notice>) {
        let detail = error.into_problem().detail().to_owned();
        let at = &self.at;
        notices.push(Notice::Warning(format!(
            "{detail} So {what} is shown as of {at}."
        )));
    }
}

/// A time as people read it: `2026-01-31 12:00 UTC`.
fn time(milliseconds: i64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a time is far below 2^53")]
    let date = Date::new(&(milliseconds as f64).into());
    let text = String::from(date.to_iso_string());
    let text = text.get(..16).unwrap_or_default().replace('T', " ");
    format!("{text} UTC")
}
