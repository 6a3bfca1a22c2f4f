//! A whole document: the operations, and the components that they refer to.

use http_semantics::problem::Kind;
use indexmap::IndexMap;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::operation::Operation;
use crate::problems::sample;
use crate::{Json, headers, object, parameters, views};

/// The document of some operations.
#[must_use]
pub fn document(title: &str, says: &str, operations: &[Operation]) -> Json {
    let mut paths: IndexMap<&str, Json> = IndexMap::new();
    for operation in operations {
        let path = paths.entry(operation.path).or_insert_with(|| object! {});
        path.insert(operation.method, operation.to_json());
    }
    let paths: Json = paths
        .into_iter()
        .map(|(path, item)| (path.to_owned(), item))
        .collect();
    let components = Components::all().used_by(&paths);
    object! {
        "openapi": "3.1.1",
        "info": object! {
            "title": title,
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "A registry of places and of the people who live in them.",
            "description": says,
            "license": object! { "name": "MIT", "identifier": "MIT" },
        },
        "servers": Json::List(vec![object! { "url": "/" }]),
        "tags": tags(&paths),
        "paths": paths,
        "components": components,
    }
}

/// The tags that are used, each with what it is about.
fn tags(paths: &Json) -> Json {
    let known = [
        (
            "people per place",
            "Places with their people: the two registers, joined.",
        ),
        ("places", "The register of places."),
        ("people", "The register of people."),
        ("changes", "What happened."),
        (
            "integrity",
            "Whether the registers fit together, and what mends them.",
        ),
        ("about", "What this is."),
    ];
    let operations = paths.members().flat_map(|(_, item)| item.members());
    let used: Vec<&str> = operations
        .flat_map(|(_, operation)| operation.get("tags").map(Json::items).unwrap_or_default())
        .filter_map(Json::as_str)
        .collect();
    known
        .into_iter()
        .filter(|(name, _)| used.contains(name))
        .map(|(name, says)| object! { "name": name, "description": says })
        .collect()
}

/// What can be referred to.
struct Components(IndexMap<&'static str, IndexMap<String, Json>>);

/// The schemas of types, by their names.
macro_rules! schemas {
    ($($type:ident),* $(,)?) => {
        [$((views::$type::name().into_owned(), schema(&views::$type::schema()))),*]
    };
}

fn schema(schema: &RefOr<Schema>) -> Json {
    unbroken(Json::of(schema))
}

/// The same with descriptions whose lines are not those of the code.
fn unbroken(json: Json) -> Json {
    match json {
        Json::Text(text) => Json::Text(text.replace('\n', " ")),
        Json::List(items) => Json::List(items.into_iter().map(unbroken).collect()),
        Json::Object(members) => {
            let members = members.into_iter();
            Json::Object(
                members
                    .map(|(name, value)| (name, unbroken(value)))
                    .collect(),
            )
        }
        other => other,
    }
}

impl Components {
    fn all() -> Self {
        let owned = |components: Vec<(&str, Json)>| {
            let owned = components.into_iter();
            owned.map(|(name, json)| (name.to_owned(), json)).collect()
        };
        let schemas = schemas![
            AbandonedDeletion,
            AbandonedWrite,
            Alive,
            Batch,
            BatchReport,
            ByHand,
            Change,
            ChangeKind,
            ChosenId,
            Count,
            Dataset,
            DeadPerson,
            Document,
            DoubleKing,
            False,
            FieldError,
            Id,
            ImportReport,
            ImportSummary,
            ImportedDeadPerson,
            ImportedLivingPerson,
            ImportedPerson,
            ImportedPlace,
            Integrity,
            King,
            Deletion,
            LifeSign,
            LivingPerson,
            Moment,
            Name,
            NewPerson,
            NewPlace,
            OfPeople,
            OfPlaces,
            Outcome,
            PeopleOfPlace,
            Person,
            PersonChange,
            PersonPatch,
            Place,
            PlaceChange,
            PlacePatch,
            PlaceWithPeople,
            Pointer,
            Population,
            ProblemBody,
            ProblemType,
            PutDeadPerson,
            PutLivingPerson,
            PutPerson,
            PutPlace,
            Readiness,
            Ready,
            Refusal,
            Released,
            Repair,
            Resident,
            Residents,
            PendingWrite,
            Share,
            Statistics,
            True,
        ];
        let examples = Kind::ALL.map(|kind| {
            let value = Json::of(&sample(kind));
            let example = object! { "summary": kind.problem_type().title, "value": value };
            (kind.problem_type().slug.to_owned(), example)
        });
        let token = object! {
            "type": "http",
            "scheme": "bearer",
            "description": "Who writes needs a token with the scope `write`, who repairs one with `admin`, wherever the deployment does not declare its writes open. Reading needs none, unless the deployment closes it: then a token with `read`. Each scope holds those before it.",
        };
        Self(IndexMap::from([
            ("schemas", schemas.into_iter().collect()),
            ("parameters", owned(parameters::components())),
            ("headers", owned(headers::components())),
            ("examples", examples.into_iter().collect()),
            ("securitySchemes", owned(vec![("token", token)])),
        ]))
    }

    /// Those that a part of a document refers to, and whatever they refer to.
    ///
    /// # Panics
    /// A reference to what there is not.
    fn used_by(&self, part: &Json) -> Json {
        let mut used = Vec::new();
        references(part, &mut used);
        let mut next = 0;
        while let Some(reference) = used.get(next).cloned() {
            let component = self.at(&reference);
            let component = component.unwrap_or_else(|| panic!("no component {reference}"));
            references(component, &mut used);
            next += 1;
        }
        let kinds = self.0.iter().map(|(kind, components)| {
            let is_used = |name: &str| used.contains(&format!("#/components/{kind}/{name}"));
            let components = components.iter().filter(|(name, _)| is_used(name));
            let components = components.map(|(name, json)| (name.clone(), json.clone()));
            ((*kind).to_owned(), components.collect::<Json>())
        });
        kinds
            .filter(|(_, components)| components.members().next().is_some())
            .collect()
    }

    fn at(&self, reference: &str) -> Option<&Json> {
        let (kind, name) = reference.strip_prefix("#/components/")?.split_once('/')?;
        self.0.get(kind)?.get(name)
    }
}

/// Adds what a part of a document refers to, each once. A security requirement is a reference,
/// too.
fn references(part: &Json, found: &mut Vec<String>) {
    let mut add = |reference: String| {
        if !found.contains(&reference) {
            found.push(reference);
        }
    };
    for (name, value) in part.members() {
        match (name, value) {
            ("$ref", Json::Text(reference)) => add(reference.clone()),
            ("security", Json::List(ways)) => {
                let names = ways.iter().flat_map(Json::members);
                names.for_each(|(name, _)| add(format!("#/components/securitySchemes/{name}")));
            }
            _ => {}
        }
    }
    for (_, value) in part.members() {
        references(value, found);
    }
    for item in part.items() {
        references(item, found);
    }
}
