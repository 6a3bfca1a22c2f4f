//! The rules of records that depend on stored data.

use std::collections::HashMap;

use domain::Param;
use http_semantics::etag::Tags;
use http_semantics::problem::Kind;
use http_semantics::{Preconditions, Validator};

use super::*;

/// The stored record 1 at version 7, which belongs to place 3.
fn stored() -> StoredRecords<Resident> {
    let record = Resident {
        name: Name::from_stored("old"),
        place: PlaceId::new(3),
    };
    let version = Validator::parse("7.1f09ab34").unwrap();
    HashMap::from([(1, StoredRecord { version, record })])
}

/// The place with the name X.
fn places() -> PlaceIds {
    HashMap::from([("x".to_owned(), 3)])
}

/// The only record of a file after it was completed, or the kind of the problem.
fn resolved(line: &str, is_patch: bool) -> Result<ParsedRecord<Resident>, Kind> {
    let batch = batch(FileFormat::NdJson, line, "", is_patch);
    let mut batch = batch.resolve(&stored(), &places(), Normalize::NONE);
    match batch.refused.pop() {
        Some(refusal) => Err(refusal.problem.kind()),
        None => Ok(batch.parsed.remove(0)),
    }
}

#[test]
fn a_patch_keeps_the_other_fields_of_the_stored_record() {
    for (line, name, place) in [
        (r#"{"id":1,"name":"new"}"#, "new", Some(3)),
        (r#"{"id":1,"placeId":4}"#, "old", Some(4)),
        (r#"{"id":1,"place":null}"#, "old", None),
    ] {
        let ParsedRecord {
            id,
            record,
            version,
            ..
        } = resolved(line, true).unwrap();
        assert_eq!((id, version), (Some(1), Some(7)));
        assert_eq!(record.name.as_str(), name);
        assert_eq!(record.place.map(PlaceId::get), place);
    }
    assert_eq!(
        resolved(r#"{"id":2,"name":"b"}"#, true),
        Err(Kind::NotFound)
    );
}

#[test]
fn a_record_that_is_no_patch_keeps_nothing_of_the_stored_one() {
    let replaced = resolved(r#"{"id":1,"name":"new","place":"X"}"#, false).unwrap();
    assert_eq!((replaced.id, replaced.version), (Some(1), None));
    assert!(resolved(r#"{"id":2,"name":"new","place":"X"}"#, false).is_ok());
    let without_name = resolved(r#"{"id":1,"place":"X"}"#, false);
    assert_eq!(without_name, Err(Kind::InvalidRecord));
}

#[test]
fn the_name_of_a_place_stands_for_its_id() {
    for (place, expected) in [
        (r#""place":"X""#, Ok(3)),
        (r#""place":"x","placeId":3"#, Ok(3)),
        (r#""place":"x","placeId":null"#, Ok(3)),
        (r#""place":"X","placeId":4"#, Err(Kind::InvalidRecord)),
        (r#""place":"X","placeId":"3""#, Err(Kind::InvalidRecord)),
        (r#""place":"Y","placeId":"3""#, Err(Kind::InvalidRecord)),
        (r#""place":"Y""#, Err(Kind::NoSuchPlace)),
    ] {
        let found = resolved(&format!("{{\"name\":\"a\",{place}}}"), false);
        let found = found.map(|parsed| parsed.record.place.map_or(0, PlaceId::get));
        assert_eq!(found, expected, "{place}");
    }
}

#[test]
fn a_removal_has_the_version_of_its_record_and_meets_its_preconditions() {
    let if_match = |tag| Preconditions {
        if_match: Tags::parse(tag),
        ..Preconditions::default()
    };
    let mut batch = Batch::<Resident>::at_lines(1, 1);
    batch.removals = vec![
        removal(1),
        removal(2),
        Removal {
            preconditions: if_match("\"6.1f09ab34\""),
            ..removal(1)
        },
    ];
    let resolved = batch.resolve(&stored(), &places(), Normalize::NONE);
    let expected = Removal {
        version: 7,
        ..removal(1)
    };
    assert_eq!(resolved.removals, [expected]);
    let kinds: Vec<_> = resolved
        .refused
        .iter()
        .map(|one| one.problem.kind())
        .collect();
    assert_eq!(kinds, [Kind::NotFound, Kind::PreconditionFailed]);
}

#[test]
fn a_resolved_batch_keeps_its_fingerprint_and_its_rejected_lines() {
    let mut batch = batch(FileFormat::NdJson, "{\"id\":1}", "", true);
    batch.refused.push(refusal(7));
    let resolved = batch.resolve(&stored(), &places(), Normalize::NONE);
    assert_eq!(resolved.fingerprint, batch.fingerprint);
    assert_eq!(resolved.refused, batch.refused);
}

#[test]
fn only_a_batch_with_patches_names_of_places_or_removals_needs_stored_data() {
    for (line, is_patch, ids, names) in [
        (r#"{"id":1,"name":"a"}"#, false, vec![], vec![]),
        (r#"{"id":1,"name":"a"}"#, true, vec![1], vec![]),
        (r#"{"id":1,"place":"X"}"#, true, vec![1], vec!["X"]),
        (
            r#"{"id":1,"name":"a","place":"X"}"#,
            false,
            vec![],
            vec!["X"],
        ),
    ] {
        let batch = batch(FileFormat::NdJson, line, "", is_patch);
        let found = batch.place_names(&HashSet::new()).into_iter();
        let found: Vec<_> = found.map(|place| place.name.as_str()).collect();
        assert_eq!((batch.stored_ids(), found), (ids, names), "{line}");
        assert_eq!(batch.is_resolved(), batch.unresolved.is_empty());
    }
    let mut removals = Batch::<Resident>::at_lines(1, 1);
    assert!(removals.is_resolved());
    removals.removals.push(removal(5));
    assert!(!removals.is_resolved());
    assert_eq!(removals.stored_ids(), [5]);
}

#[test]
fn equal_names_of_places_are_listed_once_without_those_of_excepted_lines() {
    let line = |place| format!("{{\"name\":\"a\",\"place\":\"{place}\"}}\n");
    let body = ["X", "Y", "x", "Z"].map(line).concat();
    let batch = batch(FileFormat::NdJson, &body, "", false);
    let keys = |except: &[usize]| {
        let except = except.iter().map(|line| position(*line)).collect();
        let names = batch.place_names(&except).into_iter();
        names.map(|place| place.key.clone()).collect::<Vec<_>>()
    };
    assert_eq!(keys(&[]), ["x", "y", "z"]);
    assert_eq!(keys(&[1, 4]), ["x", "y"]);
    assert_eq!(keys(&[1, 2, 3, 4]), Vec::<String>::new());
}
