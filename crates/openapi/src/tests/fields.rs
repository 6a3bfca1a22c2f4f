//! Compares the schemas of records with the declarations of their tables.

use crate::Json;
use tables::TableSpec;
use tables::schema::{PERSON, PLACE};

/// Asserts that each schema has the fields of the table in their order, except for those of
/// `without`.
fn assert_fields(document: &Json, schemas: &[&str], table: &TableSpec, without: &[&str]) {
    let all = document.get("components").unwrap().get("schemas").unwrap();
    let declared = table.fields.iter().filter(|field| !without.contains(field));
    let declared: Vec<&str> = declared.copied().collect();
    for schema in schemas {
        let properties = all.get(schema).unwrap().get("properties").unwrap();
        let properties: Vec<&str> = properties.members().map(|(name, _)| name).collect();
        assert_eq!(properties, declared, "the fields of {schema}");
    }
}

#[test]
fn every_schema_of_a_record_has_the_declared_fields() {
    let [.., (_, document)] = crate::documents();
    let places = ["Place", "PutPlace", "PlacePatch", "ImportedPlace"];
    assert_fields(&document, &places, &PLACE, &[]);
    assert_fields(&document, &["NewPlace"], &PLACE, &["id"]);
    let people = [
        "Person",
        "PutLivingPerson",
        "PutDeadPerson",
        "PersonPatch",
        "ImportedLivingPerson",
        "ImportedDeadPerson",
    ];
    assert_fields(&document, &people, &PERSON, &[]);
    assert_fields(&document, &["LivingPerson", "DeadPerson"], &PERSON, &["id"]);
    assert_fields(&document, &["Resident"], &PERSON, &["placeId"]);
}
