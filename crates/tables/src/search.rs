//! The search index of a table: an FTS5 table with the same rowids, which triggers maintain.
//!
//! It indexes the generated column `terms`, whose terms are separated by spaces:
//!
//! | term | of |
//! |---|---|
//! | `lamister` | each word of the name |
//! | `=sensei…lamister` | the case key, with U+0080 for each space |
//! | `+` or `-` | the living or the dead |
//! | `!` | kings |
//! | `@3` | the place, `@0` for no place |
//!
//! Words consist of letters, digits and symbols that are not in ASCII, so no word equals another
//! term. FTS5 returns the records that have several terms in order of id, and seeks to any id. So a
//! page of any combination of filters reads its own records only.

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
