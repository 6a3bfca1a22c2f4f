//! One operation: what it takes, what it answers, and what can be wrong.

use std::collections::BTreeMap;

use http_semantics::auth::Scope;
use http_semantics::problem::{self, Kind};
use utoipa::ToSchema;

use crate::json::reference;
use crate::problems::sample;
use crate::{Json, object};

/// An answer that is not a problem.
#[derive(Clone)]
pub struct Answer {
    says: &'static str,
    headers: Vec<&'static str>,
    content: Json,
    links: Vec<(&'static str, &'static str, &'static str)>,
}

impl Answer {
    /// An answer without a body.
    #[must_use]
    pub fn empty(says: &'static str) -> Self {
        Self {
            says,
            headers: Vec::new(),
            content: object! {},
            links: Vec::new(),
        }
    }

    /// One record, or report.
    #[must_use]
    pub fn of<T: ToSchema>(says: &'static str) -> Self {
        let schema = reference("schemas", &T::name());
        Self::empty(says).content("application/json", object! { "schema": schema })
    }

    /// A list, in JSON and a record a line.
    #[must_use]
    pub fn list<T: ToSchema>(says: &'static str) -> Self {
        let items = reference("schemas", &T::name());
        let schema = object! { "type": "array", "items": items };
        Self::empty(says)
            .content("application/json", object! { "schema": schema })
            .lines::<T>()
            .header("Vary")
    }

    /// A record a line, too. What a line is stands where OpenAPI 3.2 will have it.
    #[must_use]
    pub fn lines<T: ToSchema>(self) -> Self {
        let says = "One JSON object a line.";
        let content = text_of(says).with("x-itemSchema", reference("schemas", &T::name()));
        self.content("application/x-ndjson", content)
    }

    /// Of an import: a line a batch as it is done, too, and the whole behind them.
    #[must_use]
    pub fn lines_of_batches(self) -> Self {
        let says = "A line a batch as it is done, and at the end a summary.";
        let either = ["BatchReport", "ImportSummary"].map(|name| reference("schemas", name));
        let either = object! { "anyOf": either.into_iter().collect::<Json>() };
        let content = text_of(says).with("x-itemSchema", either);
        self.content("application/x-ndjson", content).header("Vary")
    }

    /// A table, too.
    #[must_use]
    pub fn table(self, header: &str) -> Self {
        let says = format!(
            "CSV (RFC 4180), whose first line is `{}`.",
            header.trim_end()
        );
        self.content("text/csv", text_of(&says))
    }

    /// A body of a media type.
    #[must_use]
    pub fn content(mut self, media_type: &str, content: Json) -> Self {
        self.content.insert(media_type, content);
        self
    }

    /// What the JSON body is like: the seeded system answers so to `request`, which a test
    /// holds it to.
    #[must_use]
    pub fn seen(mut self, request: &str, answer: &str) -> Self {
        let example = object! { "summary": request, "value": Json::read(answer) };
        if let Json::Object(content) = &mut self.content
            && let Some(json) = content.get_mut("application/json")
        {
            json.insert("examples", object! { "seed": example });
        }
        self
    }

    /// A header, by the name of its component.
    #[must_use]
    pub fn header(mut self, component: &'static str) -> Self {
        self.headers.push(component);
        self
    }

    /// Where to go from here: to an operation, whose id in the path is found by a runtime
    /// expression.
    #[must_use]
    pub fn link(mut self, name: &'static str, operation: &'static str, id: &'static str) -> Self {
        self.links.push((name, operation, id));
        self
    }

    fn to_json(&self) -> Json {
        let mut answer = object! { "description": self.says };
        if !self.headers.is_empty() {
            answer.insert("headers", headers(&self.headers));
        }
        if self.content.members().next().is_some() {
            answer.insert("content", self.content.clone());
        }
        if !self.links.is_empty() {
            let link = |(name, operation, id): &(&str, &str, &str)| {
                let parameters = object! { "id": *id };
                let link = object! { "operationId": *operation, "parameters": parameters };
                ((*name).to_owned(), link)
            };
            answer.insert("links", self.links.iter().map(link).collect::<Json>());
        }
        answer
    }
}

/// A body that is no JSON.
fn text_of(says: &str) -> Json {
    object! { "schema": object! { "type": "string", "description": says } }
}

/// Components that are called like their header, but for those that say more than one thing.
fn headers(components: &[&str]) -> Json {
    let header = |component: &&str| {
        let name = match *component {
            "ListTag" => "ETag",
            "LinkToCome" => "Link",
            name => name,
        };
        (name.to_owned(), reference("headers", component))
    };
    components.iter().map(header).collect()
}

/// One operation.
#[derive(Clone)]
pub struct Operation {
    /// The method, in lower case.
    pub method: &'static str,
    /// The path, with its `/v1`.
    pub path: &'static str,
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    says: &'static str,
    /// The components of the parameters.
    parameters: Vec<&'static str>,
    body: Option<Json>,
    answers: BTreeMap<u16, Answer>,
    problems: Vec<Kind>,
    /// The headers of the problem that a service has failed.
    refusals: &'static [&'static str],
    is_guarded: bool,
    scope: Scope,
}

