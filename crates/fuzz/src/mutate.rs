//! Small changes to an input.

use fastrand::Rng;

/// The longest input, in bytes.
const LONGEST: usize = 4096;

/// The most changes to one input.
const MOST_CHANGES: usize = 6;

/// What parsers trip over: the ends of ranges, half a character, and every mark that some syntax
/// gives a meaning.
const TOKENS: &[&[u8]] = &[
    b"0",
    b"1",
    b"-1",
    b"01",
    b"9007199254740991",
    b"9007199254740992",
    b"9223372036854775807",
    b"9223372036854775808",
    b"1e999",
    b"1.0",
    b"1e0",
    b"NaN",
    b"null",
    b"true",
    b"false",
    b"\"",
    b"\\",
    b"\\\"",
    b"\\u0000",
    b"\\ud800",
    b"\\ud83d\\ude00",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b";",
    b"=",
    b"&",
    b"%",
    b"%00",
    b"%2",
    b"%F0%9F",
    b"+",
    b"*",
    b"*/*",
    b"W/\"",
    b";q=",
    b";q=0.001",
    b"q=1.0001",
    b"W/",
    b"'",
    b"''",
    b"=1+1",
    b"\r\n",
    b"\n",
    b"\r",
    b"\t",
    b" ",
    b"/",
    b"//",
    b"/v1",
    b"..",
    b"?",
    b"#",
    b"\0",
    b"\x7f",
    b"\xff",
    b"\xc3",
    b"\xef\xbb\xbf",
    "é".as_bytes(),
    "e\u{301}".as_bytes(),
    "İ".as_bytes(),
    "ǅ".as_bytes(),
    "\u{2028}".as_bytes(),
    "\u{a0}".as_bytes(),
    "👑".as_bytes(),
    b"{\"placeId\":",
    b"\"people\":[",
    b"{\"id\":",
    b"Bearer ",
    b"-00-",
    b"2026-02-29T23:59:60Z",
    b"+14:00",
];

/// An input made of one of those that are there.
pub fn mutated(rng: &mut Rng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut input = rng.choice(corpus).cloned().unwrap_or_default();
    for _ in 0..rng.usize(1..=MOST_CHANGES) {
        change(rng, &mut input, corpus);
    }
    input.truncate(LONGEST);
    input
}

fn change(rng: &mut Rng, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    let at = rng.usize(0..=input.len());
    let end = at + rng.usize(0..=(input.len() - at).min(16));
    match rng.u8(0..9) {
        0 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << rng.u8(0..8);
            }
        }
        1 => input.insert(at, rng.u8(..)),
        2 => {
            input.drain(at..end);
        }
        3 => {
            let again: Vec<u8> = input.get(at..end).unwrap_or_default().to_vec();
            let often = rng.usize(1..=8);
            input.splice(at..at, again.repeat(often));
        }
        4 => {
            let other = rng.choice(corpus).map(Vec::as_slice).unwrap_or_default();
            let from = rng.usize(0..=other.len());
            input.splice(at.., other.iter().skip(from).copied());
        }
        5 => input.truncate(at),
        _ => {
            let token = rng.choice(TOKENS).copied().unwrap_or_default();
            let end = if rng.bool() { end } else { at };
            input.splice(at..end, token.iter().copied());
        }
    }
}
