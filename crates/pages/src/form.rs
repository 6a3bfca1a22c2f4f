//! The values and errors of a form. If a form has errors, the page shows it again with both.

use domain::Param;
use http_semantics::Tag;
use tables::schema::PERSON_TABLE;

use crate::api::ApiProblem;
use crate::messages;

/// The values of a form, and its errors.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Form {
    values: Vec<(String, String)>,
    errors: Vec<(&'static str, String)>,
    /// The error of the whole form.
    pub general_error: Option<String>,
    /// The ids of the people whom a batch cannot change, and why.
    pub refused: Vec<(i64, String)>,
    /// Whether to show the token input.
    pub needs_token: bool,
    /// The status code of the API's problem.
    problem_status: Option<u16>,
}

/// The inputs that can show an error, in the order of the forms. The other fields of a person
/// follow.
const FIELDS: &[&str] = &[
    "token",
    "name",
    "placeId",
    "reassignTo",
    "isAlive",
    "isKing",
    "file",
    "q",
    "least",
    "asOf",
    "add",
];

/// All inputs that can show an error.
fn fields() -> impl Iterator<Item = &'static str> {
    let columns = PERSON_TABLE.visible().map(|column| column.json);
    let others = columns.filter(|field| *field != "id" && !FIELDS.contains(field));
    FIELDS.iter().copied().chain(others)
}

