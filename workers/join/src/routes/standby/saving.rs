//! Writes good answers down, behind their readers' backs: see [`crate::domain::saving`].

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use edge::{CachedResponse, Database, Env, Error, now, pause};
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use worker::console_error;

use super::Asked;
use crate::domain::saving::{Marks, Saving, Step, Waiting};
use crate::domain::snapshot::{Headers, MOST_BYTES, Snapshot};
use crate::store;

/// The setting that, when it is `off`, has nothing written down.
const SETTING: &str = "SNAPSHOTS";

/// The most steps of one writer: its invocation lives half a minute at most.
const MOST_STEPS: usize = 24;

/// An answer, and when its reader asked.
type Good = (Rc<CachedResponse>, i64);

thread_local! {
    static SAVING: RefCell<Saving<Good>> = RefCell::default();
    /// How far the registers were when this isolate last knew, and when that was.
    static SEEN: Cell<Option<(Marks, i64)>> = const { Cell::new(None) };
}

/// How far the registers were when this isolate last knew, and when that was.
pub fn seen() -> Option<(Marks, i64)> {
    SEEN.get()
}

/// Takes an answer that is right just now.
pub(super) fn keep(asked: &Asked, fixed: &Rc<CachedResponse>) {
    // It was proved behind this moment, or made behind it: by a replica, perhaps, that is behind
    // what this isolate has heard of.
    let began = asked.began;
    match SEEN.get() {
        Some((known, _)) if is_behind(fixed.change_seqs.to_array(), known) => return,
        Some((_, at)) if at > began => {}
        _ => SEEN.set(Some((fixed.change_seqs.to_array(), began))),
    }
    if fixed.is_kept.get() || fixed.bytes > MOST_BYTES {
        return;
    }
    let Some(key) = asked.key() else { return };
    let env = &asked.call.env;
    fixed
        .is_kept
        .set(SAVING.with_borrow_mut(|saving| saving.has(&key, fixed.change_seqs.to_array())));
    if fixed.is_kept.get() || is_off(env) {
        return;
    }
    let waiting = Waiting {
        key,
        marks: fixed.change_seqs.to_array(),
        answer: (Rc::clone(fixed), began),
    };
    if SAVING.with_borrow_mut(|saving| saving.offer(waiting, now())) {
        asked.call.context.wait_until(write(env.clone()));
    }
}

/// Whether a register was further than the marks say.
fn is_behind(marks: Marks, known: Marks) -> bool {
    marks.iter().zip(known).any(|(mark, known)| *mark < known)
}

/// Whether nothing is to be written down.
pub fn is_off(env: &Env) -> bool {
    env.setting(SETTING).as_deref() == Some("off")
}

async fn write(env: Env) {
    for _ in 0..MOST_STEPS {
        match SAVING.with_borrow_mut(|saving| saving.next(now())) {
            Step::Leave => return,
            Step::Wait(milliseconds) => pause(u32::try_from(milliseconds).unwrap_or(1)).await,
            Step::Write(Waiting { key, answer, .. }) => {
                let (fixed, asked_at) = answer;
                if let Err(error) = save(&env, &key, &fixed, Some(asked_at)).await {
                    console_error!("a snapshot: {error}");
                    fixed.is_kept.set(false);
                    SAVING.with_borrow_mut(|saving| saving.failed(key));
                }
            }
        }
    }
    SAVING.with_borrow_mut(Saving::leave);
}

/// Writes an answer down.
///
/// # Errors
/// What D1 says.
pub async fn save(
    env: &Env,
    key: &str,
    fixed: &CachedResponse,
    asked_at: Option<i64>,
) -> Result<(), Error> {
    let snapshot = Snapshot {
        key: key.to_owned(),
        marks: fixed.change_seqs.to_array(),
        made_at: fixed.at,
        asked_at,
        headers: headers(fixed),
        body: text(fixed.body()).unwrap_or_default(),
    };
    let statements = store::snapshot::save(&snapshot);
    Database::of(env)?.batch(&statements).await.map(drop)
}

/// What of an answer's headers is kept.
pub fn headers(fixed: &CachedResponse) -> Headers {
    let header = |name| fixed.header(name).map(ToOwned::to_owned);
    Headers {
        content_type: header("content-type").unwrap_or_default(),
        etag: header("etag"),
        link: header("link"),
        total_count: header("x-total-count"),
    }
}

/// A body as a text.
pub fn text(body: &JsValue) -> Option<String> {
    match body.dyn_ref::<Uint8Array>() {
        Some(bytes) => String::from_utf8(bytes.to_vec()).ok(),
        None => body.as_string(),
    }
}
