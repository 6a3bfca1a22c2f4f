//! The two services, and what each is asked for one answer.
//!
//! A reader who has the answer already says so by its tag, which is made of what each service
//! calls its own. Each is then asked for no more than whether it has changed; only where one
//! has is the other one's part fetched, too.

use edge::proof::COUNTER;
use edge::{Error, Marks, Upstream};
use futures_util::future::try_join;
use registry::{Format, Param, Tag};
use web_sys::Response;
use worker::Env;

use crate::domain::Malformed;

/// The two services.
pub struct Services {
    /// The owner of places.
    pub places: Upstream,
    /// The owner of people.
    pub people: Upstream,
}

/// What the two services answered, with the tag of both.
pub enum Sources {
    /// The reader has it already.
    NotModified(Tag),
    /// Both parts.
    Found {
        /// Of the places.
        places: Response,
        /// Of the people.
        people: Response,
        /// The tag of what is made from them.
        tag: Tag,
        /// The change counters of both registers, where both have told theirs.
        marks: Option<Marks>,
    },
}

/// What a service's own tag is made of: a version, or a change counter.
fn mark(response: &Response) -> Option<i64> {
    let tag = Tag::parse(&response.headers().get("etag").ok().flatten()?)?;
    let counter = tag.counters(Format::Json).map(|[counter]| counter);
    counter.or(tag.version())
}

/// The change counter that an answer tells by itself.
fn told(response: &Response) -> Option<i64> {
    let counter = response.headers().get(COUNTER).ok().flatten()?;
    counter.parse().ok()
}

/// The change counter of the register that an answer is of.
fn counter(response: &Response) -> Option<i64> {
    let tag = || Tag::parse(&response.headers().get("etag").ok().flatten()?);
    told(response).or_else(|| tag()?.counters(Format::Json).map(|[counter]| counter))
}

/// How far both registers are, for the answers that an isolate holds.
pub async fn marks(env: Env) -> Option<Marks> {
    let Services { places, people } = Services::of(&env).ok()?;
    let path = "/internal/counter";
    let (places, people) = try_join(places.get(path), people.get(path)).await.ok()?;
    Some([told(&places)?, told(&people)?])
}

impl Services {
    /// The services of a worker.
    ///
    /// # Errors
    /// A worker without its bindings.
    pub fn of(env: &Env) -> Result<Self, Error> {
        Ok(Self {
            places: super::places(env)?,
            people: super::people(env)?,
        })
    }

    /// Asks both at once; for HEAD, people for no more than their headers. `place_tag` makes
    /// the tag that the places have at a mark.
    ///
    /// # Errors
    /// A problem that names the service that failed. An answer of places other than 200 is
    /// found, too: what it means is the caller's to say.
    pub async fn ask(
        &self,
        [places, people]: [&str; 2],
        known: Option<[i64; 2]>,
        format: Format,
        place_tag: fn(i64) -> Tag,
        is_head: bool,
    ) -> Result<Sources, Error> {
        let people_unless = async |known: Option<&Tag>| {
            if is_head {
                self.people.head_unless(people, known).await
            } else {
                self.people.get_unless(people, known).await
            }
        };
        let group_tag = |counter| Tag::of_list(Format::Json, &[counter]);
        let place_known = known.map(|[mark, _]| place_tag(mark));
        let group_known = known.map(|[_, counter]| group_tag(counter));
        let (mut place, mut group) = try_join(
            self.places.get_unless(places, place_known.as_ref()),
            people_unless(group_known.as_ref()),
        )
        .await?;
        if let Some(known) = known
            && place.status() == 304
            && group.status() == 304
        {
            return Ok(Sources::NotModified(Tag::of_list(format, &known)));
        }
        if place.status() == 304 {
            place = self.places.read(places).await?;
        }
        if group.status() == 304 {
            group = people_unless(None).await?;
        }
        let group = self.people.found(group)?;
        let marks = counter(&place)
            .zip(counter(&group))
            .map(|(place, group)| [place, group]);
        let tagged = [mark(&place), mark(&group)].map(Option::unwrap_or_default);
        Ok(Sources::Found {
            places: place,
            people: group,
            tag: Tag::of_list(format, &tagged),
            marks,
        })
    }

    /// The problem that names the service whose answer cannot be read.
    #[must_use]
    pub fn blame(&self, malformed: Malformed) -> Error {
        match malformed {
            Malformed::Places => self.places.failed("a malformed answer"),
            Malformed::Groups => self.people.failed("a malformed answer"),
        }
    }
}
