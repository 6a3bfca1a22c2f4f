//! Entity tags and preconditions (RFC 9110, 8.8.3 and 13).
//!
//! The tag of a record is its version. It is a strong tag: no two states of a record share a
//! version, not even across a deletion. The tag of a list is weak. It contains the change
//! sequences of the tables that the list is made from, which only increase: if they are the same,
//! so is the list.

use crate::header_list::{self, Backslash};
use crate::{MediaType, Problem};
use domain::{
    Param,
    param::{parse_non_negative_integer, parse_positive_integer},
};

/// The version of the representation of lists. Raise it when the same rows are rendered
/// differently, so that no older tag matches.
const REPRESENTATION: u8 = 1;

/// An entity tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    is_weak: bool,
    opaque: String,
}

impl std::fmt::Display for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let weak = if self.is_weak { "W/" } else { "" };
        write!(f, "{weak}\"{}\"", self.opaque)
    }
}

impl Tag {
    /// The tag of a version of a record.
    #[must_use]
    pub fn from_version(version: i64) -> Self {
        Self {
            is_weak: false,
            opaque: version.to_string(),
        }
    }

    /// The tag of a list.
    #[must_use]
    pub fn from_change_seqs(media_type: MediaType, change_seqs: &[i64]) -> Self {
        let change_seqs: Vec<String> = change_seqs.iter().map(ToString::to_string).collect();
        let opaque = format!("{}{}", list_prefix(media_type), change_seqs.join("."));
        Self {
            is_weak: true,
            opaque,
        }
    }

    /// The change sequences in the tag of a list.
    #[must_use]
    pub fn change_seqs<const N: usize>(&self, media_type: MediaType) -> Option<[i64; N]> {
        let change_seqs = self.opaque.strip_prefix(&list_prefix(media_type))?;
        let change_seqs: Option<Vec<i64>> = change_seqs
            .split('.')
            .map(parse_non_negative_integer)
            .collect();
        change_seqs?.try_into().ok()
    }

    fn parse_element(element: &str) -> Option<Self> {
        let (is_weak, quoted) = match element.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, element),
        };
        let opaque = quoted.strip_prefix('"')?.strip_suffix('"')?;
        let is_opaque = |c: char| !c.is_control() && c != ' ' && c != '"';
        opaque.chars().all(is_opaque).then(|| Self {
            is_weak,
            opaque: opaque.to_owned(),
        })
    }

    /// The version in the tag of a record.
    #[must_use]
    pub fn version(&self) -> Option<i64> {
        if self.is_weak {
            None
        } else {
            parse_positive_integer(&self.opaque)
        }
    }
}

/// The beginning of the tag of each list with a media type.
fn list_prefix(media_type: MediaType) -> String {
    format!("{REPRESENTATION}{}", media_type.letter())
}

impl Param for Tag {
    const EXPECTED: &'static str = "an entity tag";

    fn parse(text: &str) -> Option<Self> {
        match Tags::parse(text)? {
            Tags::These(mut tags) if tags.len() == 1 => tags.pop(),
            _ => None,
        }
    }
}

/// The value of `If-Match` or `If-None-Match`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tags {
    /// `*`: any tag.
    Any,
    /// A list of tags. An empty list matches nothing.
    These(Vec<Tag>),
}

impl Tags {
    /// The maximum number of tags in a header.
    const MAX_TAGS: usize = 100;

    /// The tags of the list: none for `*`.
    pub fn iter(&self) -> impl Iterator<Item = &Tag> {
        match self {
            Self::Any => [].iter(),
            Self::These(tags) => tags.iter(),
        }
    }
}

impl Param for Tags {
    const EXPECTED: &'static str = "* or entity tags like \"3\", separated by commas";

    fn parse(text: &str) -> Option<Self> {
        if header_list::trim(text) == "*" {
            return Some(Self::Any);
        }
        let elements = header_list::elements(text, Backslash::Plain);
        let tags = elements.filter(|element| !element.is_empty());
        let tags = tags.take(Self::MAX_TAGS + 1).map(Tag::parse_element);
        let tags: Vec<Tag> = tags.collect::<Option<_>>()?;
        (tags.len() <= Self::MAX_TAGS).then_some(Self::These(tags))
    }
}

/// The preconditions of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preconditions {
    /// `If-Match`.
    pub if_match: Option<Tags>,
    /// `If-None-Match`.
    pub if_none_match: Option<Tags>,
}

impl Preconditions {
    /// Checks the preconditions of a write against the version of the record, if it exists.
    ///
    /// # Errors
    /// A precondition that is not met. `If-Match` compares strongly, `If-None-Match` weakly.
    pub fn check(&self, version: Option<i64>) -> Result<(), Problem> {
        let is_met = match &self.if_match {
            None => true,
            Some(Tags::Any) => version.is_some(),
            Some(tags) => version.is_some() && tags.iter().any(|tag| tag.version() == version),
        };
        if is_met && !self.not_modified(version) {
            Ok(())
        } else {
            Err(Problem::precondition_failed(version))
        }
    }

    /// Whether `If-None-Match` contains the version. Then the response to a read is 304.
    #[must_use]
    pub fn not_modified(&self, version: Option<i64>) -> bool {
        match (&self.if_none_match, version) {
            (None, _) | (_, None) => false,
            (Some(Tags::Any), Some(_)) => true,
            (Some(tags), Some(version)) => {
                let current = version.to_string();
                tags.iter().any(|tag| tag.opaque == current)
            }
        }
    }

