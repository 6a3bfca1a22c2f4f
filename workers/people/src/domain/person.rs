//! The type of a person, and the rules that concern only one person.

use domain::PlaceId;
use domain::name::{Name, Normalize};
use http_semantics::fields::Fields;
use http_semantics::json::Object;
use http_semantics::problem::FieldError;
use serde_json::json;
use tables::TableSpec;
use tables::record::{Record, UniqueValue};
use tables::schema::PERSON;

/// A person without their id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name.
    pub name: Name,
    /// Whether the person is alive, and their place.
    pub residence: Residence,
}

/// Whether a person is alive, and their place. The type enforces two rules: a living person has a
/// place, and a king is alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Residence {
    /// The person is alive.
    Living {
        /// The place.
        place: PlaceId,
        /// Whether the person is king of the place.
        is_king: bool,
    },
    /// The person is dead, or not known to be alive.
    Dead {
        /// The last place, if it is known.
        place: Option<PlaceId>,
    },
}

impl Residence {
    /// The place.
    #[must_use]
    pub fn place(self) -> Option<PlaceId> {
        match self {
            Self::Living { place, .. } => Some(place),
            Self::Dead { place } => place,
        }
    }

    /// Whether the person is alive.
    #[must_use]
    pub fn is_alive(self) -> bool {
        matches!(self, Self::Living { .. })
    }

    /// Whether the person is king of the place.
    #[must_use]
    pub fn is_king(self) -> bool {
        matches!(self, Self::Living { is_king: true, .. })
    }

    /// The new reference of a write: the place, if it is another one than `before`, or if a dead
    /// person becomes alive in it. Such a write begins with a pending write (docs/integrity.md).
    #[must_use]
    pub fn new_reference(self, before: Option<Self>) -> Option<PlaceId> {
        let place = self.place()?;
        let has_reference = before.is_some_and(|before| {
            before.place() == Some(place) && (before.is_alive() || !self.is_alive())
        });
        (!has_reference).then_some(place)
    }
}