impl Operation {
    /// An operation with its id and one line on it.
    #[must_use]
    pub fn new(
        method: &'static str,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
    ) -> Self {
        Self {
            method,
            path,
            id,
            tag: "",
            summary,
            says: "",
            parameters: Vec::new(),
            body: None,
            answers: BTreeMap::new(),
            // Every route reads its query strictly, and anything can fail.
            problems: vec![Kind::UnknownParameter, Kind::Internal],
            refusals: &[],
            is_guarded: false,
            scope: Scope::Write,
        }
    }

    /// The group that it is shown in, unless it is in one.
    #[must_use]
    pub fn tag_if_none(self, tag: &'static str) -> Self {
        let tag = if self.tag.is_empty() { tag } else { self.tag };
        Self { tag, ..self }
    }

    /// More than one line on it.
    #[must_use]
    pub fn says(self, says: &'static str) -> Self {
        Self { says, ..self }
    }

    /// The parameters that its code knows.
    #[must_use]
    pub fn query(self, names: &[&'static str]) -> Self {
        self.query_as(names, &[])
    }

    /// The same, where some names have a component of another name.
    #[must_use]
    pub fn query_as(mut self, names: &[&'static str], components: &[(&str, &'static str)]) -> Self {
        for name in names {
            let other = components.iter().find(|(known, _)| known == name);
            self.parameters
                .push(other.map_or(*name, |(_, component)| *component));
        }
        self.problems(&[Kind::InvalidParameter])
    }

    /// The id in the path.
    #[must_use]
    pub fn id(mut self, component: &'static str) -> Self {
        self.parameters.insert(0, component);
        self.problems(&[Kind::InvalidParameter])
    }

    /// A header of the request.
    #[must_use]
    pub fn takes(mut self, component: &'static str) -> Self {
        self.parameters.push(component);
        self.problems(&[Kind::InvalidHeader])
    }

    /// A reader who has it already gets a 304.
    #[must_use]
    pub fn conditional(self, tag: &'static str) -> Self {
        self.takes("If-None-Match").answers(
            304,
            Answer::empty("It is as the reader has it.").header(tag),
        )
    }

    /// A body that is one record, with an example of it.
    #[must_use]
    pub fn record<T: ToSchema>(self, media_types: &[&str], example: &str) -> Self {
        let content = |media_type: &&str| {
            let schema = reference("schemas", &T::name());
            let content = object! { "schema": schema, "example": Json::read(example) };
            ((*media_type).to_owned(), content)
        };
        let content: Json = media_types.iter().map(content).collect();
        self.body(content).problems(&[Kind::InvalidRecord])
    }

    /// A body of these media types.
    #[must_use]
    pub fn body(mut self, content: Json) -> Self {
        self.body = Some(object! { "required": true, "content": content });
        self.problems(&[
            Kind::MalformedBody,
            Kind::BodyTooLarge,
            Kind::UnsupportedMediaType,
        ])
    }

    /// What it answers.
    #[must_use]
    pub fn answers(mut self, status: u16, answer: Answer) -> Self {
        let is_negotiated = answer.headers.contains(&"Vary");
        self.answers.insert(status, answer);
        if is_negotiated {
            return self.problems(&[Kind::NotAcceptable]);
        }
        self
    }

    /// What can be wrong.
    #[must_use]
    pub fn problems(mut self, kinds: &[Kind]) -> Self {
        self.problems.extend(kinds);
        self
    }

    /// That it needs another service.
    #[must_use]
    pub fn needs_a_service(self) -> Self {
        self.problems(&[Kind::ServiceFailed, Kind::ServiceTimedOut])
    }

