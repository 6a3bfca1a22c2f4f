//! The two services, and what each is asked for one answer.
//!
//! A reader who has the answer already says so by its tag, which is made of what each service
//! calls its own. That of a list is how far both registers are, which many readers ask at once.
//! That of one place has its version in it: each service is asked for no more than whether it
//! has changed, and only where one has is the other one's part fetched, too.

use domain::Param;
use edge::change_seqs::{self, CHANGE_SEQ};
use edge::{Call, ChangeSeqs, Env, Error, Upstream};
use futures_util::future::{join, try_join};
use http_semantics::{Format, Problem, Tag};
use web_sys::Response;

use crate::domain::Malformed;

/// The two services.
pub struct Services {
    /// The owner of places.
    pub places: Upstream,
    /// The owner of people.
    pub people: Upstream,
}

/// What the two services answered: of the places, and of the people if their owner has not failed.
pub type Found = (Response, Result<Joined, Error>);

/// The people's part, and what can be said now that both are there.
pub struct Joined {
    /// Of the people.
    pub people: Response,
    /// The tag of what is made from both.
    pub tag: Tag,
    /// The change counters of both registers, where both have told theirs.
    pub change_seqs: Option<ChangeSeqs>,
}

/// What a service's own tag is made of: a version, or a change counter.
fn mark(response: &Response) -> Option<i64> {
    let tag = Tag::parse(&response.headers().get("etag").ok().flatten()?)?;
    let counter = tag.counters(Format::Json).map(|[counter]| counter);
    counter.or(tag.version())
}

/// The change counter that an answer tells by itself.
fn told(response: &Response) -> Option<i64> {
    let counter = response.headers().get(CHANGE_SEQ).ok().flatten()?;
    counter.parse().ok()
}

/// The change counter of the register that an answer is of.
fn counter(response: &Response) -> Option<i64> {
    let tag = || Tag::parse(&response.headers().get("etag").ok().flatten()?);
    told(response).or_else(|| tag()?.counters(Format::Json).map(|[counter]| counter))
}

/// The timeout of a read of the change sequences, in milliseconds.
const CHANGE_SEQS_MS: u32 = 1_000;

/// The current change sequences of both tables.
pub async fn change_seqs(env: Env) -> Option<ChangeSeqs> {
    let Services { places, people } = Services::of(&env).ok()?;
    let (places, people) = (places.brief(CHANGE_SEQS_MS), people.brief(CHANGE_SEQS_MS));
    let path = "/internal/counter";
    let (places, people) = try_join(places.get(path), people.get(path)).await.ok()?;
    Some(ChangeSeqs {
        places: told(&places)?,
        people: told(&people)?,
    })
}

/// The tag of the list that a reader has, if it is still that of both registers.
///
/// # Errors
/// A header that holds no entity tags.
pub async fn unchanged(call: &Call, format: Format) -> Result<Option<Tag>, Problem> {
    let Some(seen) = call.preconditions()?.known_counters(format) else {
        return Ok(None);
    };
    let now = change_seqs::current(call, change_seqs).await;
    Ok((now == Some(seen.into())).then(|| Tag::of_list(format, &seen)))
}

impl Joined {
    fn of(places: &Response, people: Response, format: Format) -> Self {
        let tagged = [mark(places), mark(&people)].map(Option::unwrap_or_default);
        let change_seqs = counter(places).zip(counter(&people));
        Self {
            people,
            tag: Tag::of_list(format, &tagged),
            change_seqs: change_seqs.map(|(places, people)| ChangeSeqs { places, people }),
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

    /// Asks both at once; for HEAD, people for no more than their headers.
    ///
    /// # Errors
    /// A problem of the owner of places. An answer of its other than 200 is found, too: what it
    /// means is the caller's to say.
    pub async fn ask(
        &self,
        [places, people]: [&str; 2],
        format: Format,
        is_head: bool,
    ) -> Result<Found, Error> {
        let people = async {
            if is_head {
                self.people.head(people).await
            } else {
                self.people.get(people).await
            }
        };
        let (places, people) = join(self.places.get(places), people).await;
        Ok(self.found(places?, people, format, is_head))
    }

    /// Asks both at once for what is not as the tags say: nothing, where all is.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn ask_unless(
        &self,
        [place, people]: [&str; 2],
        [place_tag, people_tag]: &[Tag; 2],
    ) -> Result<Option<Found>, Error> {
        let asked = join(
            self.places.get_unless(place, place_tag),
            self.people.get_unless(people, people_tag),
        );
        let (of_place, of_people) = asked.await;
        let (mut of_place, mut of_people) = (of_place?, of_people);
        let is_known = |answer: &Response| answer.status() == 304;
        match (is_known(&of_place), of_people.as_ref().is_ok_and(is_known)) {
            (true, true) => return Ok(None),
            (true, false) => of_place = self.places.read(place).await?,
            (false, true) => of_people = self.people.get(people).await,
            (false, false) => {}
        }
        Ok(Some(self.found(of_place, of_people, Format::Json, false)))
    }

    fn found(
        &self,
        places: Response,
        people: Result<Response, Error>,
        format: Format,
        is_head: bool,
    ) -> Found {
        // Of a body that nobody reads its headers must tell that it is an answer.
        let is_answer = |people: &Response| !is_head || mark(people).is_some();
        let joined = people.and_then(|people| {
            let people = self.people.found(people)?;
            let untagged = || self.people.failed("an answer without a tag");
            let people = Some(people).filter(is_answer).ok_or_else(untagged)?;
            Ok(Joined::of(&places, people, format))
        });
        (places, joined)
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
