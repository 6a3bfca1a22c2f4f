//! Parses a batch of operations from the body of a request.

use std::collections::HashMap;

use domain::name::Normalize;
use domain::{Param, PersonId, RecordId};
use http_semantics::etag::Tags;
use http_semantics::fields::{EXPECTED_CHOICE, Fields};
use http_semantics::json::{self, Object};
use http_semantics::problem::FieldError;
use http_semantics::{Preconditions, Problem};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::{Kind, MAX_OPERATIONS, Operation, Operations};
use crate::import::{Batch, ParsedRecord, RecordPosition, Refusal, Removal, UnresolvedRecord};
use crate::record::Record;

/// The member with the record or its changes.
const BODY: &str = "body";

/// The pointer to it within an operation.
const BODY_POINTER: &str = "/body";

/// The member with the precondition.
const IF_MATCH: &str = "ifMatch";

/// The members of an operation.
const MEMBERS: &[&str] = &["op", "id", IF_MATCH, BODY];

/// The maximum number of objects and arrays in a body. An operation has two, and an invalid one a few
/// more.
const MAX_CONTAINERS: usize = 4 * MAX_OPERATIONS;

/// The expected body, to end the sentence "the body is not …".
const EXPECTED: &str =
    "a JSON array of operations, which are objects with each name once, as are their bodies";

/// An operation as JSON: its members without the body, and the body.
#[derive(Debug, Default)]
struct Members {
    others: Object,
    body: Option<Object>,
    /// Whether the body is present. It may be null.
    has_body: bool,
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OperationVisitor;

        impl<'de> Visitor<'de> for OperationVisitor {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an operation")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members, A::Error> {
                let mut members = Members::default();
                while let Some(name) = access.next_key::<String>()? {
                    let is_repeated = if name == BODY {
                        members.body = access.next_value()?;
                        std::mem::replace(&mut members.has_body, true)
                    } else {
                        let value: Value = access.next_value()?;
                        members.others.0.insert(name, value).is_some()
                    };
                    if is_repeated {
                        return Err(A::Error::custom("a repeated name"));
                    }
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(OperationVisitor)
    }
}

impl<T: Record> Operations<T> {
    /// Parses the body of a request. An operation that is invalid by itself is rejected in its batch.
    ///
    /// # Errors
    /// A malformed body, or too many operations.
    pub fn parse(body: &[u8], normalize: Normalize) -> Result<Self, Problem> {
        if json::count_containers(body) > MAX_CONTAINERS {
            // This counts the operations without keeping them.
            let list: Vec<IgnoredAny> = json::parse(body, EXPECTED)?;
            return Err(if list.len() > MAX_OPERATIONS {
                Problem::too_many_operations(MAX_OPERATIONS)
            } else {
                Problem::malformed_body(EXPECTED, 1, 1)
            });
        }
        let list: Vec<Members> = json::parse(body, EXPECTED)?;
        json::check_fractions(body)?;
        if list.len() > MAX_OPERATIONS {
            return Err(Problem::too_many_operations(MAX_OPERATIONS));
        }
        let mut operations = Self {
            list: Vec::with_capacity(list.len()),
            batch: Batch {
                pointer: BODY_POINTER,
                ..Batch::at_lines(1, 1)
            },
        };
        let mut first_with_id = HashMap::new();
        for (index, members) in list.into_iter().enumerate() {
            let position = RecordPosition {
                line: 1,
                index: Some(index),
            };
            if let Err(errors) = operations.add(position, members, &mut first_with_id, normalize) {
                operations.batch.refused.push(Refusal {
                    position,
                    problem: Problem::invalid_record(&errors),
                });
            }
        }
        Ok(operations)
    }

    /// Adds an operation to the list and to the batch.
    fn add(
        &mut self,
        position: RecordPosition,
        members: Members,
        first_with_id: &mut HashMap<i64, RecordPosition>,
        normalize: Normalize,
    ) -> Result<(), Vec<FieldError>> {
        let Members {
            others,
            body,
            has_body,
        } = members;
        let has_if_match = others.0.contains_key(IF_MATCH);
        let mut fields = Fields::new(others);
        let kind = fields.required("op", "create, update or delete", |value| {
            Kind::parse(value.as_str()?)
        });
        let id = if kind == Some(Kind::Create) {
            fields.record_id("id", EXPECTED_CHOICE, RecordId::is_choosable)
        } else {
            if kind.is_some() && !fields.has("id") {
                fields.add_error("id", "the id of a record");
            }
            fields.record_id("id", PersonId::EXPECTED, |_| true)
        };
        self.list.push(Operation { kind, id });
        if let Some(id) = id {
            let first = *first_with_id.entry(id).or_insert(position);
            if first != position {
                fields.add_error("id", &format!("another one: {first} has it"));
            }
        }
        let mut if_match = None;
        if kind == Some(Kind::Create) && has_if_match {
            fields.ignore(IF_MATCH);
            fields.add_error(IF_MATCH, "absent, because a new record has no version");
        } else if has_if_match {
            // Null is not absent: a client whose tag is missing wants a condition all the same.
            if_match = fields.required(IF_MATCH, Tags::EXPECTED, |value| {
                Tags::parse(value.as_str()?)
            });
        }
        match kind {
            Some(Kind::Delete) if has_body => fields.add_error(BODY, "absent in a deletion"),
            Some(Kind::Create | Kind::Update) if body.is_none() => {
                fields.add_error(BODY, "an object");
            }
            _ => {}
        }
        let kind = fields.finish(MEMBERS, kind)?;
        let preconditions = Preconditions {
            if_match,
            if_none_match: None,
        };
        let mut fields = Fields::new(body.unwrap_or_default());
        fields.own_id(id);
        self.add_record(kind, position, id, fields, preconditions, normalize)
    }

    /// Adds the record of an operation to the batch.
    fn add_record(
        &mut self,
        kind: Kind,
        position: RecordPosition,
        id: Option<i64>,
        fields: Fields,
        preconditions: Preconditions,
        normalize: Normalize,
    ) -> Result<(), Vec<FieldError>> {
        let batch = &mut self.batch;
        match kind {
            Kind::Create => batch.parsed.push(ParsedRecord {
                position,
                id,
                record: T::parse(fields, normalize).map_err(in_body)?,
                version: None,
            }),
            Kind::Update => batch.unresolved.push(UnresolvedRecord {
                position,
                id,
                fields: fields.into_rest().map_err(in_body)?,
                place: None,
                is_patch: true,
                preconditions,
            }),
            Kind::Delete => batch.removals.push(Removal {
                position,
                id: id.unwrap_or_default(),
                preconditions,
                version: 0,
            }),
        }
        Ok(())
    }
}

/// The errors of the fields of the body.
fn in_body(mut errors: Vec<FieldError>) -> Vec<FieldError> {
    for error in &mut errors {
        error.pointer.insert_str(0, BODY_POINTER);
    }
    errors
}