    /// That it has an answer still when a service is down: the last good one, with its age.
    #[must_use]
    pub fn outlasts(mut self) -> Self {
        self.parameters.push("Prefer");
        let past = ["Age", "Cache-Status", "Cache-Control", "Server-Timing"];
        for answer in self.answers.values_mut() {
            answer.headers.extend(past);
        }
        self.refusals = &["Preference-Applied", "Server-Timing"];
        self
    }

    /// The same at the entry point: writes need a token.
    #[must_use]
    pub fn guarded(mut self) -> Self {
        self.is_guarded = self.method != "get";
        if !self.is_guarded {
            return self;
        }
        self.problems(&[
            Kind::TokenRequired,
            Kind::TokenRefused,
            Kind::InsufficientScope,
            Kind::InvalidHeader,
        ])
    }

    /// That it changes more than records.
    #[must_use]
    pub fn for_admins(self) -> Self {
        let scope = Scope::Admin;
        Self { scope, ..self }
    }

    /// The operation as it stands in the document.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut operation = object! {
            "operationId": self.id,
            "tags": [self.tag].into_iter().collect::<Json>(),
            "summary": self.summary,
        };
        if !self.says.is_empty() {
            operation.insert("description", self.says);
        }
        if self.is_guarded {
            let scope = [self.scope.name()].into_iter().collect::<Json>();
            let token = object! { "token": scope };
            operation.insert("security", Json::List(vec![token]));
        }
        if !self.parameters.is_empty() {
            let parameters = self.parameters.iter();
            let parameters = parameters.map(|component| reference("parameters", component));
            operation.insert("parameters", parameters.collect::<Json>());
        }
        if let Some(body) = &self.body {
            operation.insert("requestBody", body.clone());
        }
        let mut responses: BTreeMap<u16, Json> = self
            .answers
            .iter()
            .map(|(status, answer)| (*status, answer.to_json()))
            .collect();
        // In the order of the table of kinds, each once.
        for kind in Kind::ALL {
            let status = kind.problem_type().status;
            if self.problems.contains(&kind) && !responses.contains_key(&status) {
                let of_status = |other: &Kind| {
                    self.problems.contains(other) && other.problem_type().status == status
                };
                let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(of_status).collect();
                let more = match kind {
                    Kind::ServiceFailed | Kind::ServiceTimedOut => self.refusals,
                    _ => &[],
                };
                responses.insert(status, refusal(&kinds, self.method, more));
            }
        }
        let responses = responses
            .into_iter()
            .map(|(status, response)| (status.to_string(), response));
        operation.with("responses", responses.collect::<Json>())
    }
}

/// The response of a status with these kinds of problem.
fn refusal(kinds: &[Kind], method: &str, more: &[&'static str]) -> Json {
    let titles: Vec<&str> = kinds.iter().map(|kind| kind.problem_type().title).collect();
    let types = kinds.iter();
    let types = types.map(|kind| format!("/problems/{}", kind.problem_type().slug));
    let types = object! { "type": "string", "enum": types.collect::<Json>() };
    let narrowed = object! { "properties": object! { "type": types } };
    let both = [reference("schemas", "Problem"), narrowed];
    let example = |kind: &Kind| {
        let slug = kind.problem_type().slug;
        (slug.to_owned(), reference("examples", slug))
    };
    let content = object! {
        "schema": object! { "allOf": both.into_iter().collect::<Json>() },
        "examples": kinds.iter().map(example).collect::<Json>(),
    };
    let mut response = object! { "description": format!("{}.", titles.join(". Or: ")) };
    let mut names: Vec<&str> = more.to_vec();
    let samples = kinds.iter().map(|kind| sample(*kind));
    for (name, _) in samples.flat_map(|problem| problem.headers().to_vec()) {
        let component = match name {
            "retry-after" => "Retry-After",
            "www-authenticate" => "WWW-Authenticate",
            "vary" => "Vary",
            other => panic!("the header {other} has no component"),
        };
        if !names.contains(&component) {
            names.push(component);
        }
    }
    if kinds.contains(&Kind::UnsupportedMediaType) {
        let taken = [("post", "Accept-Post"), ("patch", "Accept-Patch")];
        let taken = taken.iter().filter(|(of, _)| *of == method);
        names.extend(taken.map(|(_, name)| *name));
    }
    if !names.is_empty() {
        response.insert("headers", headers(&names));
    }
    let content = object! { "application/problem+json": content };
    debug_assert_eq!(problem::MEDIA_TYPE, "application/problem+json");
    response.with("content", content)
}
