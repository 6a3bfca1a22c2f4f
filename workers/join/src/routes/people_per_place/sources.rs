//! The two services, and what each is asked for one answer.
//!
//! A reader who has the answer already says so by its tag, which is made of what each service
//! calls its own. Each is then asked for no more than whether it has changed; only where one
//! has is the other one's part fetched, too.

use edge::proof::COUNTER;
use edge::{Call, Env, Error, Marks, Upstream};
use futures_util::future::try_join;
use registry::{Format, Param, Tag};
use web_sys::Response;

use crate::domain::Malformed;

/// The two services.
pub struct Services {
    /// The owner of places.
    pub places: Upstream,
    /// The owner of people.
    pub people: Upstream,
}

/// What the two services answered.
pub enum Sources {
    /// The reader has it already.
    NotModified(Tag),
    /// Of the places, and of the people if their owner has not failed.
    Found(Response, Result<Joined, Error>),
}

/// The people's part, and what can be said now that both are there.
pub struct Joined {
    /// Of the people.
    pub people: Response,
    /// The tag of what is made from both.
    pub tag: Tag,
    /// The change counters of both registers, where both have told theirs.
    pub marks: Option<Marks>,
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

/// How long a counter is waited for, in milliseconds: then the answer is made anew.
const MARKS_MS: u32 = 1_000;

/// How far both registers are, for the answers that an isolate holds.
pub async fn marks(env: Env) -> Option<Marks> {
    let Services { places, people } = Services::of(&env).ok()?;
    let (places, people) = (places.brief(MARKS_MS), people.brief(MARKS_MS));
    let path = "/internal/counter";
    let (places, people) = try_join(places.get(path), people.get(path)).await.ok()?;
    Some([told(&places)?, told(&people)?])
}

impl Joined {
    fn of(places: &Response, people: Response, format: Format) -> Self {
        let tagged = [mark(places), mark(&people)].map(Option::unwrap_or_default);
        let marks = counter(places).zip(counter(&people));
        Self {
            people,
            tag: Tag::of_list(format, &tagged),
            marks: marks.map(|(places, people)| [places, people]),
        }
    }
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

    /// The same for a reader, who is told how each does.
    ///
    /// # Errors
    /// A worker without its bindings.
    pub fn for_reader(call: &Call) -> Result<Self, Error> {
        let Self { places, people } = Self::of(&call.env)?;
        Ok(Self {
            places: places.timed(&call.timings),
            people: people.timed(&call.timings),
        })
    }

    /// From now on each call has a deadline, and all together have none.
    pub fn unhurried(&mut self) {
        self.places.unhurried();
        self.people.unhurried();
    }

    /// Asks both at once; for HEAD, people for no more than their headers. `place_tag` makes
    /// the tag that the places have at a mark.
    ///
    /// # Errors
    /// A problem of the owner of places. An answer of its other than 200 is found, too: what it
    /// means is the caller's to say.
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
        let place_tag = known.map(|[mark, _]| place_tag(mark));
        let group_tag = known.map(|[_, counter]| Tag::of_list(Format::Json, &[counter]));
        let asked = async { Ok(people_unless(group_tag.as_ref()).await) };
        let asked = try_join(self.places.get_unless(places, place_tag.as_ref()), asked);
        let (mut place, group) = asked.await?;
        if let (Some(known), Ok(group)) = (known, &group)
            && place.status() == 304
            && group.status() == 304
        {
            return Ok(Sources::NotModified(Tag::of_list(format, &known)));
        }
        if place.status() == 304 {
            place = self.places.read(places).await?;
        }
        let group = match group {
            Ok(group) if group.status() == 304 => people_unless(None).await,
            group => group,
        };
        // Of a body that nobody reads its headers must tell that it is an answer.
        let is_answer = |group: &Response| !is_head || mark(group).is_some();
        let joined = group.and_then(|group| {
            let group = self.people.found(group)?;
            let untagged = || self.people.failed("an answer without a tag");
            Some(group).filter(is_answer).ok_or_else(untagged)
        });
        let joined = joined.map(|people| Joined::of(&place, people, format));
        Ok(Sources::Found(place, joined))
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
