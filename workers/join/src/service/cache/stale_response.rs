//! A stale response from either tier of the cache, and its age.

use domain::Param;
use edge::{Body, CachedResponse, Request, Response, Row};
use http_semantics::{Tag, freshness};
use js_sys::Array;
use tables::ChangeSeqs;
use wasm_bindgen::JsValue;

use super::change_seqs_of;
use super::snapshot_writer::{self, headers, text};
use crate::domain::snapshot::{self, Headers};

/// A response that was fresh at some time in the past.
pub struct StaleResponse {
    change_seqs: ChangeSeqs,
    /// When it was last known to be fresh, in milliseconds since 1970.
    fresh_at: i64,
    headers: Headers,
    body: JsValue,
}

impl StaleResponse {
    /// From the memory tier.
    pub fn from_cached(response: &CachedResponse) -> Option<Self> {
        let response = Self {
            change_seqs: response.change_seqs?,
            fresh_at: response.requested_at,
            headers: headers(response),
            body: response.body().clone(),
        };
        Some(response.with_observed_freshness())
    }

    /// From the snapshot tier: one row per chunk of the body.
    pub fn from_rows(rows: &[Row]) -> Option<Self> {
        let head = rows.first()?;
        let chunks: Array = rows.iter().map(|row| row.value("body")).collect();
        let response = Self {
            change_seqs: change_seqs_of(head)?,
            fresh_at: head.integer("made_at")?,
            headers: Headers::parse(&head.text("headers")?),
            body: chunks.join("").into(),
        };
        Some(response.with_observed_freshness())
    }

    /// If its change sequences are the newest that this isolate has observed, the response was
    /// still fresh at the time of that observation.
    fn with_observed_freshness(self) -> Self {
        let newest = snapshot_writer::newest_change_seqs();
        let newest = newest.filter(|(change_seqs, _)| *change_seqs == self.change_seqs);
        let fresh_at = newest.map_or(self.fresh_at, |(_, at)| at.max(self.fresh_at));
        Self { fresh_at, ..self }
    }

    /// The change sequences at which it was made.
    pub fn change_seqs(&self) -> ChangeSeqs {
        self.change_seqs
    }

    /// The time since it was last known to be fresh, in seconds.
    pub fn age(&self, now: i64) -> i64 {
        freshness::age_seconds(now - self.fresh_at)
    }

    /// Whether it is neither too old to be served nor from a history that a restore has replaced.
    pub fn may_be_served(&self) -> bool {
        let newest = snapshot_writer::newest_change_seqs();
        newest.is_none_or(|(newest, _)| newest.has_history_of(&self.change_seqs))
            && snapshot::may_be_served(self.age(edge::now()))
    }

    /// When it was last known to be fresh, in milliseconds since 1970.
    pub fn fresh_at(&self) -> i64 {
        self.fresh_at
    }

    /// The body as text.
    pub fn into_text(self) -> Option<String> {
        text(&self.body)
    }

    /// The response to a request: 304 if the client has the same response.
    pub fn into_response(self, request: &Request) -> Response {
        let Headers {
            content_type,
            etag,
            link,
            total_count,
            total_count_relation,
        } = self.headers;
        let tag = etag.as_deref().and_then(Tag::parse);
        let is_known = |tag: &Tag| {
            request
                .preconditions()
                .is_ok_and(|known| known.if_none_match_has(tag))
        };
        match tag {
            Some(tag) if is_known(&tag) => Response::not_modified(&tag),
            _ => Response::ok(&content_type, Body::Js(self.body))
                .header_if("etag", etag)
                .header_if("link", link)
                .header_if("x-total-count", total_count)
                .header_if("x-total-count-relation", total_count_relation),
        }
    }
}
