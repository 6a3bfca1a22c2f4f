//! The ids that connect the log lines of a request in the three workers: the request id, which a
//! client can quote, and the W3C trace context (`traceparent`).

use domain::Param;

/// The id of a request: chosen by the client, or the trace id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the client's header, or the trace id. An invalid header is ignored, because it
    /// does not affect the response.
    #[must_use]
    pub fn from_header(header: Option<&str>, trace: &Traceparent) -> Self {
        let chosen = header.and_then(Self::parse);
        chosen.unwrap_or_else(|| Self(trace.trace_id().to_owned()))
    }
}

impl Param for RequestId {
    const EXPECTED: &'static str = "1 to 64 characters of A-Z, a-z, 0-9, `.`, `_` and `-`";

    fn parse(text: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(is_plain);
        fits.then(|| Self(text.to_owned()))
    }
}

/// `traceparent`, version 00: the trace id, the span id of the caller, and whether the trace is
/// sampled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traceparent(String);

/// The positions of the ids in the header.
const TRACE: std::ops::Range<usize> = 3..35;
const SPAN: std::ops::Range<usize> = 36..52;
const LENGTH: usize = 55;

impl Traceparent {
    /// A new trace from random bits.
    #[must_use]
    pub fn from_random(random: [u64; 3]) -> Self {
        let [high, low, span] = random;
        // An id of zeros is invalid.
        Self(format!(
            "00-{high:016x}{:016x}-{:016x}-01",
            low.max(1),
            span.max(1)
        ))
    }

    /// The same trace with the span of another caller.
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

    /// The trace id: 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> &str {
        self.0.get(TRACE).unwrap_or_default()
    }

    /// The span id of the caller: 16 hexadecimal digits.
    #[must_use]
    pub fn span_id(&self) -> &str {
        self.0.get(SPAN).unwrap_or_default()
    }

    /// A number from 0 to 99, the same in every service of the trace. So they all sample the same
    /// traces.
    #[must_use]
    pub fn sampling_bucket(&self) -> u32 {
        let digits = self.trace_id().get(24..).unwrap_or_default();
        u32::from_str_radix(digits, 16).unwrap_or_default() % 100
    }
}

impl Param for Traceparent {
    const EXPECTED: &'static str = "a traceparent of the W3C trace context";

    /// Later versions may add parts after the flags, which are ignored.
    fn parse(text: &str) -> Option<Self> {
        let is_hex = |text: &str| {
            text.bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        let mut parts = text.splitn(5, '-');
        let [version, trace, span, flags] = [(); 4].map(|()| parts.next().unwrap_or_default());
        let sizes = [version, trace, span, flags].map(str::len);
        let is_well_formed =
            sizes == [2, 32, 16, 2] && [version, trace, span, flags].into_iter().all(is_hex);
        let is_known = version != "ff" && (version != "00" || text.len() == LENGTH);
        let is_zero = |id: &str| id.bytes().all(|byte| byte == b'0');
        if !is_well_formed || !is_known || is_zero(trace) || is_zero(span) {
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

    const HEADER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_traceparent_is_parsed() {
        let trace = Traceparent::parse(HEADER).unwrap();
        assert_eq!(trace.as_str(), HEADER);
        assert_eq!(trace.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(trace.span_id(), "b7ad6b7169203331");
        assert_eq!(trace.sampling_bucket(), 0x1c80_319c % 100);
    }

    #[test]
    fn unknown_parts_and_flags_of_a_later_version_are_ignored() {
        let trace = Traceparent::parse(HEADER).unwrap();
        for later in [
            HEADER.replacen("00", "cc", 1),
            HEADER.replacen("00", "cc", 1) + "-what-the-future-will-be-like",
            HEADER.replace("-01", "-09"),
        ] {
            assert_eq!(Traceparent::parse(&later), Some(trace.clone()), "{later}");
        }
    }

    #[test]
    fn a_malformed_traceparent_is_rejected() {
        let zeros = |length| "0".repeat(length);
        for rejected in [
            String::new(),
            "00".to_owned(),
            HEADER.to_uppercase(),
            HEADER.replacen("00", "ff", 1),
            HEADER.replace("-01", "-1"),
            HEADER.replace("-01", "-0g"),
            HEADER.replace("b7ad6b7169203331", "b7ad6b716920333"),
            HEADER.replace("b7ad6b7169203331", &zeros(16)),
            HEADER.replace("0af7651916cd43dd8448eb211c80319c", &zeros(32)),
            HEADER.replace("-01", "-01-00"),
            HEADER.replacen("00", "cc", 1) + "0",
            format!(" {HEADER}"),
            HEADER.replace('-', "_"),
        ] {
            assert_eq!(Traceparent::parse(&rejected), None, "{rejected}");
        }
    }

    #[test]
    fn an_invalid_request_id_is_replaced_by_the_trace_id() {
        let trace = Traceparent::parse(HEADER).unwrap();
        let longest = "x".repeat(64);
        for valid in ["a", "req-1_2.3", &longest] {
            assert_eq!(RequestId::from_header(Some(valid), &trace).as_str(), valid);
        }
        let longer = "x".repeat(65);
        for invalid in [
            None,
            Some(""),
            Some("a b"),
            Some("é"),
            Some("a\"b"),
            Some(&*longer),
        ] {
            assert_eq!(
                RequestId::from_header(invalid, &trace).as_str(),
                trace.trace_id()
            );
        }
    }

    proptest! {
        #[test]
        fn a_child_is_valid_and_belongs_to_the_same_trace(random in any::<[u64; 3]>(), next: u64) {
            let parent = Traceparent::from_random(random);
            prop_assert_eq!(Traceparent::parse(parent.as_str()), Some(parent.clone()));
            let child = parent.child(next);
            prop_assert_eq!(Traceparent::parse(child.as_str()), Some(child.clone()));
            prop_assert_eq!(child.trace_id(), parent.trace_id());
            prop_assert!(child.sampling_bucket() < 100);
            prop_assert_eq!(child.sampling_bucket(), parent.sampling_bucket());
        }
    }
}
