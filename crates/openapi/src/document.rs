//! Builds a whole OpenAPI document: the operations, and the components that they refer to.

use http_semantics::problem::Kind;
use indexmap::IndexMap;

use crate::operation::Operation;
use crate::problems::sample;
use crate::{Json, headers, object, parameters, views};

/// The tags, in the order of the document.
const TAGS: [(&str, &str); 6] = [
    ("people per place", "Places with their people."),
    ("places", "Places."),
    ("people", "People."),
    ("changes", "The change log."),
    (
        "integrity",
        "Checks that places and people are consistent, and repairs.",
    ),
    ("about", "This document, the dataset and health checks."),
];

const TOKEN: &str = "Writes need a token with the scope `write`, and repairs and erasures one with `admin`, unless the deployment allows writes without a token. Reads need no token, unless the deployment requires one: then its scope is `read`. `admin` includes `write`, and `write` includes `read`.";

/// The document of some operations.
#[must_use]
pub fn document(title: &str, description: &str, operations: &[Operation]) -> Json {
    let mut paths: IndexMap<&str, Json> = IndexMap::new();
    for operation in operations {
        let path = paths.entry(&operation.path).or_insert_with(|| object! {});
        path.insert(operation.method, operation.to_json());
    }
    let paths: Json = paths.into_iter().collect();
    let components = Components::all().used_by(&paths);
    object! {
        "openapi": "3.1.1",
        "info": object! {
            "title": title,
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "A registry of places and of the people who live in them.",
            "description": description,
            "contact": object! { "name": "The operator of this deployment" },
            "license": object! { "name": "MIT", "identifier": "MIT" },
        },
        "servers": [object! { "url": "/" }],
        "tags": tags(&paths),
        "paths": paths,
        "components": components,
    }
}

/// The tags that the operations use.
fn tags(paths: &Json) -> Json {
    let operations = paths.members().flat_map(|(_, item)| item.members());
    let used: Vec<&str> = operations
        .filter_map(|(_, operation)| operation.get("tags")?.items().first()?.as_str())
        .collect();
    TAGS.into_iter()
        .filter(|(name, _)| used.contains(name))
        .map(|(name, description)| object! { "name": name, "description": description })
        .collect()
}

/// All components, by kind and name.
struct Components(IndexMap<&'static str, IndexMap<String, Json>>);

impl Components {
    fn all() -> Self {
        let examples = Kind::ALL.map(|kind| {
            let value = Json::parse(&sample(kind).to_json());
            let example = object! { "summary": kind.problem_type().title, "value": value };
            (kind.problem_type().slug.to_owned(), example)
        });
        let token = object! { "type": "http", "scheme": "bearer", "description": TOKEN };
        Self(IndexMap::from([
            ("schemas", views::all().into_iter().collect()),
            ("parameters", parameters::all().into_iter().collect()),
            ("headers", headers::all().into_iter().collect()),
            ("examples", examples.into_iter().collect()),
            ("securitySchemes", [("token".to_owned(), token)].into()),
        ]))
    }

    /// The components that a part of a document refers to, directly or through others.
    ///
    /// # Panics
    /// If a component does not exist.
    fn used_by(&self, part: &Json) -> Json {
        let mut used = Vec::new();
        collect_references(part, &mut used);
        let mut next = 0;
        while let Some(reference) = used.get(next).cloned() {
            let component = self.get(&reference);
            let component = component.unwrap_or_else(|| panic!("no component {reference}"));
            collect_references(component, &mut used);
            next += 1;
        }
        let kinds = self.0.iter().map(|(kind, components)| {
            let is_used = |name: &str| used.contains(&format!("#/components/{kind}/{name}"));
            let components = components.iter().filter(|(name, _)| is_used(name));
            let components: Json = components
                .map(|(name, json)| (name, json.clone()))
                .collect();
            (*kind, components)
        });
        kinds
            .filter(|(_, components)| components.members().next().is_some())
            .collect()
    }

    fn get(&self, reference: &str) -> Option<&Json> {
        let (kind, name) = reference.strip_prefix("#/components/")?.split_once('/')?;
        self.0.get(kind)?.get(name)
    }
}

/// Adds the references of a part of a document without duplicates. A security requirement is a
/// reference, too.
fn collect_references(part: &Json, found: &mut Vec<String>) {
    let mut add = |reference: String| {
        if !found.contains(&reference) {
            found.push(reference);
        }
    };
    for (name, value) in part.members() {
        match name {
            "$ref" => value
                .as_str()
                .map(str::to_owned)
                .into_iter()
                .for_each(&mut add),
            "security" => {
                let names = value.items().iter().flat_map(Json::members);
                names.for_each(|(name, _)| add(format!("#/components/securitySchemes/{name}")));
            }
            _ => {}
        }
    }
    for (_, value) in part.members() {
        collect_references(value, found);
    }
    for item in part.items() {
        collect_references(item, found);
    }
}
