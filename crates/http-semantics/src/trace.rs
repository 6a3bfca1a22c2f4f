//! What a request is called, so that the lines of three logs can be put together: the request id
//! that a user can quote, and the W3C's trace context (`traceparent`).

use domain::Param;

/// The name of a request: the client's own, or its trace id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The client's own, if it can be used: what cannot is passed over, because a request is
    /// not worse for it.
    #[must_use]
    pub fn from_header(given: Option<&str>, trace: &Traceparent) -> Self {
        let given = given.and_then(Self::parse);
        given.unwrap_or_else(|| Self(trace.trace_id().to_owned()))
    }
}

impl Param for RequestId {
    const EXPECTED: &'static str = "1 to 64 of A-Z, a-z, 0-9, `.`, `_` and `-`";

    fn parse(text: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(is_plain);
        fits.then(|| Self(text.to_owned()))
    }
}

/// `traceparent`, version 00: the trace, who calls in it, and whether it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traceparent(String);

/// Where the parts of the header begin and end.
const TRACE: std::ops::Range<usize> = 3..35;
const SPAN: std::ops::Range<usize> = 36..52;
const LENGTH: usize = 55;

impl Traceparent {
    /// A trace of our own, from random bits.
    #[must_use]
    pub fn from_random(random: [u64; 3]) -> Self {
        let [high, low, span] = random;
        // No id is all zeros.
        Self(format!(
            "00-{high:016x}{:016x}-{:016x}-01",
            low.max(1),
            span.max(1)
        ))
    }

    /// The same trace with another caller in it.
    #[must_use]
    pub fn child(&self, random: u64) -> Self {
        let flags = self.0.get(SPAN.end..).unwrap_or_default();
        Self(format!(
            "00-{}-{:016x}{flags}",
            self.trace_id(),
            random.max(1)
        ))
    }

    /// The header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the trace: 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> &str {
        self.0.get(TRACE).unwrap_or_default()
    }

    /// The id of the caller: 16 hexadecimal digits.
    #[must_use]
    pub fn span_id(&self) -> &str {
        self.0.get(SPAN).unwrap_or_default()
    }

    /// A number from 0 to 99, the same in every service that the trace passes through.
    #[must_use]
    pub fn sampling_bucket(&self) -> u32 {
        let digits = self.trace_id().get(24..).unwrap_or_default();
        u32::from_str_radix(digits, 16).unwrap_or_default() % 100
    }
}

impl Param for Traceparent {
    const EXPECTED: &'static str = "a traceparent of the W3C's trace context";

    /// A later version may have more behind the flags, which are then passed over.
    fn parse(text: &str) -> Option<Self> {
        let is_hex = |text: &str| {
            text.bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        let mut parts = text.splitn(5, '-');
        let [version, trace, span, flags] = [(); 4].map(|()| parts.next().unwrap_or_default());
        let sizes = [version, trace, span, flags].map(str::len);
        let is_formed =
            sizes == [2, 32, 16, 2] && [version, trace, span, flags].into_iter().all(is_hex);
        let is_known = version != "ff" && (version != "00" || text.len() == LENGTH);
        let is_zero = |id: &str| id.bytes().all(|byte| byte == b'0');
        if !is_formed || !is_known || is_zero(trace) || is_zero(span) {
            return None;
        }
        let sampled = u8::from_str_radix(flags, 16).ok()? & 1;
        Some(Self(format!("00-{trace}-{span}-{sampled:02x}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GIVEN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_traceparent_is_read_as_the_w3c_says() {
        let given = Traceparent::parse(GIVEN).unwrap();
        assert_eq!(given.as_str(), GIVEN);
        assert_eq!(given.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(given.span_id(), "b7ad6b7169203331");
        // Of a later version the known part is taken, of the flags the one that is known.
        for later in [
            GIVEN.replacen("00", "cc", 1),
            GIVEN.replacen("00", "cc", 1) + "-what-the-future-will-be-like",
            GIVEN.replace("-01", "-09"),
        ] {
            assert_eq!(Traceparent::parse(&later), Some(given.clone()), "{later}");
        }
    }

    #[test]
    fn what_is_no_traceparent_is_refused() {
        let zeros = |length| "0".repeat(length);
        for refused in [
            String::new(),
            "00".to_owned(),
            GIVEN.to_uppercase(),
            GIVEN.replacen("00", "ff", 1),
            GIVEN.replace("-01", "-1"),
            GIVEN.replace("-01", "-0g"),
            GIVEN.replace("b7ad6b7169203331", "b7ad6b716920333"),
            GIVEN.replace("b7ad6b7169203331", &zeros(16)),
            GIVEN.replace("0af7651916cd43dd8448eb211c80319c", &zeros(32)),
            GIVEN.replace("-01", "-01-00"),
            GIVEN.replacen("00", "cc", 1) + "0",
            format!(" {GIVEN}"),
            GIVEN.replace('-', "_"),
        ] {
            assert_eq!(Traceparent::parse(&refused), None, "{refused}");
        }
    }

    #[test]
    fn a_request_id_is_plain_and_short_or_that_of_the_trace() {
        let trace = Traceparent::parse(GIVEN).unwrap();
        let longest = "x".repeat(64);
        for taken in ["a", "req-1_2.3", &longest] {
            assert_eq!(RequestId::from_header(Some(taken), &trace).as_str(), taken);
        }
        let longer = "x".repeat(65);
        for other in [
            None,
            Some(""),
            Some("a b"),
            Some("é"),
            Some("a\"b"),
            Some(&*longer),
        ] {
            assert_eq!(
                RequestId::from_header(other, &trace).as_str(),
                trace.trace_id()
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_begun_and_handed_on_can_be_read(random in any::<[u64; 3]>(), next: u64) {
            let begun = Traceparent::from_random(random);
            prop_assert_eq!(Traceparent::parse(begun.as_str()), Some(begun.clone()));
            let child = begun.child(next);
            prop_assert_eq!(Traceparent::parse(child.as_str()), Some(child.clone()));
            prop_assert_eq!(child.trace_id(), begun.trace_id());
            prop_assert!(child.sampling_bucket() < 100);
            prop_assert_eq!(child.sampling_bucket(), begun.sampling_bucket());
        }

        #[test]
        fn no_header_makes_it_panic(text in "\\PC{0,70}", digits in "[0-9a-f-]{50,60}") {
            for text in [text, digits] {
                let read = Traceparent::parse(&text);
                prop_assert!(read.is_none_or(|read| read.as_str().len() == LENGTH));
                let _ = RequestId::parse(&text);
            }
        }
    }
}