impl Record for Person {
    fn table() -> &'static TableSpec {
        &PERSON
    }

    fn parse(mut fields: Fields, normalize: Normalize) -> Result<Self, Vec<FieldError>> {
        let name = fields.name(normalize);
        let is_alive = fields.boolean("isAlive");
        let is_king = fields.boolean("isKing");
        let has_place = fields.has("placeId");
        let place = fields.place_id("placeId");
        let residence = match (is_alive, place) {
            (true, Some(place)) => Some(Residence::Living { place, is_king }),
            (true, None) => {
                // `place_id` has reported an invalid place.
                if !has_place {
                    fields.add_error(
                        "placeId",
                        "the id of a place, because a living person needs one",
                    );
                }
                None
            }
            (false, place) => Some(Residence::Dead { place }),
        };
        if is_king && !is_alive {
            fields.add_error("isKing", "false or absent, because a king is alive");
        }
        let person = name.zip(residence);
        fields.finish(
            &PERSON.fields,
            person.map(|(name, residence)| Self { name, residence }),
        )
    }

    fn to_object(&self) -> Object {
        let residence = self.residence;
        Object::from_iter([
            ("name", json!(self.name.as_str())),
            ("isAlive", json!(residence.is_alive())),
            ("placeId", json!(residence.place().map(PlaceId::get))),
            ("isKing", json!(residence.is_king())),
        ])
    }

    fn name(&self) -> &Name {
        &self.name
    }

    fn unique_value(&self, _normalize: Normalize) -> Option<UniqueValue> {
        let is_king = self.residence.is_king();
        let place = self.residence.place().filter(|_| is_king)?;
        Some(UniqueValue {
            value: format!("the crown of {place}"),
            field: "isKing",
            expected: "false, because a place has one king",
        })
    }

    /// The king without the crown.
    fn without_unique_value(&self) -> Option<Self> {
        let place = self
            .residence
            .place()
            .filter(|_| self.residence.is_king())?;
        let is_king = false;
        Some(Self {
            name: self.name.clone(),
            residence: Residence::Living { place, is_king },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Param;
    use http_semantics::actor::Actor;
    use proptest::prelude::*;
    use serde_json::Value;
    use tables::record::Author;

    #[expect(
        clippy::needless_pass_by_value,
        reason = "lets a test write the body in the call"
    )]
    fn parse(body: Value) -> Result<Person, Vec<String>> {
        let object = Object(body.as_object().cloned().unwrap());
        Person::parse(Fields::new(object), Normalize::NONE)
            .map_err(|errors| errors.into_iter().map(|error| error.pointer).collect())
    }

    #[test]
    fn a_body_has_every_declared_field() {
        let Object(body) = parse(json!({"name": "Ana"})).unwrap().to_object();
        for field in PERSON.fields.iter().filter(|field| **field != "id") {
            assert!(body.contains_key(*field), "to_object misses {field}");
        }
    }

    #[test]
    fn a_row_has_the_fields_the_keys_of_the_name_and_the_author() {
        let person = parse(json!({"name": "Ana \"X\"", "isAlive": true, "placeId": 3})).unwrap();
        let author = Author {
            actor: Actor::parse("ana"),
            batch: Some("b".to_owned()),
        };
        let row = person.to_row(Some(7), Some(2), &author, Normalize::NONE);
        let expected = json!({
            "id": 7, "version": 2, "actor": "ana", "batch": "b",
            "name": "Ana \"X\"", "isAlive": true, "placeId": 3, "isKing": false,
            "key": "ana \"x\"", "searchKey": null, "words": "ana x",
        });
        assert_eq!(row, expected);
    }

    #[test]
    fn a_person_without_a_known_state_is_dead() {
        let person =
            parse(json!({"name": "Dedo Gordo", "isAlive": null, "placeId": null})).unwrap();
        assert_eq!(person.residence, Residence::Dead { place: None });
    }

    #[test]
    fn all_invalid_fields_are_reported_together() {
        let errors = |body| parse(body).unwrap_err();
        assert_eq!(errors(json!({})), ["/name"]);
        assert_eq!(errors(json!({"name": "x", "isAlive": true})), ["/placeId"]);
        assert_eq!(errors(json!({"name": "x", "isKing": true})), ["/isKing"]);
        assert_eq!(
            errors(
                json!({"name": 1, "isAlive": "yes", "isKing": 0, "placeId": 1.5, "age": 3, "<b>": 1})
            ),
            ["/name", "/isAlive", "/isKing", "/placeId", "/", "/age"],
        );
        for place in [
            json!(0),
            json!(-1),
            json!("1"),
            json!(1e300),
            json!(9_007_199_254_740_992_i64),
        ] {
            assert_eq!(
                errors(json!({"name": "x", "isAlive": true, "placeId": place})),
                ["/placeId"]
            );
        }
    }

    #[test]
    fn a_king_has_the_crown_of_the_place_and_nobody_else_has() {
        let person = |place: i64, is_king| {
            let place = PlaceId::new(place).unwrap();
            let name = Name::new("Ana", Normalize::NONE).unwrap();
            let residence = Residence::Living { place, is_king };
            Person { name, residence }
        };
        let crown = |person: &Person| {
            let unique = person.unique_value(Normalize::NONE);
            unique.map(|unique| unique.value)
        };
        let king = person(7, true);
        assert!(crown(&king).is_some());
        assert_eq!(crown(&king), crown(&person(7, true)));
        assert_ne!(crown(&king), crown(&person(8, true)));
        assert_eq!(crown(&person(7, false)), None);
        // A batch can give the crown to another person of the place.
        assert_eq!(king.without_unique_value(), Some(person(7, false)));
        assert_eq!(person(7, false).without_unique_value(), None);
    }

    fn residence() -> impl Strategy<Value = Residence> {
        (any::<bool>(), any::<bool>(), prop::option::of(1..4i64)).prop_map(
            |(is_alive, is_king, place)| {
                let place = place.and_then(PlaceId::new);
                match place {
                    Some(place) if is_alive => Residence::Living { place, is_king },
                    place => Residence::Dead { place },
                }
            },
        )
    }

    proptest! {
        #[test]
        fn a_person_equals_the_one_parsed_from_its_fields(residence in residence(), name in "[a-zé]{1,9}") {
            let person = Person { name: Name::new(&name, Normalize::NONE).unwrap(), residence };
            prop_assert_eq!(Person::parse(Fields::new(person.to_object()), Normalize::NONE), Ok(person));
        }

        /// The protocol relies on this: people only get a place by a write with a new reference.
        #[test]
        fn a_write_without_a_new_reference_keeps_the_place_and_revives_nobody(before in residence(), after in residence()) {
            if after.new_reference(Some(before)).is_none() && after.place().is_some() {
                prop_assert_eq!(before.place(), after.place());
                prop_assert!(before.is_alive() || !after.is_alive());
            }
            prop_assert_eq!(after.new_reference(None), after.place());
        }

        #[test]
        fn a_write_that_keeps_the_place_has_a_new_reference_only_if_it_revives(before in residence(), after in residence()) {
            let revives = after.is_alive() && !before.is_alive();
            if after.place() == before.place() {
                let expected = after.place().filter(|_| revives);
                prop_assert_eq!(after.new_reference(Some(before)), expected);
            }
        }
    }
}
