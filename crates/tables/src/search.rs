//! The search index of a table. It is an FTS5 table with the same rowids, and triggers maintain it.
//!
//! It indexes the generated column `terms`. Spaces separate the terms in this column:
//!
//! | term | meaning |
//! |---|---|
//! | `lamister` | a word of the name |
//! | `=sensei…lamister` | the case key, with U+0080 for each space |
//! | `+` or `-` | the person is alive or dead |
//! | `!` | the person is king |
//! | `@3` | the place, or `@0` for no place |
//!
//! Words consist of letters, digits and symbols outside ASCII, so no word equals another term. FTS5
//! returns the records that contain several terms in order of id, and can start at any id. So for
//! any combination of filters, a page reads only its own records.

use domain::name::{Prefix, SearchWords};

use crate::list::PlaceFilter;

/// The query for the words of a search. Each is the beginning of a term.
#[must_use]
pub(crate) fn words(words: &SearchWords) -> String {
    let words = words.words().iter();
    let terms: Vec<String> = words.map(|word| format!("\"{word}\"*")).collect();
    terms.join(" AND ")
}

/// The query for the beginning of a name.
#[must_use]
pub(crate) fn prefix(prefix: &Prefix) -> String {
    let key = prefix
        .case_key()
        .replace(' ', "\u{80}")
        .replace('"', "\"\"");
    format!("\"={key}\"*")
}

/// The query for places.
#[must_use]
pub(crate) fn places(places: &PlaceFilter) -> String {
    match places {
        PlaceFilter::None => "\"@0\"".to_owned(),
        PlaceFilter::Ids(ids) => {
            let terms: Vec<String> = ids.iter().map(|id| format!("\"@{id}\"")).collect();
            format!("({})", terms.join(" OR "))
        }
    }
}
