//! Refreshes, by a schedule, the snapshots that will be missed first: the first page, the
//! statistics, and what was asked for last. What is of the registers' present state is left.

use std::cell::RefCell;
use std::rc::Rc;

use edge::{CachedResponse, Call, Database, Env, Error};
use http_semantics::Format;
use wasm_bindgen_futures::JsFuture;
use worker::Context;

use super::saving;
use crate::domain::snapshot::{MOST_BYTES, key, of_key};
use crate::routes::people_per_place::{self, change_seqs};
use crate::routes::{statistics, ui};
use crate::store;

/// The most snapshots of readers that one run refreshes.
const MOST: i64 = 8;

/// Refreshes what is not of the present.
///
/// # Errors
/// What D1 says, or the first service that failed.
pub async fn scheduled(env: Env, context: Context) -> Result<(), Error> {
    if saving::is_off(&env) {
        return Ok(());
    }
    // Where a service is down there is nothing to write down.
    let Some(now) = change_seqs(env.clone()).await else {
        return Ok(());
    };
    let always = always();
    let database = Database::of(&env)?;
    let rows = database
        .rows(&store::snapshot::wanted(&always, MOST))
        .await?;
    let known = |row: &edge::Row| Some((row.text(0)?, [row.integer(1)?, row.integer(2)?]));
    let known: Vec<_> = rows.iter().filter_map(known).collect();
    let missing = always
        .into_iter()
        .filter(|key| known.iter().all(|(known, _)| known != key));
    let past = known
        .iter()
        .filter(|(_, marks)| *marks != now.to_array())
        .map(|(key, _)| key.clone());
    let context = Rc::new(context);
    for key in missing.chain(past) {
        refresh(&env, &context, &key).await?;
    }
    Ok(())
}

/// What is kept whoever asks: the first page of each, and what the overview shows.
fn always() -> Vec<String> {
    let overview = ui::first_page();
    let pages = [
        ("/people-per-place", ""),
        ("/statistics/places", ""),
        ("/statistics/places", overview.as_str()),
    ];
    let pages = pages.iter();
    pages
        .filter_map(|(path, query)| key(path, query, Format::Json))
        .collect()
}

async fn refresh(env: &Env, context: &Rc<Context>, key: &str) -> Result<(), Error> {
    let Some((format, path, query)) = of_key(key) else {
        return Ok(());
    };
    let began = edge::now();
    let call = Call::own(env, context, [path, query], format)?;
    let mut answer = match path {
        "/people-per-place" => people_per_place::list(call).await?,
        "/statistics/places" => statistics::places(call).await?,
        _ => match people_per_place::read(call).await {
            Err(Error::Problem(problem)) if problem.status() == 404 => return Ok(()),
            answer => answer?,
        },
    };
    if answer.lacks().is_some() {
        return Ok(());
    }
    let made: Rc<RefCell<Option<CachedResponse>>> = Rc::default();
    let kept = Rc::clone(&made);
    let answer = answer.kept(began, MOST_BYTES, move |fixed| {
        kept.replace(Some(fixed));
    });
    // One that comes in parts is whole once it has been read.
    let read = answer.into_response()?.array_buffer();
    let read = read.map_err(Error::platform("reading an answer"))?;
    JsFuture::from(read)
        .await
        .map_err(Error::platform("reading an answer"))?;
    let made = made.take();
    match made {
        Some(fixed) => saving::save(env, key, &fixed, None).await,
        None => Ok(()),
    }
}
