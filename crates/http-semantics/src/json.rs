//! A strict parser for JSON objects: it rejects duplicate names, and its errors have a line and a
//! column.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::Problem;

/// A JSON object without duplicate names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Object(pub Map<String, Value>);

/// Inserts one member after the other. The `collect` of a map would compile a sort into each worker.
impl<'a> FromIterator<(&'a str, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (&'a str, Value)>>(members: I) -> Self {
        let mut map = Map::new();
        for (name, value) in members {
            map.insert(name.to_owned(), value);
        }
        Self(map)
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Object, A::Error> {
                let mut members = Map::new();
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a repeated name"));
                    }
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

impl Object {
    /// Parses a body that is one object.
    ///
    /// # Errors
    /// A malformed body, with the line and the column.
    pub fn parse(body: &[u8]) -> Result<Self, Problem> {
        serde_json::from_slice(body).map_err(|error| {
            let what = "a JSON object with each name once";
            Problem::malformed_body(what, error.line(), error.column())
        })
    }

    /// The object after a merge patch (RFC 7396): `null` removes a member, any other value replaces
    /// it. Nested objects are not merged, because records have none.
    #[must_use]
    pub fn merge_patched(mut self, patch: Self) -> Self {
        for (name, value) in patch.0 {
            if value.is_null() {
                self.0.remove(&name);
            } else {
                self.0.insert(name, value);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn an_error_has_a_line_and_a_column() {
        for (body, line, column) in [
            ("", 1, 0),
            ("{\"a\":1,\n\"b\":}", 2, 5),
            ("{\"a\":1,\"a\":2}", 1, 13),
            ("[]", 1, 0),
            ("{} {}", 1, 4),
            ("{\"a\":NaN}", 1, 6),
            ("\u{feff}{}", 1, 1),
            ("{\"a\":\"\\ud800\"}", 1, 13),
        ] {
            let expected =
                Problem::malformed_body("a JSON object with each name once", line, column);
            assert_eq!(Object::parse(body.as_bytes()), Err(expected), "{body}");
        }
        assert!(Object::parse(b"{\"a\":\"\xff\"}").is_err());
        assert!(Object::parse("[".repeat(100_000).as_bytes()).is_err());
    }

    /// The algorithm of RFC 7396, section 2, for a patch that is an object.
    fn merge_patch(target: &mut Value, patch: &Value) {
        let Value::Object(patch) = patch else {
            *target = patch.clone();
            return;
        };
        if !target.is_object() {
            *target = json!({});
        }
        for (name, value) in patch {
            if value.is_null() {
                target.as_object_mut().unwrap().remove(name);
            } else {
                merge_patch(&mut target[name], value);
            }
        }
    }

    proptest! {
        #[test]
        fn a_patch_of_flat_members_equals_the_algorithm_of_rfc_7396(
            target in prop::collection::btree_map("[a-d]", 0..9i64, 0..4),
            patch in prop::collection::btree_map("[a-d]", prop::option::of(0..9i64), 0..4),
        ) {
            let object = |value: Value| Object(value.as_object().cloned().unwrap());
            let (target, patch) = (json!(target), json!(patch));
            let mut expected = target.clone();
            merge_patch(&mut expected, &patch);
            prop_assert_eq!(object(target).merge_patched(object(patch)), object(expected));
        }

        #[test]
        fn no_body_makes_the_json_parser_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Object::parse(&body);
        }
    }
}
