//! Groups by place: those of one database behind those of the one before, because each has a range
//! of places.

use edge::shards::Shards;
use edge::{Answer, Body, Call, Error, Row};
use futures_util::stream;
use registry::Tag;
use registry::media::{Frame, LIST};
use registry::page::Limit;

use super::asked;
use crate::domain::{ByPlace, Range};
use crate::store;

/// `GET /v1/people/by-place`
///
/// # Errors
/// A query that cannot be used.
pub async fn groups(call: Call, shards: Shards) -> Result<Answer, Error> {
    let ask = ByPlace::read(&call.params(ByPlace::PARAMETERS)?)?;
    let format = call.format(LIST)?;
    let seen = call.seen(format)?;
    // Whoever has left one database by now is in the other behind this.
    let (_, counter) = asked(&shards, &store::counter()).await?;
    let tag = Tag::of_list(format, &[counter]);
    if seen == Some(counter) {
        return Ok(Answer::not_modified(&tag));
    }
    let left = shards.map.between(ask.range.after, ask.range.through);
    let state = Groups {
        shards,
        left,
        ask: Some(ask),
        frame: format.frame(),
        is_first: true,
        has_ended: false,
    };
    // For HEAD it is never begun.
    let parts = stream::try_unfold(state, |mut state| async move {
        Ok(state.next().await?.map(|part| (part, state)))
    });
    let body = Body::stream(parts, format.frame());
    Ok(Answer::ok(format.media_type(), body).tagged(&tag))
}

/// A page on its way: the databases that are left, and what is to be asked of the first of them.
struct Groups {
    shards: Shards,
    left: std::ops::Range<usize>,
    ask: Option<ByPlace>,
    frame: Frame,
    is_first: bool,
    has_ended: bool,
}

impl Groups {
    /// The next bytes, none behind the end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        while let Some(ask) = self.ask.take()
            && !self.left.is_empty()
        {
            let statement = store::by_place(&ask, self.frame, None);
            let database = self.shards.database(self.left.start)?;
            let mut rows = database.rows(&statement).await?;
            rows.retain(|row| row.integer(1).is_some());
            self.go_on(&ask, &rows);
            if rows.is_empty() {
                continue;
            }
            let before = if self.is_first {
                self.frame.open
            } else {
                self.frame.between
            };
            self.is_first = false;
            let texts = rows.iter().filter_map(|row| row.text(0));
            return Ok(Some(
                (before.to_owned() + &texts.collect::<String>()).into_bytes(),
            ));
        }
        if self.has_ended {
            return Ok(None);
        }
        self.has_ended = true;
        let open = if self.is_first { self.frame.open } else { "" };
        Ok(Some(
            [open, self.frame.end(self.is_first)].concat().into_bytes(),
        ))
    }

    /// What is left to ask: of the same database behind its last group, or of the next.
    fn go_on(&mut self, ask: &ByPlace, rows: &[Row]) {
        let mut places: Vec<i64> = rows.iter().filter_map(|row| row.integer(1)).collect();
        places.dedup();
        let taken = i64::try_from(places.len()).unwrap_or(i64::MAX);
        let is_here = rows
            .last()
            .and_then(|row| row.integer(2))
            .is_some_and(|left| left > 0);
        if !is_here {
            self.left.start += 1;
        }
        let after = places.last().copied().unwrap_or(ask.range.after);
        self.ask = Limit::new(i64::from(ask.limit.get()) - taken).map(|limit| ByPlace {
            range: Range { after, ..ask.range },
            limit,
            people: ask.people,
        });
    }
}