impl Form {
    /// Parses a query, or the body of a form (URL Standard, form encoding).
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        Self::from_values(form_urlencoded::parse(text).into_owned())
    }

    /// A form with these values.
    #[must_use]
    pub fn from_values(values: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            values: values.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The trimmed value of a field, or an empty text.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        let value = self.values.iter().find(|(field, _)| field == name);
        value.map_or("", |(_, value)| value.trim())
    }

    /// All values of a field.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.values.iter().filter(move |(field, _)| field == name);
        values.map(|(_, value)| value.as_str())
    }

    /// The trimmed value of a field, unless it is empty.
    #[must_use]
    pub fn filled(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    /// Whether a checkbox is checked.
    #[must_use]
    pub fn is_checked(&self, name: &str) -> bool {
        !self.get(name).is_empty()
    }

    /// Sets the value of a field.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.values.retain(|(field, _)| field != name);
        self.values.push((name.to_owned(), value.into()));
    }

    /// Adds an error to a field.
    pub fn add_error(&mut self, field: &'static str, message: impl Into<String>) {
        self.errors.push((field, message.into()));
    }

    /// The error of a field.
    #[must_use]
    pub fn error(&self, field: &str) -> Option<&str> {
        let error = self.errors.iter().find(|(name, _)| *name == field);
        error.map(|(_, message)| message.as_str())
    }

    /// Whether the form focuses this field: the first one with an error, unless the whole form
    /// has one.
    #[must_use]
    pub fn focuses(&self, field: &str) -> bool {
        let first = fields().find(|field| self.error(field).is_some());
        self.general_error.is_none() && first == Some(field)
    }

    /// Whether the record was changed after the form was loaded.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.problem_status == Some(412)
    }

    /// Whether the record was removed after the form was loaded.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.problem_status == Some(404)
    }

    /// Whether there is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        !self.errors.is_empty() || self.general_error.is_some()
    }

    /// The status code of the page that shows the errors.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.problem_status.unwrap_or(422)
    }

    /// Shows a problem of the API: at the field that it is about, or above the form.
    pub fn show_problem(&mut self, problem: &ApiProblem) {
        self.problem_status = Some(problem.status);
        let text = messages::of_problem(problem);
        match problem.slug() {
            "invalid-record" => self.show_field_errors(problem),
            "name-taken" => self.add_error("name", text),
            "no-such-place" | "place-is-going" => {
                let mut fields = ["reassignTo", "placeId"].into_iter();
                match fields.find(|field| self.filled(field).is_some()) {
                    Some(field) => self.add_error(field, text),
                    None => self.general_error = Some(text),
                }
            }
            "place-has-king" => {
                self.add_error("isKing", text);
                let king = problem.king.as_ref();
                self.set("king", king.map_or("the present king", |king| &king.name));
            }
            "place-has-people" | "invalid-parameter" => self.add_error("reassignTo", text),
            "precondition-failed" => {
                // Sent again, the form changes the version that the page shows now.
                let tag = problem.etag.as_deref().and_then(Tag::parse);
                let version = tag.and_then(|tag| tag.version());
                let version = version.map(|version| version.to_string());
                self.set("version", version.unwrap_or_default());
                self.general_error = Some(text);
            }
            "idempotency-key-reused" => {
                self.set("key", "");
                self.general_error = Some(text);
            }
            "batch-refused" => self.show_results(problem),
            "token-required" | "token-refused" | "insufficient-scope" => {
                self.needs_token = true;
                self.add_error("token", text);
            }
            _ => self.general_error = Some(text),
        }
    }

    /// Shows why a batch was refused. The place of all people is an error of its field.
    fn show_results(&mut self, problem: &ApiProblem) {
        for result in &problem.results {
            let Some((id, reason)) = result.id.zip(result.problem.as_ref()) else {
                continue;
            };
            let text = messages::of_operation(reason);
            match reason.slug() {
                "no-such-place" | "place-is-going" => {
                    if self.error("placeId").is_none() {
                        self.add_error("placeId", text);
                    }
                }
                _ => self.refused.push((id, text)),
            }
        }
        let count = i64::try_from(self.refused.len()).unwrap_or(i64::MAX);
        if count > 0 {
            self.general_error = Some(format!(
                "Nothing was changed. Look at the {}.",
                if count == 1 {
                    "reason next to the name"
                } else {
                    "reasons next to the names"
                }
            ));
        }
    }

    fn show_field_errors(&mut self, problem: &ApiProblem) {
        for error in &problem.errors {
            let pointer = error.pointer.trim_start_matches('/');
            let text = messages::of_field(pointer, &error.detail);
            match fields().find(|field| *field == pointer) {
                Some(field) => self.add_error(field, text),
                None => self.general_error = Some(text),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_semantics::auth::Scope;
    use http_semantics::from_json;
    use http_semantics::problem::FieldError;
    use http_semantics::{Problem, Validator};
    use proptest::prelude::*;

    fn with_problem(problem: &Problem) -> Form {
        parse_with_problem(b"name=%20a+b%20&placeId=x&isAlive=on&version=3", problem)
    }

    fn parse_with_problem(typed: &[u8], problem: &Problem) -> Form {
        let mut form = Form::parse(typed);
        form.show_problem(&from_json::parse(problem.to_json().as_bytes()).unwrap());
        form
    }

    #[test]
    fn a_form_with_a_problem_keeps_its_values() {
        let form = with_problem(&Problem::internal());
        assert_eq!((form.get("name"), form.filled("key")), ("a b", None));
        assert!(form.is_checked("isAlive") && !form.is_checked("isKing"));
        assert!(form.general_error.is_some());
    }

    #[test]
    fn a_problem_is_shown_at_its_field() {
        let error = |pointer: &str| FieldError {
            pointer: pointer.to_owned(),
            detail: "such".to_owned(),
        };
        let form = with_problem(&Problem::invalid_record(&[
            error("/name"),
            error("/isKing"),
        ]));
        assert_eq!(
            form.error("name"),
            Some("Enter a name of 1 to 200 characters, without invisible ones.")
        );
        assert_eq!(form.error("isKing"), Some("Must be such."));
        assert_eq!(form.general_error, None);
        assert!(
            with_problem(&Problem::invalid_record(&[error("/x")]))
                .general_error
                .is_some()
        );
        for (problem, field) in [
            (Problem::name_taken(1), "name"),
            (Problem::no_such_place(1), "placeId"),
            (Problem::place_is_deleting(1), "placeId"),
            (Problem::place_has_king(1, 2, "K"), "isKing"),
            (Problem::place_has_people(1, 2), "reassignTo"),
            (Problem::token_required(Scope::Write), "token"),
            (Problem::token_refused(), "token"),
            (Problem::insufficient_scope(Scope::Write), "token"),
        ] {
            assert!(with_problem(&problem).error(field).is_some(), "{field}");
        }
    }

    #[test]
    fn an_unknown_place_is_shown_at_the_field_that_names_it() {
        for (typed, field) in [
            (&b"placeId=%239"[..], Some("placeId")),
            (b"reassignTo=%239", Some("reassignTo")),
            (b"version=3", None),
        ] {
            let form = parse_with_problem(typed, &Problem::no_such_place(9));
            let wrong = ["placeId", "reassignTo"].map(|field| form.error(field).is_some());
            let expected = ["placeId", "reassignTo"].map(|name| field == Some(name));
            assert_eq!(
                (wrong, form.general_error.is_some()),
                (expected, field.is_none())
            );
        }
    }

    #[test]
    fn the_first_field_with_an_error_is_focused() {
        let mut form = Form::parse(b"");
        assert!(!form.focuses("name"));
        form.add_error("isKing", "b");
        form.add_error("name", "a");
        assert!(form.focuses("name") && !form.focuses("isKing"));
        form.general_error = Some("c".to_owned());
        assert!(!form.focuses("name"));
    }

    #[test]
    fn a_conflict_takes_the_current_version_for_the_next_attempt() {
        let version = Validator::parse("4.1f09ab34");
        let form = with_problem(&Problem::precondition_failed(version));
        assert_eq!((form.get("version"), form.status()), ("4.1f09ab34", 412));
        assert!(form.has_errors() && form.is_conflict());
    }

    proptest! {
        #[test]
        fn parsing_never_panics(body in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = Form::parse(&body).get("name");
        }
    }
}
