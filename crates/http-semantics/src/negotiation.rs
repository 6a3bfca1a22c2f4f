//! Content negotiation by `Accept` (RFC 9110, 12.5.1).
//!
//! Each media type gets the weight of the most specific range that matches it. The media type with
//! the highest weight is chosen. Among equal weights, the one with the more specific match wins,
//! and then the one that is offered first. Malformed ranges are ignored. A header without a valid
//! range counts as absent.

use crate::header_list::{self, Backslash, is_token, unquote};

/// A representation of a response, which a client chooses by its media type.
pub trait Negotiable: Copy {
    /// The type and subtype, without parameters.
    fn essence(self) -> &'static str;

    /// The parameters of the media type.
    fn parameters(self) -> &'static [(&'static str, &'static str)] {
        &[]
    }
}

/// The representation that an `Accept` header prefers. Without a header it is the first one
/// offered. It is none if the header accepts none of them.
#[must_use]
pub fn choose<R: Negotiable>(accept: Option<&str>, offered: &[R]) -> Option<R> {
    let elements = header_list::elements(accept.unwrap_or_default(), Backslash::Escape);
    let ranges: Vec<Range> = elements.filter_map(Range::parse).collect();
    if ranges.is_empty() {
        return offered.first().copied();
    }
    let mut best = None;
    for representation in offered {
        let matching = ranges
            .iter()
            .filter_map(|range| Some((range.specificity(*representation)?, range.weight)));
        let Some((specificity, weight)) = matching.max() else {
            continue;
        };
        let rank = (weight, specificity);
        if weight > 0 && best.is_none_or(|(best_rank, _)| rank > best_rank) {
            best = Some((rank, *representation));
        }
    }
    best.map(|(_, representation)| representation)
}

/// A media range with its weight.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    /// In thousandths. 0 means not acceptable.
    weight: u16,
}

impl<'a> Range<'a> {
    fn parse(element: &'a str) -> Option<Self> {
        let mut parts = header_list::parameters(element);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let is_range = is_token(kind) && is_token(subtype) && (kind != "*" || subtype == "*");
        let mut range = Self {
            kind,
            subtype,
            parameters: Vec::new(),
            weight: 1000,
        };
        for part in parts.filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=')?;
            if name.eq_ignore_ascii_case("q") {
                // Parameters after the weight are extensions, which RFC 9110 has abolished.
                range.weight = weight(value)?;
                break;
            }
            range.parameters.push((name, unquote(value)?));
        }
        let is_named = |(name, _): &(&str, &str)| is_token(name);
        (is_range && range.parameters.iter().all(is_named)).then_some(range)
    }

    /// The specificity of the range, if the representation matches it. Parameters that the media
    /// type does not have are ignored.
    fn specificity(&self, representation: impl Negotiable) -> Option<u8> {
        let (kind, subtype) = representation.essence().split_once('/')?;
        if self.kind == "*" {
            return Some(0);
        }
        let has_kind = self.kind.eq_ignore_ascii_case(kind);
        if self.subtype == "*" {
            return has_kind.then_some(1);
        }
        let differs = |(name, value): &(&str, &str)| {
            self.parameters.iter().any(|(range_name, range_value)| {
                range_name.eq_ignore_ascii_case(name) && !range_value.eq_ignore_ascii_case(value)
            })
        };
        let matches = has_kind
            && self.subtype.eq_ignore_ascii_case(subtype)
            && !representation.parameters().iter().any(differs);
        matches.then_some(if self.parameters.is_empty() { 2 } else { 3 })
    }
}

