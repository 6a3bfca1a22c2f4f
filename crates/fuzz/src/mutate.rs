//! Changes an input at random.

use fastrand::Rng;

/// The length of the longest input in bytes.
const MAX_LENGTH: usize = 4096;

/// The most changes of one input.
const MAX_CHANGES: usize = 6;

/// Text that parsers often get wrong: the ends of number ranges, incomplete escapes, letters that
/// change their length in another case, and the punctuation of every syntax.
const TOKENS: &str = r#"
    0 1 -1 01 9007199254740991 9007199254740992 9223372036854775807 9223372036854775808
    1e999 1.0 1e0 NaN null true false
    " \ \" \u0000 \ud800 \ud83d\ude00 { } [ ] : , {"placeId": "people":[ {"id":
    ; = & % %00 %2 %F0%9F + / // /v1 .. ? #
    * */* W/ W/" ;q= ;q=0.001 q=1.0001 Bearer -00-
    ' '' =1+1 2026-02-29T23:59:60Z +14:00
    é İ ǅ 👑
"#;

/// White space, control characters, a combining character, and invalid UTF-8.
const BYTES: [&[u8]; 13] = [
    b" ",
    b"\t",
    b"\n",
    b"\r",
    b"\r\n",
    b"\0",
    b"\x7f",
    b"\xff",
    b"\xc3",
    b"\xef\xbb\xbf",
    "e\u{301}".as_bytes(),
    "\u{2028}".as_bytes(),
    "\u{a0}".as_bytes(),
];

/// Makes new inputs from those of a corpus.
pub struct Mutator {
    rng: Rng,
    tokens: Vec<&'static [u8]>,
}

impl Mutator {
    /// The same `seed` makes the same inputs.
    pub fn new(seed: u64) -> Self {
        let words = TOKENS.split_whitespace().map(str::as_bytes);
        Self {
            rng: Rng::with_seed(seed),
            tokens: words.chain(BYTES).collect(),
        }
    }

    /// A random element.
    pub fn choose<'a, T>(&mut self, elements: &'a [T]) -> Option<&'a T> {
        self.rng.choice(elements)
    }

    /// A changed input of the corpus.
    pub fn mutate(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut input = self.choose(corpus).cloned().unwrap_or_default();
        for _ in 0..self.rng.usize(1..=MAX_CHANGES) {
            self.change(&mut input, corpus);
        }
        input.truncate(MAX_LENGTH);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let rng = &mut self.rng;
        let start = rng.usize(0..=input.len());
        let end = start + rng.usize(0..=(input.len() - start).min(16));
        match rng.u8(0..9) {
            0 => {
                if let Some(byte) = input.get_mut(start) {
                    *byte ^= 1 << rng.u8(0..8);
                }
            }
            1 => input.insert(start, rng.u8(..)),
            2 => drop(input.drain(start..end)),
            3 => {
                let part = input.get(start..end).unwrap_or_default();
                let copies = part.repeat(rng.usize(1..=8));
                input.splice(start..start, copies);
            }
            4 => {
                let other = rng.choice(corpus).map(Vec::as_slice).unwrap_or_default();
                let from = rng.usize(0..=other.len());
                input.splice(start.., other.iter().skip(from).copied());
            }
            5 => input.truncate(start),
            _ => {
                let token = rng.choice(&self.tokens).copied().unwrap_or_default();
                let end = if rng.bool() { end } else { start };
                input.splice(start..end, token.iter().copied());
            }
        }
    }
}
