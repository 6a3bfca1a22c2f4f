//! Reads the JSON of another worker.
//!
//! serde would generate 2 to 5 KB of code for each type, because each type would have its own
//! parser. Here, one parser makes a [`Value`], and each type only takes its members from this
//! value. The gateway parses no type with serde. The first one would make it 15 KB larger (gzip):
//! serde's messages about types format floats.

use domain::place_status::PlaceStatuses;
use serde_json::{Map, Value};

/// A type that can be read from JSON.
pub trait FromJson: Sized {
    /// The value. None if the JSON has another shape.
    fn from_json(value: &Value) -> Option<Self>;
}

/// Parses a body. None if it has another shape.
#[must_use]
pub fn parse<T: FromJson>(body: &[u8]) -> Option<T> {
    T::from_json(&parse_value(body)?)
}

fn parse_value(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok()
}

/// A member of an object. An absent one is `null`.
#[must_use]
pub fn member<'a>(object: &'a Map<String, Value>, name: &str) -> &'a Value {
    object.get(name).unwrap_or(&Value::Null)
}

/// A member that must be present, even if it may be `null`.
#[must_use]
pub fn present<T: FromJson>(member: Option<&Value>) -> Option<T> {
    T::from_json(member?)
}

/// A member that has a default if it is absent.
#[must_use]
pub fn or_default<T: FromJson + Default>(member: Option<&Value>) -> Option<T> {
    member.map_or_else(|| Some(T::default()), T::from_json)
}

impl FromJson for i64 {
    fn from_json(value: &Value) -> Option<Self> {
        value.as_i64()
    }
}

impl FromJson for u16 {
    fn from_json(value: &Value) -> Option<Self> {
        value.as_i64()?.try_into().ok()
    }
}

impl FromJson for bool {
    fn from_json(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}

impl FromJson for String {
    fn from_json(value: &Value) -> Option<Self> {
        value.as_str().map(ToOwned::to_owned)
    }
}

impl FromJson for Value {
    fn from_json(value: &Value) -> Option<Self> {
        Some(value.clone())
    }
}

impl<T: FromJson> FromJson for Option<T> {
    fn from_json(value: &Value) -> Option<Self> {
        if value.is_null() {
            return Some(None);
        }
        T::from_json(value).map(Some)
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: &Value) -> Option<Self> {
        value.as_array()?.iter().map(T::from_json).collect()
    }
}

impl FromJson for PlaceStatuses {
    fn from_json(value: &Value) -> Option<Self> {
        let ids = |name| Some(Vec::from_json(value.get(name)?)?.into_iter().collect());
        Some(Self {
            active: ids("active")?,
            deleting: ids("deleting")?,
        })
    }
}

impl<A: FromJson, B: FromJson> FromJson for (A, B) {
    fn from_json(value: &Value) -> Option<Self> {
        match value.as_array()?.as_slice() {
            [first, second] => Some((A::from_json(first)?, B::from_json(second)?)),
            _ => None,
        }
    }
}

/// Implements [`FromJson`] for structs. A member has the name of its field, unless another name
/// follows. A function before the name, as in `present("king")`, decides about an absent member.
/// Other absent members are read as `null`.
#[macro_export]
macro_rules! from_json {
    (for<$parameter:ident> $type:ty { $($fields:tt)* }) => {
        impl<$parameter: $crate::from_json::FromJson> $crate::from_json::FromJson for $type {
            $crate::from_json!(@function { $($fields)* });
        }
    };
    ($($type:ty { $($fields:tt)* })*) => {
        $(impl $crate::from_json::FromJson for $type {
            $crate::from_json!(@function { $($fields)* });
        })*
    };
    (@function { $($field:ident $(: $member:tt $(($name:literal))?)?),* $(,)? }) => {
        fn from_json(value: &serde_json::Value) -> Option<Self> {
            let object = value.as_object()?;
            Some(Self {
                $($field: $crate::from_json!(@member object $field $($member $(($name))?)?)?,)*
            })
        }
    };
    (@member $object:ident $field:ident) => {
        $crate::from_json!(@member $object $field (stringify!($field)))
    };
    (@member $object:ident $field:ident $name:literal) => {
        $crate::from_json!(@member $object $field ($name))
    };
    (@member $object:ident $field:ident ($name:expr)) => {
        $crate::from_json::FromJson::from_json($crate::from_json::member($object, $name))
    };
    (@member $object:ident $field:ident $read:ident($name:literal)) => {
        $read($object.get($name))
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Sample {
        number: i64,
        text: Option<String>,
        list: Vec<(i64, bool)>,
        king: Option<u16>,
    }

    from_json! {
        Sample {
            number: "aNumber",
            text,
            list: or_default("list"),
            king: present("king"),
        }
    }

    #[test]
    fn members_are_read_by_name_and_may_be_absent_only_if_they_have_a_default() {
        let sample = |text: Option<&str>, list: &[(i64, bool)], king| {
            Some(Sample {
                number: 1,
                text: text.map(ToOwned::to_owned),
                list: list.to_vec(),
                king,
            })
        };
        for (json, expected) in [
            (r#"{"aNumber":1,"king":null}"#, sample(None, &[], None)),
            (
                r#"{"aNumber":1,"text":null,"king":9,"other":[]}"#,
                sample(None, &[], Some(9)),
            ),
            (
                r#"{"text":"t","list":[[2,true]],"king":null,"aNumber":1}"#,
                sample(Some("t"), &[(2, true)], None),
            ),
            (r#"{"aNumber":1}"#, None),
            (r#"{"king":null}"#, None),
        ] {
            assert_eq!(parse(json.as_bytes()), expected, "{json}");
        }
    }

    #[test]
    fn a_value_of_another_type_is_rejected() {
        for json in [
            "",
            "null",
            "1",
            "[1,null,[],null]",
            r#"{"aNumber":1.5,"king":null}"#,
            r#"{"aNumber":"1","king":null}"#,
            r#"{"aNumber":null,"king":null}"#,
            r#"{"aNumber":1,"king":65536}"#,
            r#"{"aNumber":1,"king":-1}"#,
            r#"{"aNumber":1,"king":null,"text":2}"#,
            r#"{"aNumber":1,"king":null,"list":null}"#,
            r#"{"aNumber":1,"king":null,"list":[[2]]}"#,
            r#"{"aNumber":1,"king":null,"list":[[2,true,3]]}"#,
            r#"{"aNumber":1,"king":null,"list":[[2,0]]}"#,
            r#"{"aNumber":1,"king":null} x"#,
        ] {
            assert_eq!(parse::<Sample>(json.as_bytes()), None, "{json}");
        }
    }

    #[test]
    fn the_statuses_of_places_are_read_as_they_are_written() {
        let statuses = PlaceStatuses {
            active: [1, 3].into(),
            deleting: [2].into(),
        };
        let json = serde_json::to_vec(&statuses).unwrap();
        assert_eq!(parse(&json), Some(statuses));
        assert_eq!(parse::<PlaceStatuses>(br#"{"active":[1]}"#), None);
    }
}