    /// Whether `If-None-Match` contains the tag, compared weakly.
    #[must_use]
    pub fn if_none_match_has(&self, tag: &Tag) -> bool {
        match &self.if_none_match {
            None => false,
            Some(Tags::Any) => true,
            Some(tags) => tags.iter().any(|listed| listed.opaque == tag.opaque),
        }
    }

    /// The newest change sequences in `If-None-Match`, for a list with this media type.
    #[must_use]
    pub fn known_change_seqs<const N: usize>(&self, media_type: MediaType) -> Option<[i64; N]> {
        let tags = self.if_none_match.iter().flat_map(Tags::iter);
        tags.filter_map(|tag| tag.change_seqs(media_type)).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tags(text: &str) -> Vec<String> {
        Tags::parse(text)
            .iter()
            .flat_map(Tags::iter)
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_list_of_tags_is_parsed() {
        assert_eq!(Tags::parse(" * "), Some(Tags::Any));
        assert_eq!(tags(r#""3""#), [r#""3""#]);
        assert_eq!(
            tags(r#"W/"a,b" ,	"", "x""#),
            [r#"W/"a,b""#, r#""""#, r#""x""#]
        );
        assert_eq!(tags(r#""a", "b""#), [r#""a""#, r#""b""#]);
        assert_eq!(tags(r#""a\", "b""#), [r#""a\""#, r#""b""#]);
    }

    #[test]
    fn a_malformed_list_of_tags_is_rejected() {
        for rejected in [
            "3",
            "\"3",
            "*, \"3\"",
            "\"3\" \"4\"",
            "w/\"3\"",
            "*,",
            "\"a b\"",
        ] {
            assert_eq!(Tags::parse(rejected), None, "{rejected}");
        }
    }

    /// RFC 9110, 5.6.1.2: a recipient ignores empty elements.
    #[test]
    fn empty_elements_of_a_list_of_tags_are_ignored() {
        for (list, expected) in [
            (r#", "a",, ,"1","#, vec![r#""a""#, r#""1""#]),
            (r#",,"1""#, vec![r#""1""#]),
            (r#""1","#, vec![r#""1""#]),
            ("", vec![]),
            (" ", vec![]),
            (", ,", vec![]),
        ] {
            assert!(Tags::parse(list).is_some(), "{list}");
            assert_eq!(tags(list), expected, "{list}");
        }
        let many = ",".repeat(2 * Tags::MAX_TAGS);
        assert_eq!(tags(&format!("{many}\"1\"")), [r#""1""#]);
    }

    #[test]
    fn an_empty_list_of_tags_matches_nothing() {
        for empty in ["", " ", ",", ", ,"] {
            assert!(if_match(empty).check(Some(1)).is_err(), "{empty}");
            assert!(if_none_match(empty).check(Some(1)).is_ok(), "{empty}");
            assert!(!if_none_match(empty).not_modified(Some(1)), "{empty}");
        }
    }

    fn if_match(text: &str) -> Preconditions {
        Preconditions {
            if_match: Tags::parse(text),
            ..Preconditions::default()
        }
    }

    fn if_none_match(text: &str) -> Preconditions {
        Preconditions {
            if_none_match: Tags::parse(text),
            ..Preconditions::default()
        }
    }

    #[test]
    fn if_match_compares_strongly_and_if_none_match_weakly() {
        assert!(Preconditions::default().check(None).is_ok());
        for (header, version, is_met) in [
            ("*", Some(1), true),
            ("*", None, false),
            ("\"2\"", Some(2), true),
            ("\"1\", \"2\"", Some(2), true),
            ("\"2\"", Some(3), false),
            ("\"2\"", None, false),
            ("W/\"2\"", Some(2), false),
            ("\"02\"", Some(2), false),
        ] {
            assert_eq!(if_match(header).check(version).is_ok(), is_met, "{header}");
        }
        for (header, version, is_met) in [
            ("*", Some(1), false),
            ("*", None, true),
            ("\"2\"", Some(2), false),
            ("W/\"2\"", Some(2), false),
            ("\"2\"", Some(3), true),
        ] {
            let checked = if_none_match(header).check(version);
            assert_eq!(checked.is_ok(), is_met, "{header}");
        }
    }

    #[test]
    fn a_list_tag_contains_its_change_sequences_and_media_type() {
        let tag = Tag::from_change_seqs(MediaType::Json, &[7, 0]);
        assert_eq!(tag.to_string(), "W/\"1j7.0\"");
        assert_eq!(tag.change_seqs(MediaType::Json), Some([7, 0]));
        assert_eq!(tag.change_seqs::<2>(MediaType::NdJson), None);
        assert_eq!(tag.change_seqs::<1>(MediaType::Json), None);
        let known = if_none_match("W/\"1j7.0\", W/\"1j9.1\", \"x\"");
        assert_eq!(known.known_change_seqs(MediaType::Json), Some([9, 1]));
    }

    #[test]
    fn if_none_match_contains_a_list_tag_whether_weak_or_strong() {
        let tag = Tag::from_change_seqs(MediaType::Json, &[7, 0]);
        for (header, has) in [
            ("*", true),
            ("W/\"1j7.0\"", true),
            ("\"x\", \"1j7.0\"", true),
            ("W/\"1j7.1\"", false),
        ] {
            assert_eq!(
                if_none_match(header).if_none_match_has(&tag),
                has,
                "{header}"
            );
        }
        assert!(!Preconditions::default().if_none_match_has(&tag));
    }

    proptest! {
        #[test]
        fn no_header_makes_the_tag_parser_panic(text in "[\"W/*, a\\PC]{0,20}") {
            let _ = Tags::parse(&text);
        }
    }
}
