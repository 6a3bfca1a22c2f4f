//! Orders the updates of a batch. SQLite checks a unique index after each row, but the rules need
//! to hold only after the whole batch. So if a record takes the unique value of another one, the
//! other record is updated first.

use std::collections::HashSet;

use serde_json::Value;

use super::position::RecordPosition;

/// The maximum number of steps. Each is a statement.
const MAX_STEPS: usize = 6;

/// An update of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// The position of the record.
    pub position: RecordPosition,
    /// The version before the update.
    pub version: i64,
    /// The row, with that version.
    pub row: Value,
    /// The unique value before the update.
    pub before: Option<String>,
    /// The unique value after the update.
    pub after: Option<String>,
    /// The row that gives up the unique value and changes nothing else, if there is such a state.
    pub without: Option<Value>,
}

/// Updates in steps: the rows of a step take no value that another row of the same or of a later step
/// still has. Also the updates for which there is no such order.
#[must_use]
pub fn steps(updates: Vec<Update>) -> (Vec<Vec<Value>>, Vec<Update>) {
    let mut steps = Vec::new();
    let mut waiting = updates;
    while steps.len() < MAX_STEPS {
        let given_up = waiting
            .iter()
            .filter(|update| update.before != update.after);
        let given_up: HashSet<String> = given_up.filter_map(|u| u.before.clone()).collect();
        let is_free = |update: &Update| {
            let after = update.after.as_ref();
            after.is_none_or(|value| update.before.as_ref() == after || !given_up.contains(value))
        };
        let (free, rest): (Vec<Update>, Vec<Update>) = waiting.into_iter().partition(is_free);
        waiting = rest;
        if free.is_empty() {
            break;
        }
        steps.push(free.into_iter().map(|update| update.row).collect());
    }
    (steps, waiting)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(row: &str, before: Option<&str>, after: Option<&str>) -> Update {
        Update {
            position: RecordPosition {
                line: 1,
                index: None,
            },
            version: 1,
            row: row.into(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
            without: None,
        }
    }

    fn order(updates: &[Update]) -> (Vec<Vec<Value>>, usize) {
        let (ordered, stuck) = steps(updates.to_vec());
        (ordered, stuck.len())
    }

    #[test]
    fn a_value_is_taken_after_it_is_given_up() {
        let heir = update("heir", None, Some("x"));
        let king = update("king", Some("x"), None);
        let other = update("other", Some("y"), Some("y"));
        let (ordered, stuck) = order(&[heir, king, other]);
        assert_eq!(
            ordered,
            [
                vec![Value::from("king"), "other".into()],
                vec!["heir".into()]
            ]
        );
        assert_eq!(stuck, 0);
    }

    #[test]
    fn values_that_move_along_a_chain_are_taken_from_its_end() {
        let chain: Vec<Update> = ["a", "b", "c"]
            .windows(2)
            .map(|pair| update(pair[0], Some(pair[0]), Some(pair[1])))
            .chain([update("c", Some("c"), Some("d"))])
            .collect();
        let (ordered, stuck) = order(&chain);
        assert_eq!(ordered.concat(), ["c", "b", "a"].map(Value::from));
        assert_eq!((ordered.len(), stuck), (3, 0));
    }

    #[test]
    fn a_chain_of_values_takes_a_limited_number_of_steps() {
        let names: Vec<String> = (0..=MAX_STEPS + 2).map(|n| n.to_string()).collect();
        let chain = names.windows(2);
        let chain = chain.map(|pair| update(&pair[0], Some(&pair[0]), Some(&pair[1])));
        let (ordered, stuck) = order(&chain.collect::<Vec<_>>());
        assert_eq!((ordered.len(), stuck), (MAX_STEPS, 2));
    }

    #[test]
    fn values_that_move_in_a_circle_have_no_order() {
        let circle = [
            update("a", Some("a"), Some("b")),
            update("b", Some("b"), Some("a")),
            update("c", None, Some("c")),
        ];
        let (ordered, stuck) = order(&circle);
        assert_eq!(ordered, [[Value::from("c")]]);
        assert_eq!(stuck, 2);
    }
}