/// A weight from 0 to 1 with at most three decimals, in thousandths.
fn weight(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let is_weight = matches!(whole, "0" | "1") && decimals.len() <= 3;
    let is_number = decimals.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths: u16 = format!("{whole}{decimals:0<3}").parse().ok()?;
    (is_weight && is_number && thousandths <= 1000).then_some(thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MediaType;
    use crate::export_format::EXPORT_MEDIA_TYPES;
    use crate::media::{LIST_MEDIA_TYPES, TABLE_MEDIA_TYPES};
    use MediaType::{Csv, Json, NdJson};
    use proptest::prelude::*;

    #[test]
    fn the_media_type_with_the_highest_weight_is_chosen() {
        for (accept, format) in [
            ("application/json", Some(Json)),
            ("application/x-ndjson", Some(NdJson)),
            ("text/csv", Some(Csv)),
            ("TEXT/Csv", Some(Csv)),
            ("application/json;q=0.5, text/csv;q=0.6", Some(Csv)),
            ("application/json;q=0.5,application/x-ndjson", Some(NdJson)),
            ("text/csv;q=0.001, application/json;q=0", Some(Csv)),
            ("text/csv ; Q=0.3 ,\tapplication/json; q=0.200", Some(Csv)),
            ("text/html, text/csv;q=0.1", Some(Csv)),
            // Wildcards.
            ("*/*", Some(Json)),
            ("application/*", Some(Json)),
            ("text/*", Some(Csv)),
            ("text/html,application/xml;q=0.9,*/*;q=0.8", Some(Json)),
            // The most specific range counts, wherever it is in the list.
            ("*/*, application/json;q=0.1, text/*;q=0.2", Some(NdJson)),
            ("application/json;q=0, */*", Some(NdJson)),
            ("*/*;q=0, text/csv", Some(Csv)),
            ("application/*;q=0, */*", Some(Csv)),
            // Equal weights: the more specific match, then the first one offered.
            ("text/csv, */*", Some(Csv)),
            ("*/*, application/x-ndjson", Some(NdJson)),
            ("text/csv, application/json", Some(Json)),
            ("text/csv;q=0.5, */*;q=0.9", Some(Json)),
            // Nothing acceptable.
            ("text/html", None),
            ("application/xml, image/*", None),
            ("application/json;q=0", None),
            ("text/csv;q=0.0, application/json;q=0.000", None),
            ("*/*;q=0", None),
        ] {
            assert_eq!(choose(Some(accept), TABLE_MEDIA_TYPES), format, "{accept}");
        }
        assert_eq!(choose(None, TABLE_MEDIA_TYPES), Some(Json));
        assert_eq!(choose(Some("text/csv"), LIST_MEDIA_TYPES), None);
        assert_eq!(
            choose(Some("text/*, */*;q=0.1"), LIST_MEDIA_TYPES),
            Some(Json)
        );
        assert_eq!(choose(Some("*/*"), EXPORT_MEDIA_TYPES), Some(Csv));
        assert_eq!(
            choose(Some("application/*"), EXPORT_MEDIA_TYPES),
            Some(NdJson)
        );
        assert_eq!(choose(Some("application/json"), EXPORT_MEDIA_TYPES), None);
    }

    #[test]
    fn a_parameter_of_a_range_counts_if_the_media_type_has_it() {
        for (accept, format) in [
            ("text/csv;header=present", Some(Csv)),
            ("text/csv; charset=\"UTF-8\"; header=present", Some(Csv)),
            ("text/csv;header=absent", None),
            ("text/csv;charset=iso-8859-1", None),
            ("application/json;charset=utf-8", Some(Json)),
            (
                "application/json;indent=4;q=0.4, text/csv;q=0.3",
                Some(Json),
            ),
            (
                "text/csv, text/csv;header=present;q=0.1, */*;q=0.2",
                Some(Json),
            ),
            ("text/csv;x=\"a,b;q=0\"", Some(Csv)),
            (
                "text/csv;x=\"\\\",\";q=0.4, application/json;q=0.3",
                Some(Csv),
            ),
            ("text/csv;q=0.5;ext=1, application/json;q=0.4", Some(Csv)),
        ] {
            assert_eq!(choose(Some(accept), TABLE_MEDIA_TYPES), format, "{accept}");
        }
    }

    #[test]
    fn a_malformed_range_is_ignored() {
        for malformed in [
            "",
            " ",
            ",,",
            "nonsense",
            "csv",
            "/",
            "text/",
            "/csv",
            "*/csv",
            "text/csv/x",
            "text /csv",
            "text/csv;q",
            "text/csv;q=",
            "text/csv;q=2",
            "text/csv;q=1.001",
            "text/csv;q=.5",
            "text/csv;q=0.1234",
            "text/csv;q=-1",
            "text/csv;q=+1",
            "text/csv;q=1e0",
            "text/csv;a=",
            "text/csv;a=\"",
            "text/csv;=b",
            "tëxt/csv",
        ] {
            let chosen = |accept: &str| choose(Some(accept), TABLE_MEDIA_TYPES);
            assert_eq!(chosen(malformed), Some(Json), "{malformed}");
            let list = format!("{malformed}, application/x-ndjson;q=0.1");
            // An open quote contains the rest of the header.
            let expected = if malformed.contains('"') {
                Json
            } else {
                NdJson
            };
            assert_eq!(chosen(&list), Some(expected), "{list}");
        }
    }

    #[test]
    fn a_weight_is_parsed_to_thousandths() {
        for (text, thousandths) in [
            ("0", 0),
            ("1", 1000),
            ("0.", 0),
            ("0.5", 500),
            ("1.000", 1000),
        ] {
            assert_eq!(weight(text), Some(thousandths), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_first_media_type_of_the_highest_weight_is_chosen(
            weights in prop::array::uniform3(0..1001u16),
        ) {
            let offered = || TABLE_MEDIA_TYPES.iter().zip(&weights);
            let member = |(media_type, weight): (&MediaType, &u16)| {
                format!("{};q={}.{:03}", media_type.essence(), weight / 1000, weight % 1000)
            };
            let header: Vec<String> = offered().map(member).collect();
            let greatest = weights.iter().max().copied().unwrap_or_default();
            let first = offered().find(|(_, weight)| **weight == greatest);
            let expected = first.filter(|_| greatest > 0).map(|(media_type, _)| *media_type);
            prop_assert_eq!(choose(Some(&header.join(", ")), TABLE_MEDIA_TYPES), expected);
        }
    }
}
