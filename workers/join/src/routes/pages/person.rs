//! `/ui/people/{id}`, `/ui/people/{id}/{action}` and `/ui/people/new`: the page of a person, and
//! the forms that change or add one.

use domain::PersonId;
use edge::{Error, Request, Response, ServiceClient};
use futures_util::future::{join, join3};
use http_semantics::Problem;
use http_semantics::from_json::FromJson;
use pages::api::{self, Change, PersonView, PlaceView};
use pages::person::{self, Action, PersonPage};
use pages::{Form, Notice, from_json};
use serde_json::{Value, json};
use tables::ChangeSeqs;

use super::form::{
    Session, Submission, Write, add_idempotency_key, created_id, id_and_action, restored_version,
};
use super::people::{pairs, place_views};
use super::reads::{
    PlacesWithSeq, Unparsed, first_places, history_path, place_names, places_with_seq,
    read_history, read_population, read_record, suggested_places, with_place,
};
use super::saved::{Complete, Saved};
use super::{flash, html};
use crate::backends::Backends;

/// The data of the page, which it shows while a backend is down.
struct PersonData {
    person: PersonView,
    version: String,
    places: Vec<(i64, String)>,
    history: Vec<Change<PersonView>>,
}

from_json! {
    PersonData { person, version, places, history }
}

/// A response, and what it contains. None if there is no such person.
type Read<T> = Result<Option<(Unparsed, T)>, Error>;

/// The results of the reads that the page is made of.
struct Reads {
    person: Read<PersonView>,
    history: Read<Vec<Change<PersonView>>>,
    places: Result<PlacesWithSeq, Error>,
}

impl Reads {
    async fn load(backends: &Backends, id: PersonId) -> Self {
        let path = format!("/v1/people/{id}");
        let history_path = history_path(&path);
        let people = &backends.people;
        let (person, history, first_places) = join3(
            Unparsed::load(people, &path),
            Unparsed::load(people, &history_path),
            first_places(backends),
        )
        .await;
        let person: Read<PersonView> = parse(people, person);
        let history: Read<Vec<Change<PersonView>>> = parse(people, history);
        let mut ids = Vec::new();
        if let Ok(Some((_, person))) = &person {
            ids.extend(person.place_id);
        }
        if let Ok(Some((_, history))) = &history {
            for change in history {
                ids.extend(change.record.as_ref().and_then(|person| person.place_id));
            }
        }
        // The data has the change sequence of places, even if the person never had one.
        if ids.is_empty() {
            ids.push(1);
        }
        Self {
            person,
            history,
            places: places_with_seq(backends, first_places, ids).await,
        }
    }

    /// The data of the page, if it is complete.
    fn complete(&self) -> Option<Complete<impl FnOnce() -> String>> {
        let (Ok(Some((person, _))), Ok(Some((history, _))), Ok((places, seq))) =
            (&self.person, &self.history, &self.places)
        else {
            return None;
        };
        let change_seqs = seq.zip(person.change_seq);
        let render = || {
            let (version, places) = (&person.version, pairs(places));
            let (person, history) = (person.text(), history.text());
            format!(
                r#"{{"person":{person},"version":"{version}","places":[{places}],"history":{history}}}"#
            )
        };
        Some(Complete {
            change_seqs: change_seqs.map(|(places, people)| ChangeSeqs { places, people }),
            render,
        })
    }
}

fn parse<T: FromJson>(people: &ServiceClient, read: Result<Option<Unparsed>, Error>) -> Read<T> {
    let Some(read) = read? else { return Ok(None) };
    let parsed = read.parse(people)?;
    Ok(Some((read, parsed)))
}

/// The data of the page, for the scheduled refresh of its snapshot. None if a backend failed, or if
/// the person does not exist.
pub async fn data(backends: &Backends, id: PersonId) -> Option<Response> {
    let reads = Reads::load(backends, id).await;
    reads.complete()?.into_response::<PersonData>()
}

