//! Entity tags and preconditions (RFC 9110, 8.8.3 and 13).
//!
//! The tag of a record contains its version and the epoch of its database ([`Validator`]). It is a
//! strong tag: no two states of a record share it, not even after a deletion or a restore. The tag
//! of a list is weak. It contains the change sequences of the tables that the list is made from,
//! with their epochs. If these are the same, the list is the same.
//!
//! `If-Match` also accepts a weak tag of a record. This deviates from RFC 9110, 13.1.1, because
//! Cloudflare turns a strong tag into a weak one when it compresses a response. It is safe, because
//! the tag identifies one state of the record, however its representation is encoded.

use crate::header_list::{self, Backslash};
use crate::{MediaType, Problem, Validator};
use domain::Param;

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
    pub fn from_version(version: Validator) -> Self {
        Self {
            is_weak: false,
            opaque: version.to_string(),
        }
    }

    /// The tag of a list.
    #[must_use]
    pub fn from_change_seqs(media_type: MediaType, change_seqs: &[Validator]) -> Self {
        let change_seqs: Vec<String> = change_seqs.iter().map(ToString::to_string).collect();
        let opaque = format!("{}{}", list_prefix(media_type), change_seqs.join("-"));
        Self {
            is_weak: true,
            opaque,
        }
    }

    /// The change sequences in the tag of a list.
    #[must_use]
    pub fn change_seqs<const N: usize>(&self, media_type: MediaType) -> Option<[Validator; N]> {
        let change_seqs = self.opaque.strip_prefix(&list_prefix(media_type))?;
        let change_seqs: Option<Vec<Validator>> =
            change_seqs.split('-').map(Validator::parse).collect();
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

    /// The version in the tag of a record, whether the tag is strong or weakened on the way.
    #[must_use]
    pub fn version(&self) -> Option<Validator> {
        Validator::parse(&self.opaque).filter(|version| version.number > 0)
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

    /// Whether the tag matches, compared weakly.
    #[must_use]
    pub fn has(&self, tag: &Tag) -> bool {
        *self == Self::Any || self.iter().any(|listed| listed.opaque == tag.opaque)
    }
}

impl Param for Tags {
    const EXPECTED: &'static str = "* or entity tags like \"3.1f09ab34\", separated by commas";

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
    /// A precondition that is not met. Both headers compare weakly (see the module).
    pub fn check(&self, version: Option<Validator>) -> Result<(), Problem> {
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

    /// The versions that `If-Match` allows. None: any version.
    #[must_use]
    pub fn matched_versions(&self) -> Option<Vec<Validator>> {
        match &self.if_match {
            None | Some(Tags::Any) => None,
            Some(tags) => Some(tags.iter().filter_map(Tag::version).collect()),
        }
    }

    /// Whether `If-None-Match` contains the version. Then the response to a read is 304.
    #[must_use]
    pub fn not_modified(&self, version: Option<Validator>) -> bool {
        match (&self.if_none_match, version) {
            (None, _) | (_, None) => false,
            (Some(Tags::Any), Some(_)) => true,
            (Some(tags), version) => tags.iter().any(|tag| tag.version() == version),
        }
    }

    /// Whether `If-None-Match` contains the tag, compared weakly.
    #[must_use]
    pub fn if_none_match_has(&self, tag: &Tag) -> bool {
        let known = self.if_none_match.as_ref();
        known.is_some_and(|known| known.has(tag))
    }

    /// The newest change sequences in `If-None-Match`, for a list with this media type. Of tags from
    /// several histories, none is newer than the others.
    #[must_use]
    pub fn known_change_seqs<const N: usize>(
        &self,
        media_type: MediaType,
    ) -> Option<[Validator; N]> {
        let tags = self.if_none_match.iter().flat_map(Tags::iter);
        let known = tags.filter_map(|tag| tag.change_seqs(media_type));
        known.max_by_key(|change_seqs| change_seqs.map(|change_seq| change_seq.number))
    }
}

#[cfg(test)]
mod tests;
