//! The records of both services, read by the members that they promise to begin with. A parser
//! of any JSON would be a third of the worker.

use super::{King, Place, Population};
use crate::domain::Malformed;
use crate::domain::merge::{is_text, is_whole, leading_id};

/// An array of places.
///
/// # Errors
/// What is none.
pub fn places(body: &[u8]) -> Result<Vec<Place>, Malformed> {
    records(body, |record| {
        let (id, name) = named(record)?;
        Some(Place { id, name })
    })
    .ok_or(Malformed::Places)
}

/// An array of populations.
///
/// # Errors
/// What is none.
pub fn people(body: &[u8]) -> Result<Vec<Population>, Malformed> {
    records(body, |record| {
        let (place_id, rest) = leading_id(record, br#"{"placeId":"#)?;
        let (_, rest) = leading_id(rest, br#","total":"#)?;
        let (living, rest) = leading_id(rest, br#","living":"#)?;
        let (dead, rest) = leading_id(rest, br#","dead":"#)?;
        let king = match rest.strip_prefix(br#","king":"#)?.strip_suffix(b"}")? {
            b"null" => None,
            king => {
                let (id, name) = named(king)?;
                Some(King { id, name })
            }
        };
        Some(Population {
            place_id,
            living,
            dead,
            king,
        })
    })
    .ok_or(Malformed::Groups)
}

/// `{"id":3,"name":"…"}`: the id, and the name as it is written.
fn named(record: &[u8]) -> Option<(i64, String)> {
    let (id, rest) = leading_id(record, br#"{"id":"#)?;
    let name = rest.strip_prefix(br#","name":"#)?.strip_suffix(b"}")?;
    let is_text = matches!(name, [b'"', .., b'"']);
    let name = std::str::from_utf8(name).ok().filter(|_| is_text)?;
    Some((id, name.to_owned()))
}

/// The records of an array, one a line.
fn records<T>(body: &[u8], read: fn(&[u8]) -> Option<T>) -> Option<Vec<T>> {
    let lines = body.strip_prefix(b"[")?.strip_suffix(b"]")?;
    let lines = lines.split(|byte| *byte == b'\n');
    if !is_whole(body) || !lines.clone().all(is_text) {
        return None;
    }
    lines
        .filter(|line| !line.is_empty())
        .map(|line| read(line.strip_suffix(b",").unwrap_or(line)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_they_are_written() {
        let body = "[{\"id\":1,\"name\":\"a\\\"},\"},\n{\"id\":9,\"name\":\"\"}]";
        let place = |id, name: &str| Place {
            id,
            name: name.to_owned(),
        };
        let both = vec![place(1, r#""a\"},""#), place(9, r#""""#)];
        assert_eq!(places(body.as_bytes()), Ok(both));
        let body = r#"[{"placeId":3,"total":3,"living":2,"dead":1,"king":{"id":7,"name":"K}"}}]"#;
        let found = people(body.as_bytes()).unwrap();
        let king = King {
            id: 7,
            name: r#""K}""#.to_owned(),
        };
        let expected = Population {
            place_id: 3,
            living: 2,
            dead: 1,
            king: Some(king),
        };
        assert_eq!(found, [expected]);
        assert_eq!((places(b"[]"), people(b"[]")), (Ok(vec![]), Ok(vec![])));
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for body in [
            "",
            "[",
            "oops",
            "{}",
            "[{}]",
            "[{\"id\":1}]",
            "[{\"id\":1,\"name\":2}]",
            "[{\"id\":1,\"name\":\"a\\\"}]",
            "[{\"id\":1,\"name\":\"a\0\"}]",
        ] {
            assert_eq!(places(body.as_bytes()), Err(Malformed::Places), "{body}");
            assert_eq!(people(body.as_bytes()), Err(Malformed::Groups), "{body}");
        }
        let body = br#"[{"placeId":3,"total":3,"living":2,"dead":1}]"#;
        assert_eq!(people(body), Err(Malformed::Groups));
    }
}
