//! Completes the records that depend on stored data: patches, names of places, and removals. Each
//! attempt to write a batch reads this data, and completes the records again.

use std::collections::{HashMap, HashSet};

use domain::name::{Name, Normalize};
use http_semantics::fields::Fields;
use http_semantics::json::Object;
use http_semantics::problem::FieldError;
use http_semantics::{Preconditions, Problem, Validator};

use super::batch::{Batch, ParsedRecord};
use super::position::RecordPosition;
use super::report::Refusal;
use crate::record::Record;

/// The name of a place in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceName {
    /// The name.
    pub name: Name,
    /// Its case key, by which the place is found.
    pub key: String,
}

/// The ids of places by the case keys of their names.
pub type PlaceIds = HashMap<String, i64>;

/// A record whose fields are not complete without stored data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnresolvedRecord {
    /// The position in the file.
    pub position: RecordPosition,
    /// The id, if the file has one.
    pub id: Option<i64>,
    /// The fields without the id and the name of the place.
    pub fields: Object,
    /// The name of the place, if the file has one.
    pub place: Option<PlaceName>,
    /// Whether the fields change the stored record. Otherwise they are the whole record.
    pub is_patch: bool,
    /// The preconditions of an operation.
    pub preconditions: Preconditions,
}

/// The removal of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The position of the operation.
    pub position: RecordPosition,
    /// The id.
    pub id: i64,
    /// The preconditions.
    pub preconditions: Preconditions,
    /// The version of the stored record, once it is known.
    pub version: i64,
}

/// A stored record.
#[derive(Debug, Clone)]
pub struct StoredRecord<T> {
    /// The version.
    pub version: Validator,
    /// The record.
    pub record: T,
}

/// The stored records of a batch, by their ids.
pub type StoredRecords<T> = HashMap<i64, StoredRecord<T>>;

impl<T: Record + Clone> Batch<T> {
    /// Whether all records are complete without stored data.
    #[must_use]
    pub fn is_resolved(&self) -> bool {
        self.unresolved.is_empty() && self.removals.is_empty()
    }

    /// The ids of the records that are patched or removed.
    #[must_use]
    pub fn stored_ids(&self) -> Vec<i64> {
        let patched = self.unresolved.iter().filter(|record| record.is_patch);
        let patched = patched.filter_map(|record| record.id);
        patched
            .chain(self.removals.iter().map(|removal| removal.id))
            .collect()
    }

    /// The names of places, each once. Not those of the records at the positions `except`.
    #[must_use]
    pub fn place_names(&self, except: &HashSet<RecordPosition>) -> Vec<&PlaceName> {
        let records = self.unresolved.iter();
        let records = records.filter(|record| !except.contains(&record.position));
        let mut names: Vec<&PlaceName> =
            records.filter_map(|record| record.place.as_ref()).collect();
        names.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        names.dedup_by(|a, b| a.key == b.key);
        names
    }

    /// The batch with complete records. Those that have no stored record or place are rejected.
    #[must_use]
    pub fn resolve(
        &self,
        stored: &StoredRecords<T>,
        places: &PlaceIds,
        normalize: Normalize,
    ) -> Self {
        let mut resolved = Self {
            refused: self.refused.clone(),
            fingerprint: self.fingerprint.clone(),
            ..Self::at_lines(self.first_line, self.last_line)
        };
        let mut values = HashMap::new();
        let parsed = self.unresolved.iter().map(|record| {
            let parsed = record.resolve(stored, places, self.pointer, normalize);
            (record.position, parsed)
        });
        let complete = self.parsed.iter().cloned();
        let complete = complete.map(|parsed| (parsed.position, Ok(parsed)));
        let mut records: Vec<_> = complete.chain(parsed).collect();
        records.sort_unstable_by_key(|(position, _)| *position);
        for (position, parsed) in records {
            let parsed = parsed.and_then(|parsed| {
                check_unique(&mut values, &parsed.record, position, normalize)
                    .map_err(|errors| invalid_fields(errors, self.pointer))?;
                Ok(parsed)
            });
            match parsed {
                Ok(parsed) => resolved.parsed.push(parsed),
                Err(problem) => resolved.refused.push(Refusal { position, problem }),
            }
        }
        for removal in &self.removals {
            match removal.resolve(stored) {
                Ok(removal) => resolved.removals.push(removal),
                Err(problem) => resolved.refused.push(Refusal {
                    position: removal.position,
                    problem,
                }),
            }
        }
        resolved
    }
}

