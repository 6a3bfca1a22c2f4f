//! Describes one response of an operation: its meaning, headers, bodies and links.

use http_semantics::problem::{self, Kind};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::examples::Example;
use crate::json::reference;
use crate::problems::{sample, type_name, type_uri};
use crate::{Json, object};

/// A response that is not an error. Schemas and headers are named by their components.
#[derive(Clone)]
pub struct Response {
    description: String,
    pub(crate) headers: Vec<&'static str>,
    content: Json,
    links: Json,
}

impl Response {
    /// A response without a body.
    #[must_use]
    pub fn empty(description: impl Into<String>) -> Self {
        Self {
            description: description.into(),
            headers: Vec::new(),
            content: object! {},
            links: object! {},
        }
    }

    /// A JSON body of one schema.
    #[must_use]
    pub fn json(schema: &str, description: impl Into<String>) -> Self {
        let content = object! { "schema": reference("schemas", schema) };
        Self::empty(description).content("application/json", content)
    }

    /// A list that is always JSON.
    #[must_use]
    pub fn json_list(schema: &str, description: impl Into<String>) -> Self {
        let items = object! { "type": "array", "items": reference("schemas", schema) };
        Self::empty(description).content("application/json", object! { "schema": items })
    }

    /// A list, as JSON or with one record per line.
    #[must_use]
    pub fn list(schema: &str, description: impl Into<String>) -> Self {
        let items = object! { "type": "array", "items": reference("schemas", schema) };
        Self::empty(description)
            .content("application/json", object! { "schema": items })
            .lines("One JSON object per line.", reference("schemas", schema))
            .headers(&["Vary"])
    }

    /// Adds a body with one JSON object per line. OpenAPI 3.2 has `itemSchema` for the lines.
    #[must_use]
    pub fn lines(self, description: &str, line: Json) -> Self {
        let content = text(description).with("x-itemSchema", line);
        self.content("application/x-ndjson", content)
    }

    /// Adds a stream of server-sent events.
    #[must_use]
    pub fn events(self, description: &str) -> Self {
        self.content("text/event-stream", text(description))
    }

    /// Adds a CSV body.
    #[must_use]
    pub fn csv(self, header: &str) -> Self {
        let header = header.trim_end();
        let description = format!("CSV (RFC 4180). The first line is `{header}`.");
        self.content("text/csv", text(&description))
    }

    fn content(mut self, media_type: &str, content: Json) -> Self {
        self.content.insert(media_type, content);
        self
    }

    /// Adds an example of the JSON body: the response of the seeded system to a request, which
    /// tests/api/openapi.test.ts compares.
    #[must_use]
    pub fn example<T>(mut self, request: &str, body: &Example<T>) -> Self
    where
        T: DeserializeOwned + Serialize,
    {
        let example = object! { "summary": request, "value": body.to_json() };
        if let Json::Object(content) = &mut self.content
            && let Some(json) = content.get_mut("application/json")
        {
            json.insert("examples", object! { "seed": example });
        }
        self
    }

    /// Adds headers.
    #[must_use]
    pub fn headers(mut self, components: &[&'static str]) -> Self {
        self.headers.extend(components);
        self
    }

    /// Adds a link to an operation. A runtime expression finds the id for its path.
    #[must_use]
    pub fn link(mut self, name: &str, operation: impl Into<String>, id: &str) -> Self {
        let parameters = object! { "id": id };
        let link = object! { "operationId": operation.into(), "parameters": parameters };
        self.links.insert(name, link);
        self
    }

    /// Replaces the references to a schema.
    pub(crate) fn replace_schema(&mut self, schema: &str, other: &str) {
        let reference = |name| format!("\"#/components/schemas/{name}\"");
        let content = self.content.to_text();
        self.content = Json::parse(&content.replace(&reference(schema), &reference(other)));
    }

    /// Replaces a header.
    pub(crate) fn replace_header(&mut self, header: &str, other: &'static str) {
        for found in &mut self.headers {
            if *found == header {
                *found = other;
            }
        }
    }

    pub(crate) fn to_json(&self) -> Json {
        let mut response = object! { "description": self.description.as_str() };
        let headers = header_references(&self.headers);
        for (name, part) in [
            ("headers", &headers),
            ("content", &self.content),
            ("links", &self.links),
        ] {
            if part.members().next().is_some() {
                response.insert(name, part.clone());
            }
        }
        response
    }
}

fn text(description: &str) -> Json {
    object! { "schema": object! { "type": "string", "description": description } }
}

/// References to the components of headers, by the names of the headers.
fn header_references(components: &[&str]) -> Json {
    let reference = |component: &&str| {
        let name = match *component {
            "ExpandedTag" | "ListTag" => "ETag",
            "LinkToCome" => "Link",
            "WWW-Authenticate-if-token" => "WWW-Authenticate",
            "NoTransform" => "Cache-Control",
            name => name,
        };
        (name.to_owned(), reference("headers", component))
    };
    components.iter().map(reference).collect()
}

/// The error response of a status, which can have each of these problem types.
pub(crate) fn error(kinds: &[Kind], method: &str, other_headers: &[&'static str]) -> Response {
    let titles: Vec<&str> = kinds.iter().map(|kind| kind.problem_type().title).collect();
    let of_kinds = |text: fn(Kind) -> String| kinds.iter().copied().map(text).collect::<Json>();
    let types = object! {
        "type": "string",
        "enum": of_kinds(type_uri),
        "x-enum-varnames": of_kinds(type_name),
    };
    let narrowed = object! { "properties": object! { "type": types } };
    let examples = kinds.iter().map(|kind| {
        let slug = kind.problem_type().slug;
        (slug, reference("examples", slug))
    });
    let content = object! {
        "schema": object! { "allOf": [reference("schemas", "Problem"), narrowed] },
        "examples": examples.collect::<Json>(),
    };
    let mut headers = other_headers.to_vec();
    let samples = kinds.iter().map(|kind| sample(*kind));
    for (name, _) in samples.flat_map(|problem| problem.headers().to_vec()) {
        let component = match name {
            "retry-after" => "Retry-After",
            // A request of another site has no token to correct.
            "www-authenticate" if kinds.contains(&Kind::ForeignRequest) => {
                "WWW-Authenticate-if-token"
            }
            "www-authenticate" => "WWW-Authenticate",
            "vary" => "Vary",
            "ratelimit" => "RateLimit",
            other => panic!("the header {other} has no component"),
        };
        if !headers.contains(&component) {
            headers.push(component);
        }
    }
    if kinds.contains(&Kind::UnsupportedMediaType) {
        match method {
            "post" => headers.push("Accept-Post"),
            "patch" => headers.push("Accept-Patch"),
            _ => {}
        }
    }
    Response::empty(format!("{}.", titles.join(". Or: ")))
        .headers(&headers)
        .content(problem::MEDIA_TYPE, content)
}
