//! Describes one operation: its parameters, body and responses.

use std::collections::BTreeMap;

use http_semantics::auth::Scope;
use http_semantics::problem::Kind;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::examples::Example;
use crate::json::reference;
use crate::response::{self, Response};
use crate::{Json, object};

/// One operation. Schemas and parameters are named by their components.
#[derive(Clone)]
pub struct Operation {
    /// The method, in lower case.
    pub method: &'static str,
    /// The path, with its `/v1`.
    pub path: String,
    id: String,
    tag: &'static str,
    summary: String,
    description: &'static str,
    parameters: Vec<&'static str>,
    body: Option<Json>,
    responses: BTreeMap<u16, Response>,
    problems: Vec<Kind>,
    /// The headers of the error responses after another service failed.
    failure_headers: &'static [&'static str],
    /// The scope that a token needs. None if the operation needs no token.
    scope: Option<Scope>,
}

/// A GET operation.
#[must_use]
pub fn get(path: impl Into<String>, id: impl Into<String>) -> Operation {
    let unchanged = Response::empty("The request has `If-None-Match: *`.");
    Operation::new("get", path.into(), id.into()).response(304, unchanged)
}

/// A POST operation.
#[must_use]
pub fn post(path: impl Into<String>, id: impl Into<String>) -> Operation {
    Operation::new("post", path.into(), id.into())
}

impl Operation {
    /// An operation with a unique id.
    #[must_use]
    pub fn new(method: &'static str, path: String, id: String) -> Self {
        Self {
            method,
            path,
            id,
            tag: "",
            summary: String::new(),
            description: "",
            parameters: Vec::new(),
            body: None,
            responses: BTreeMap::new(),
            // Every route rejects unknown parameters and long queries, and every route can fail.
            problems: vec![
                Kind::UnknownParameter,
                Kind::QueryTooLong,
                Kind::Internal,
                Kind::Misconfigured,
                Kind::Overloaded,
                Kind::Updating,
            ],
            failure_headers: &[],
            scope: Some(if method == "get" {
                Scope::Read
            } else {
                Scope::Write
            }),
        }
    }

    /// Sets the tag, unless it has one.
    #[must_use]
    pub fn default_tag(self, tag: &'static str) -> Self {
        let tag = if self.tag.is_empty() { tag } else { self.tag };
        Self { tag, ..self }
    }

    /// One line of description.
    #[must_use]
    pub fn summary(self, summary: impl Into<String>) -> Self {
        let summary = summary.into();
        Self { summary, ..self }
    }

    /// More lines of description.
    #[must_use]
    pub fn description(self, description: &'static str) -> Self {
        Self {
            description,
            ..self
        }
    }

    /// Adds query parameters.
    #[must_use]
    pub fn query(self, names: &[&'static str]) -> Self {
        self.query_as(names, &[])
    }

    /// Adds query parameters, of which some have a component of another name.
    #[must_use]
    pub fn query_as(mut self, names: &[&'static str], components: &[(&str, &'static str)]) -> Self {
        for name in names {
            let other = components.iter().find(|(known, _)| known == name);
            let component = other.map_or(*name, |(_, component)| *component);
            self.parameters.push(component);
        }
        if names.is_empty() {
            return self;
        }
        self.problems(&[Kind::InvalidParameter])
    }

    /// Adds the id in the path.
    #[must_use]
    pub fn id(mut self, component: &'static str) -> Self {
        self.parameters.insert(0, component);
        // A PUT rejects an id that only the server may assign.
        let is_chosen = component == "idToPut";
        let chosen = is_chosen.then_some(Kind::InvalidParameter);
        self.problems.extend(chosen);
        self.problems(&[Kind::UnknownRoute])
    }

    /// Adds another variable segment of the path.
    #[must_use]
    pub fn in_path(mut self, component: &'static str) -> Self {
        self.parameters.insert(0, component);
        self.problems(&[Kind::UnknownRoute])
    }

