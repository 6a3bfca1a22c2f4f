//! JSON whose members keep the order in which they were written, so that a reader finds the id
//! of a record before its name.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// Any JSON value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Truth(bool),
    /// A whole number.
    Whole(i64),
    /// Any other number.
    Number(f64),
    /// A text.
    Text(String),
    /// An array.
    List(Vec<Self>),
    /// An object.
    Object(IndexMap<String, Self>),
}

impl Json {
    /// Whatever serializes.
    ///
    /// # Panics
    /// What does not serialize: a fault of the document's own.
    #[must_use]
    pub fn of(value: &impl Serialize) -> Self {
        serde_json::to_string(value)
            .and_then(|text| serde_json::from_str(&text))
            .unwrap_or_else(|error| panic!("no JSON: {error}"))
    }

    /// The JSON that a text is.
    ///
    /// # Panics
    /// A text that is none.
    #[must_use]
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("no JSON: {error}: {text}"))
    }

    /// The text of it, without white space.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Adds a member to an object, behind the others.
    ///
    /// # Panics
    /// What is no object.
    pub fn insert(&mut self, name: &str, value: impl Into<Self>) {
        match self {
            Self::Object(members) => members.insert(name.to_owned(), value.into()),
            other => panic!("{other:?} has no member {name}"),
        };
    }

    /// The same object with one member more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Self>) -> Self {
        self.insert(name, value);
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

    /// The members of an object, of which anything else has none.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Self)> {
        let members = match self {
            Self::Object(members) => Some(members),
            _ => None,
        };
        let members = members.into_iter().flatten();
        members.map(|(name, value)| (name.as_str(), value))
    }

    /// The text that this is.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list, of which anything else has none.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Json {
    fn from(truth: bool) -> Self {
        Self::Truth(truth)
    }
}

impl From<i64> for Json {
    fn from(number: i64) -> Self {
        Self::Whole(number)
    }
}

impl<T: Into<Json>> FromIterator<T> for Json {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Json>> FromIterator<(String, T)> for Json {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(members: I) -> Self {
        let members = members.into_iter();
        Self::Object(members.map(|(name, value)| (name, value.into())).collect())
    }
}

/// An object: `object! { "id": 1, "name": "x" }`.
#[macro_export]
macro_rules! object {
    ($($name:literal : $value:expr),* $(,)?) => {{
        #[allow(unused_mut)]
        let mut members = ::indexmap::IndexMap::<String, $crate::Json>::new();
        $(members.insert($name.to_owned(), $crate::Json::from($value));)*
        $crate::Json::Object(members)
    }};
}

/// A reference to a component.
#[must_use]
pub fn reference(kind: &str, name: &str) -> Json {
    object! { "$ref": format!("#/components/{kind}/{name}") }
}
