//! A JSON type whose objects keep the order of their members, so that a record shows its id first.
//!
//! The documents of `utoipa` contain `serde_json::Value`, which sorts members. A feature of
//! `serde_json` keeps the order, but the feature would apply to every crate that is built together
//! with this one. The tests of the workers would then see another order than the deployed workers
//! have.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Json {
    /// An array.
    Array(Vec<Self>),
    /// An object.
    Object(IndexMap<String, Self>),
    /// `null`, a boolean, a number or a string.
    Scalar(Value),
}

impl Json {
    /// Parses a JSON text.
    ///
    /// # Panics
    /// If the text is not JSON.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("not JSON: {error}: {text}"))
    }

    /// The JSON text on one line.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Inserts a member at a position of an object.
    fn insert_at(&mut self, position: usize, name: &str, value: Self) {
        match self {
            Self::Object(members) => members.shift_insert(position, name.to_owned(), value),
            other => panic!("{other:?} cannot have a member {name}"),
        };
    }

    /// Inserts a member at the end of an object.
    ///
    /// # Panics
    /// If the value is not an object.
    pub fn insert(&mut self, name: &str, value: impl Into<Self>) {
        self.insert_at(self.members().count(), name, value.into());
    }

    /// Adds a member at the end of an object.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Self>) -> Self {
        self.insert(name, value);
        self
    }

    /// Adds a description, made of the lines of a doc comment, as the first member.
    #[must_use]
    pub fn described(mut self, lines: &[&str]) -> Self {
        let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
        self.insert_at(0, "description", lines.join(" ").into());
        self
    }

    /// A member of an object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.get(name),
            _ => None,
        }
    }

    /// The members of an object; empty for other values.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Self)> {
        let members = match self {
            Self::Object(members) => Some(members),
            _ => None,
        };
        let members = members.into_iter().flatten();
        members.map(|(name, value)| (name.as_str(), value))
    }

    /// The items of an array; empty for other values.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match self {
            Self::Array(items) => items,
            _ => &[],
        }
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Scalar(value) => value.as_str(),
            _ => None,
        }
    }
}

macro_rules! scalars {
    ($($type:ty),*) => {
        $(impl From<$type> for Json {
            fn from(value: $type) -> Self {
                Self::Scalar(value.into())
            }
        })*
    };
}

scalars!(&str, String, bool, i32, i64, u16, u32, usize);

impl<T: Into<Self>, const N: usize> From<[T; N]> for Json {
    fn from(items: [T; N]) -> Self {
        items.into_iter().collect()
    }
}

impl<T: Into<Json>> FromIterator<T> for Json {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::Array(items.into_iter().map(Into::into).collect())
    }
}

impl<K: Into<String>, T: Into<Json>> FromIterator<(K, T)> for Json {
    fn from_iter<I: IntoIterator<Item = (K, T)>>(members: I) -> Self {
        let members = members.into_iter();
        Self::Object(
            members
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

/// A JSON object: `object! { "id": 1, "name": "x" }`.
#[macro_export]
macro_rules! object {
    ($($name:literal : $value:expr),* $(,)?) => {
        <$crate::Json as FromIterator<(&str, $crate::Json)>>::from_iter([
            $(($name, $crate::Json::from($value))),*
        ])
    };
}

/// Components with their names. The doc comment of each is its description.
macro_rules! components {
    ($($(#[doc = $line:literal])+ $name:literal => $component:expr;)*) => {
        vec![$(($name.to_owned(), $component.described(&[$($line),+]))),*]
    };
}
pub(crate) use components;

/// A reference to a component.
#[must_use]
pub fn reference(kind: &str, name: &str) -> Json {
    object! { "$ref": format!("#/components/{kind}/{name}") }
}