/// The page of a person. A removed person has a page, too. While a backend is down, the page shows
/// what it last showed.
///
/// # Errors
/// A person who never existed, or a backend that failed.
pub async fn person(request: Request) -> Result<Response, Error> {
    let id: PersonId = request.id()?;
    let backends = Backends::new(&request.env)?;
    let requested_at = edge::now();
    let reads = Reads::load(&backends, id).await;
    if let Some(complete) = reads.complete() {
        complete.save::<PersonData>(&request, "", requested_at);
    }
    let saved = if reads.person.is_err() || reads.places.is_err() {
        Saved::<PersonData>::load(&request.env, &request.path, "").await
    } else {
        None
    };
    let mut notices = Vec::new();
    let mut page = match (reads.person, saved) {
        (Err(error), None) => return Err(error),
        (Err(error), Some(saved)) => {
            let notice = saved.notice(vec![error], "The data of this person is");
            notices.push(Notice::Warning(notice));
            let data = saved.data;
            PersonPage {
                person: data.person,
                version: Some(data.version),
                places: place_views(data.places),
                history: data.history,
                notices,
            }
        }
        (Ok(existing), saved) => {
            let history = reads.history.unwrap_or_default();
            let history = history.map(|(_, history)| history).unwrap_or_default();
            let (person, version) = match existing {
                Some((read, person)) => (person, Some(read.version)),
                None => (last_state(&history, id)?, None),
            };
            let saved = saved.map(|saved| saved.map(|data| data.places));
            PersonPage {
                person,
                version,
                places: place_names(reads.places, saved, &mut notices),
                history,
                notices,
            }
        }
    };
    let place = page.person.place_id;
    let place = place.map(|place| format!("?placeId=%23{place}"));
    let form_path = ["/ui/people/new", &place.unwrap_or_default()].concat();
    let is_restored = Form::parse(request.query.as_bytes()).get("done") == Action::Restore.done();
    let subject = if is_restored {
        page.in_words()
    } else {
        page.person.name.clone()
    };
    let done = flash(&request.query, &subject, form_path);
    page.notices = [done, page.notices].concat();
    let status = if page.version.is_some() { 200 } else { 404 };
    Ok(html(status, page.to_html()))
}

/// The last state of a removed person.
fn last_state(history: &[Change<PersonView>], id: PersonId) -> Result<PersonView, Problem> {
    let last = api::last_state(history).cloned();
    last.ok_or_else(|| Problem::not_found("person", id.get()))
}

/// A person with the version, and the suggestions of the place field. A removed person has no version.
async fn read_for_form(
    backends: &Backends,
    id: PersonId,
    may_be_removed: bool,
) -> Result<(PersonView, String, Vec<PlaceView>), Error> {
    let path = format!("/v1/people/{id}");
    let (person, places) = join(
        read_record(&backends.people, &path),
        suggested_places(backends),
    )
    .await;
    let (person, version) = match person? {
        Some(existing) => existing,
        None if may_be_removed => {
            let history = read_history(&backends.people, &path).await?;
            (last_state(&history, id)?, String::new())
        }
        None => return Err(Problem::not_found("person", id.get()).into()),
    };
    let places = with_place(backends, places, person.place_id).await;
    Ok((person, version, places))
}

/// The form of an action.
///
/// # Errors
/// A person who does not exist.
pub async fn person_action(request: Request) -> Result<Response, Error> {
    let (id, action) = id_and_action(&request, Action::parse)?;
    let backends = Backends::new(&request.env)?;
    let may_be_removed = action == Action::Restore;
    let (person, version, places) = read_for_form(&backends, id, may_be_removed).await?;
    let mut form = Session::load(&request).empty_form();
    person::fill(&mut form, &person, place_text(person.place_id, &places));
    form.set("version", version);
    if action == Action::Crown
        && let Some(place) = person.place_id
        && let Ok(population) = read_population(&backends, place).await
        && let Some(king) = population.king
    {
        form.set("king", king.name);
    }
    Ok(html(200, person::action(&person, action, &form, &places)))
}

/// The text of a place in a field.
fn place_text(id: Option<i64>, places: &[PlaceView]) -> String {
    let Some(id) = id else { return String::new() };
    let place = places.iter().find(|place| place.id == id);
    place.map_or_else(|| format!("#{id}"), |place| place.name.clone())
}

