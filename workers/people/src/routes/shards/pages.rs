//! Pages that are merged by key.

use edge::shards::{Pages, Shards, framed};
use edge::{Answer, Body, Call, Error};
use registry::Tag;
use registry::media::TABLE;
use registry::page::{self, Sort};
use registry::population::{Order as By, Populations};
use registry::shards::Order;

use super::asked;
use crate::domain::PeopleList;
use crate::store::{self, POPULATION_HEADER, REGISTER};

fn order(sort: Sort) -> Order {
    if sort.descending {
        Order::Down
    } else {
        Order::Up
    }
}

/// `GET /v1/people`
///
/// # Errors
/// A query that cannot be used.
pub async fn list(call: Call, shards: &Shards) -> Result<Answer, Error> {
    let list = PeopleList::read(&call.params(PeopleList::PARAMETERS)?)?;
    let format = call.format(TABLE)?;
    let seen = call.seen(format)?;
    let (rows, counter) = asked(shards, &store::keyed_list(&list, format)).await?;
    let tag = Tag::of_list(format, &[counter]);
    if seen == Some(counter) {
        return Ok(Answer::not_modified(&tag));
    }
    let pages = Pages::of(&rows, |row| row.text(1).is_some());
    let merged = pages.merged(order(list.page.sort), list.page.limit.get().into())?;
    let body = framed(&merged.records, REGISTER.frame(format));
    let next = merged.next();
    let next = next.map(|after| page::next_link("/v1/people", &call.query, &after.to_string()));
    let count = rows.iter().map(|row| row.integer(2)).sum::<Option<i64>>();
    Ok(Answer::ok(format.media_type(), Body::Text(body))
        .of_marks(Some([counter, 0]))
        .tagged(&tag)
        .header_if("link", next)
        .header_if("x-total-count", count.map(|count| count.to_string())))
}

/// `GET /v1/people/population`
///
/// # Errors
/// A query that cannot be used.
pub async fn population(call: Call, shards: &Shards) -> Result<Answer, Error> {
    let ask = Populations::read(&call.params(Populations::PARAMETERS)?, edge::now())?;
    let format = call.format(TABLE)?;
    let seen = call.seen(format)?;
    let (rows, counter) = asked(shards, &store::keyed_population(&ask, format)).await?;
    let tag = Tag::of_list(format, &[counter]);
    if seen == Some(counter) {
        return Ok(Answer::not_modified(&tag));
    }
    let pages = Pages::of(&rows, |row| row.text(1).is_some());
    let order = match ask.order {
        By::Id | By::Up(_) => Order::Up,
        By::Down(_) => Order::NumberDown,
    };
    let merged = pages.merged(order, ask.limit.get().into())?;
    let body = framed(&merged.records, format.frame_below(POPULATION_HEADER));
    let next = merged.next().map(ToString::to_string);
    let next = next.map(|after| page::next_link("/v1/people/population", &call.query, &after));
    let marks = Some([counter, 0]).filter(|_| ask.as_of.is_none());
    let sum = |column| {
        let numbers = rows.iter().filter_map(|row| row.integer(column));
        numbers.sum::<i64>().to_string()
    };
    Ok(Answer::ok(format.media_type(), Body::Text(body))
        .of_marks(marks)
        .tagged(&tag)
        .header_if("link", next)
        .header("x-total-living", sum(2))
        .header("x-total-dead", sum(5))
        .header("x-total-nowhere", sum(3)))
}