    /// Adds request headers.
    #[must_use]
    pub fn request_headers(mut self, components: &[&'static str]) -> Self {
        self.parameters.extend(components);
        self.problems(&[Kind::InvalidHeader])
    }

    /// Supports conditional requests with an entity tag.
    #[must_use]
    pub fn conditional(self, tag: &'static str) -> Self {
        let unchanged = Response::empty("The client has the current version.");
        self.request_headers(&["If-None-Match"])
            .response(304, unchanged.headers(&[tag]))
    }

    /// Adds a body with one record, and an example.
    #[must_use]
    pub fn record(self, media_types: &[&str], schema: &str, example: &str) -> Self {
        let schema = reference("schemas", schema);
        let content = object! { "schema": schema, "example": Json::parse(example) };
        let content = media_types.iter().map(|name| (*name, content.clone()));
        self.body(content.collect())
            .problems(&[Kind::InvalidRecord])
    }

    /// Adds a body, by media type.
    #[must_use]
    pub fn body(mut self, content: Json) -> Self {
        self.body = Some(object! { "required": true, "content": content });
        self.problems(&[
            Kind::MalformedBody,
            Kind::BodyTimedOut,
            Kind::BodyTooLarge,
            Kind::UnsupportedMediaType,
        ])
    }

    /// Lets a client leave out the body.
    #[must_use]
    pub fn without_body(mut self) -> Self {
        let content = self.body.as_ref().and_then(|body| body.get("content"));
        self.body = content.map(|content| object! { "content": content.clone() });
        self
    }

    /// Adds a response.
    #[must_use]
    pub fn response(mut self, status: u16, response: Response) -> Self {
        let is_negotiated = response.headers.contains(&"Vary");
        self.responses.insert(status, response);
        if is_negotiated {
            return self.problems(&[Kind::NotAcceptable]);
        }
        self
    }

    /// Adds an example to the 200 response.
    #[must_use]
    pub fn example<T>(mut self, request: &str, body: &Example<T>) -> Self
    where
        T: DeserializeOwned + Serialize,
    {
        if let Some(response) = self.responses.remove(&200) {
            let response = response.example(request, body);
            self.responses.insert(200, response);
        }
        self
    }

    /// Replaces a schema of its responses by another one.
    #[must_use]
    pub fn with_schema(mut self, schema: &str, other: &str) -> Self {
        for response in self.responses.values_mut() {
            response.replace_schema(schema, other);
        }
        self
    }

    /// Replaces a header of its responses by another one.
    #[must_use]
    pub fn with_header(mut self, header: &str, other: &'static str) -> Self {
        for response in self.responses.values_mut() {
            response.replace_header(header, other);
        }
        self
    }

    /// Adds the types of its error responses.
    #[must_use]
    pub fn problems(mut self, kinds: &[Kind]) -> Self {
        self.problems.extend(kinds);
        self
    }

    /// Calls another service, which can fail.
    #[must_use]
    pub fn calls_a_service(self) -> Self {
        self.problems(&[Kind::ServiceFailed, Kind::ServiceTimedOut])
    }

    /// If its responses have entity tags, or are changes that a backend has read, may serve a recent
    /// one without a check.
    #[must_use]
    pub fn reusable(mut self) -> Self {
        let has_tag = self.parameters.contains(&"If-None-Match");
        let ends_with = |end| self.path.ends_with(end) && self.path != "/v1/changes";
        let is_feed = ["/history", "/changes"].into_iter().any(ends_with);
        if self.method != "get" || !(has_tag || is_feed) {
            return self;
        }
        self.parameters.push("Cache-Control");
        for (status, response) in &mut self.responses {
            let sent = [200, 304].contains(status);
            let headers = ["Age", "Cache-Status"].into_iter().filter(|_| sent);
            let new: Vec<_> = headers
                .filter(|name| !response.headers.contains(name))
                .collect();
            response.headers.extend(new);
        }
        self
    }

    /// Serves the last good response while a service is down.
    #[must_use]
    pub fn stale_if_error(mut self) -> Self {
        self.parameters.push("Prefer");
        for response in self.responses.values_mut() {
            let headers = ["Age", "Cache-Status", "Cache-Control", "Server-Timing"];
            response.headers.extend(headers);
        }
        self.failure_headers = &["Preference-Applied", "Server-Timing"];
        self
    }

    /// Needs a token with this scope.
    #[must_use]
    pub fn needs_scope(self, scope: Scope) -> Self {
        let scope = Some(scope);
        Self { scope, ..self }
    }

    /// Never needs a token.
    #[must_use]
    pub fn open(self) -> Self {
        let scope = None;
        Self { scope, ..self }
    }

    /// Adds the errors of the gateway's check of tokens. A deployment can require one even for
    /// reads.
    #[must_use]
    pub fn authorized(self) -> Self {
        let errors: &[Kind] = match self.scope {
            None => return self,
            // `read` is the least scope, so every known token has it.
            Some(Scope::Read) => &[Kind::TokenRequired, Kind::TokenRefused, Kind::InvalidHeader],
            Some(Scope::Write | Scope::Admin) => &[
                Kind::TokenRequired,
                Kind::TokenRefused,
                Kind::InsufficientScope,
                Kind::ForeignRequest,
                Kind::InvalidHeader,
            ],
        };
        self.problems(errors)
    }

    /// The operation of the document.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut operation = object! {
            "operationId": self.id.as_str(),
            "tags": [self.tag],
            "summary": self.summary.as_str(),
        };
        if !self.description.is_empty() {
            operation.insert("description", self.description);
        }
        operation.insert("security", self.security());
        if !self.parameters.is_empty() {
            let parameters = self.parameters.iter();
            let parameters = parameters.map(|component| reference("parameters", component));
            operation.insert("parameters", parameters.collect::<Json>());
        }
        if let Some(body) = &self.body {
            operation.insert("requestBody", body.clone());
        }
        let mut responses = self.responses.clone();
        for (status, kinds) in self.problems_by_status() {
            let is_failure = [Kind::ServiceFailed, Kind::ServiceTimedOut]
                .iter()
                .any(|kind| kinds.contains(kind));
            let headers = if is_failure {
                self.failure_headers
            } else {
                &[]
            };
            let error = || response::error(&kinds, self.method, headers);
            responses.entry(status).or_insert_with(error);
        }
        let responses = responses.iter();
        let responses =
            responses.map(|(status, response)| (status.to_string(), response.to_json()));
        operation.with("responses", responses.collect::<Json>())
    }

    /// The alternatives: no token, as where the deployment allows it, or a token. The description of
    /// the scheme states its scope, because only OAuth has scopes in OpenAPI.
    fn security(&self) -> Json {
        match self.scope {
            None => Json::Array(Vec::new()),
            Some(_) => [object! {}, object! { "token": Json::Array(Vec::new()) }].into(),
        }
    }

    /// Its problems without duplicates, in the order of the table of all problems.
    fn problems_by_status(&self) -> BTreeMap<u16, Vec<Kind>> {
        let mut by_status: BTreeMap<u16, Vec<Kind>> = BTreeMap::new();
        let kinds = Kind::ALL.into_iter();
        for kind in kinds.filter(|kind| self.problems.contains(kind)) {
            by_status
                .entry(kind.problem_type().status)
                .or_default()
                .push(kind);
        }
        by_status
    }
}