/// Performs an action.
///
/// # Errors
/// A form of another origin, or a person who does not exist.
pub async fn change_person(request: Request) -> Result<Response, Error> {
    let (id, action) = id_and_action(&request, Action::parse)?;
    let mut submission = Submission::read(&request).await?;
    if submission.may_write()
        && let Some(write) = change(&mut submission, id, action).await?
        && write
            .send(&submission.backends.people, &mut submission.form)
            .await?
            .is_some()
    {
        let done = action.done();
        return Ok(submission.redirect(format!("/ui/people/{id}?done={done}")));
    }
    let (person, _, places) = read_for_form(&submission.backends, id, true).await?;
    person::explain(&mut submission.form, &person, action);
    person::merge(
        &mut submission.form,
        &person,
        place_text(person.place_id, &places),
    );
    let page = person::action(&person, action, &submission.form, &places);
    Ok(submission.show_again(page))
}

/// The write of an action. None if the form is invalid: the form then shows why.
async fn change(
    submission: &mut Submission,
    id: PersonId,
    action: Action,
) -> Result<Option<Write>, Error> {
    let body = match action {
        Action::Edit => match fields(submission).await? {
            Some(fields) => Some(fields),
            None => return Ok(None),
        },
        Action::Crown if has_another_king(submission, id).await? => return Ok(None),
        Action::Crown => Some(json!({"isKing": true})),
        Action::Uncrown => Some(json!({"isKing": false})),
        Action::Bury => Some(json!({"isAlive": false, "isKing": false})),
        Action::Restore => restored_version(&submission.form)?,
        Action::Remove => None,
    };
    let method = match action {
        Action::Restore => "POST",
        Action::Remove => "DELETE",
        _ => "PATCH",
    };
    let restore = if action == Action::Restore {
        "/restore"
    } else {
        ""
    };
    let is_deposing = action != Action::Remove && submission.form.is_checked("depose");
    let query = if is_deposing { "?depose=true" } else { "" };
    Ok(Some(Write {
        method,
        path: format!("/v1/people/{id}{restore}{query}"),
        body,
    }))
}

/// Whether the form would remove the crown from another king than the one whom it names. It then names
/// the present king.
async fn has_another_king(submission: &mut Submission, id: PersonId) -> Result<bool, Error> {
    let Submission { form, backends, .. } = submission;
    if !form.is_checked("depose") {
        return Ok(false);
    }
    let path = format!("/v1/people/{id}");
    let person = read_record::<PersonView>(&backends.people, &path).await?;
    let Some(place) = person.and_then(|(person, _)| person.place_id) else {
        return Ok(false);
    };
    let king = read_population(backends, place).await?.king;
    let Some(king) = king.filter(|king| king.name != form.get("king")) else {
        return Ok(false);
    };
    form.add_error("isKing", format!("The king is now {}.", king.name));
    form.set("king", king.name);
    Ok(true)
}

/// The fields of a person, with the id of the place. None if the form is invalid.
async fn fields(submission: &mut Submission) -> Result<Option<Value>, Error> {
    let place = submission.place_id("placeId").await?;
    let form = &submission.form;
    Ok((!form.has_errors()).then(|| person::body(form, place)))
}

/// The form of a new person. The query may name the place: `placeId=#3`.
///
/// # Errors
/// A worker without its bindings.
pub async fn new_person(request: Request) -> Result<Response, Error> {
    let backends = Backends::new(&request.env)?;
    let query = Form::parse(request.query.as_bytes());
    let place_id = query.get("placeId").strip_prefix('#');
    let place_id = place_id.and_then(|id| id.parse().ok());
    let places = with_place(&backends, suggested_places(&backends).await, place_id).await;
    let mut form = Session::load(&request).empty_form();
    form.set("isAlive", "on");
    form.set("placeId", place_text(place_id, &places));
    add_idempotency_key(&mut form);
    Ok(html(200, person::new(&form, &places)))
}

/// Creates a person.
///
/// # Errors
/// A form of another origin.
pub async fn create_person(request: Request) -> Result<Response, Error> {
    let mut submission = Submission::read(&request).await?;
    if submission.may_write()
        && let Some(body) = fields(&mut submission).await?
    {
        let write = Write {
            method: "POST",
            path: "/v1/people".to_owned(),
            body: Some(body),
        };
        let sent = write.send(&submission.backends.people, &mut submission.form);
        if let Some(created) = sent.await? {
            let id = created_id(&created).unwrap_or_default();
            return Ok(submission.redirect(format!("/ui/people/{id}?done=added")));
        }
    }
    add_idempotency_key(&mut submission.form);
    let places = suggested_places(&submission.backends).await;
    let page = person::new(&submission.form, &places);
    Ok(submission.show_again(page))
}