impl UnresolvedRecord {
    fn resolve<T: Record>(
        &self,
        stored: &StoredRecords<T>,
        places: &PlaceIds,
        pointer: &str,
        normalize: Normalize,
    ) -> Result<ParsedRecord<T>, Problem> {
        let id = self.id.unwrap_or_default();
        let stored = match stored.get(&id) {
            None if self.is_patch => {
                return Err(Problem::not_found(T::table().declaration.singular, id));
            }
            stored => stored.filter(|_| self.is_patch),
        };
        self.preconditions
            .check(stored.map(|stored| stored.version))?;
        let mut fields = self.fields.clone();
        if let Some(place) = &self.place {
            set_place(&mut fields, place, places)?;
        }
        let fields = match stored {
            Some(stored) => stored.record.to_object().merge_patched(fields),
            None => fields,
        };
        let record = T::parse(Fields::new(fields), normalize);
        let record = record.map_err(|errors| invalid_fields(errors, pointer))?;
        Ok(ParsedRecord {
            position: self.position,
            id: self.id,
            record,
            version: stored.map(|stored| stored.version.number),
        })
    }
}

/// The problem of invalid fields, which are at a pointer.
fn invalid_fields(mut errors: Vec<FieldError>, pointer: &str) -> Problem {
    for error in &mut errors {
        error.pointer.insert_str(0, pointer);
    }
    Problem::invalid_record(&errors)
}

/// The field with the id of the place.
pub(super) const PLACE_ID: &str = "placeId";

/// Sets the place of a record by its name. If the record has an id of a place, too, both must be the
/// same place, because nobody knows which one is meant.
fn set_place(fields: &mut Object, place: &PlaceName, places: &PlaceIds) -> Result<(), Problem> {
    let id = places.get(&place.key).copied();
    let given = fields.0.get(PLACE_ID).filter(|given| !given.is_null());
    if given.is_some_and(|given| given.as_i64().is_none() || given.as_i64() != id) {
        return Err(Problem::invalid_record(&[FieldError {
            pointer: "/place".to_owned(),
            detail: "the name of the place in `placeId`, or absent".to_owned(),
        }]));
    }
    let id = id.ok_or_else(|| Problem::no_such_place_name(&place.name))?;
    fields.0.insert(PLACE_ID.to_owned(), id.into());
    Ok(())
}

impl Removal {
    fn resolve<T: Record>(&self, stored: &StoredRecords<T>) -> Result<Self, Problem> {
        let singular = T::table().declaration.singular;
        let stored = stored.get(&self.id);
        let stored = stored.ok_or_else(|| Problem::not_found(singular, self.id))?;
        self.preconditions.check(Some(stored.version))?;
        Ok(Self {
            version: stored.version.number,
            ..self.clone()
        })
    }
}

/// Checks that no other record has the unique value of this one. `values` has those so far.
pub(super) fn check_unique<T: Record>(
    values: &mut HashMap<String, RecordPosition>,
    record: &T,
    position: RecordPosition,
    normalize: Normalize,
) -> Result<(), Vec<FieldError>> {
    let Some(unique) = record.unique_value(normalize) else {
        return Ok(());
    };
    let first = *values.entry(unique.value).or_insert(position);
    if first == position {
        return Ok(());
    }
    Err(vec![FieldError {
        pointer: format!("/{}", unique.field),
        detail: format!("{}: {first} has it", unique.expected),
    }])
}
