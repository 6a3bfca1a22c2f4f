//! The last good answer to a request: as this isolate holds it, or as it was written down.

use domain::Param;
use edge::{Answer, Body, CachedResponse, Call, Database, Env, Error, Row, cached, with_timeout};
use http_semantics::Tag;
use js_sys::Array;
use wasm_bindgen::JsValue;
use worker::console_error;

use super::{Asked, saving};
use crate::domain::saving::Marks;
use crate::domain::snapshot::Headers;
use crate::store;

/// How long our own database is waited for, in milliseconds.
const PATIENCE_MS: u32 = 1_500;

/// An answer of the past.
pub struct Kept {
    marks: Marks,
    /// When it was right, in milliseconds since 1970.
    at: i64,
    headers: Headers,
    body: JsValue,
}

/// The last good answer to a request, if there is one. What the isolate holds is asked for
/// first where it is as new as anything that this isolate knows of.
pub(super) async fn find(asked: &Asked) -> Option<Kept> {
    let began = edge::now();
    let held = cached(&asked.call).map(|fixed| Kept::held(&fixed));
    let newest = saving::seen().map(|(marks, _)| marks);
    let kept = match (held, asked.key()) {
        (Some(held), _) if Some(held.marks) == newest => Some(held),
        (held, Some(key)) => {
            let written = in_time(&asked.call.env, &key).await;
            let both = [held, written].into_iter().flatten();
            both.max_by_key(|kept| kept.at)
        }
        (held, None) => held,
    };
    let how = if kept.is_some() { "kept" } else { "none" };
    let span = [began, edge::now()];
    asked.call.timings.borrow_mut().note("snapshot", span, how);
    kept
}

/// The snapshot of a key, if there is one and our own database is well.
pub async fn in_time(env: &Env, key: &str) -> Option<Kept> {
    let found = with_timeout(PATIENCE_MS, written(env, key)).await?;
    found.unwrap_or_else(|error| {
        console_error!("a snapshot: {error}");
        None
    })
}

async fn written(env: &Env, key: &str) -> Result<Option<Kept>, Error> {
    let rows = Database::of(env)?.rows(&store::snapshot::find(key)).await?;
    Ok(Kept::of_rows(&rows))
}

impl Kept {
    fn held(fixed: &CachedResponse) -> Self {
        Self {
            marks: fixed.change_seqs.to_array(),
            at: fixed.at,
            headers: saving::headers(fixed),
            body: fixed.body().clone(),
        }
        .seen()
    }

    fn of_rows(rows: &[Row]) -> Option<Self> {
        let head = rows.first()?;
        let parts: Array = rows.iter().map(|row| row.value(4)).collect();
        let kept = Self {
            marks: [head.integer(0)?, head.integer(1)?],
            at: head.integer(2)?,
            headers: Headers::of_text(&head.text(3)?),
            body: parts.join("").into(),
        };
        Some(kept.seen())
    }

    /// It was right for as long as the registers were known to be where it was made.
    fn seen(self) -> Self {
        let seen = saving::seen().filter(|(marks, _)| *marks == self.marks);
        let at = seen.map_or(self.at, |(_, at)| at.max(self.at));
        Self { at, ..self }
    }

    /// For how long it may not have been right, in seconds.
    pub fn age(&self, now: i64) -> i64 {
        (now - self.at).max(0) / 1000
    }

    /// The moment when it was right, in milliseconds since 1970.
    pub fn at(&self) -> i64 {
        self.at
    }

    /// The body, and the link to the next page.
    pub fn into_page(self) -> (Option<String>, Option<String>) {
        (saving::text(&self.body), self.headers.link)
    }

    /// The answer, once more: a 304 for who has it.
    pub fn answer(self, call: &Call) -> Answer {
        let Headers {
            content_type,
            etag,
            link,
            total_count,
        } = self.headers;
        let tag = etag.as_deref().and_then(Tag::parse);
        let has = |tag: &Tag| call.preconditions().is_ok_and(|given| given.has(tag));
        match tag {
            Some(tag) if has(&tag) => Answer::not_modified(&tag),
            _ => Answer::ok(&content_type, Body::Js(self.body))
                .header_if("etag", etag)
                .header_if("link", link)
                .header_if("x-total-count", total_count),
        }
    }
}
