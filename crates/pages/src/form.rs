//! What is typed into a form, and what is wrong with it: a page that is shown again has both.

use tables::schema::PERSON_TABLE;

use crate::api::Refusal;

/// What was typed, and what was said of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Form {
    values: Vec<(String, String)>,
    errors: Vec<(&'static str, String)>,
    /// What is wrong with the whole.
    pub trouble: Option<String>,
    /// Whether to ask for a token, too.
    pub wants_token: bool,
    /// The status code of what the API said.
    refused: Option<u16>,
}

/// The fields that an error can stand beside, by the API's names, in the order of the forms. The
/// other fields of a person follow.
const FIELDS: &[&str] = &[
    "token",
    "name",
    "placeId",
    "reassignTo",
    "isAlive",
    "isKing",
    "file",
    "least",
];

/// All fields that an error can stand beside.
fn fields() -> impl Iterator<Item = &'static str> {
    let columns = PERSON_TABLE.visible().map(|column| column.json);
    let others = columns.filter(|field| *field != "id" && !FIELDS.contains(field));
    FIELDS.iter().copied().chain(others)
}

impl Form {
    /// What stands in a query, or in the body of a form (URL Standard, form encoding).
    #[must_use]
    pub fn read(text: &[u8]) -> Self {
        Self::of(form_urlencoded::parse(text).into_owned())
    }

    /// A form that holds this.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            values: values.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The text of a field without the spaces around it, empty where there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        let value = self.values.iter().find(|(given, _)| given == name);
        value.map_or("", |(_, value)| value.trim())
    }

    /// The text of a field, where something is in it.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    /// Whether a box is ticked.
    #[must_use]
    pub fn is_ticked(&self, name: &str) -> bool {
        !self.get(name).is_empty()
    }

    /// Puts a value in the place of what was there.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.values.retain(|(given, _)| given != name);
        self.values.push((name.to_owned(), value.into()));
    }

    /// Says what is wrong with a field.
    pub fn wrong(&mut self, field: &'static str, message: impl Into<String>) {
        self.errors.push((field, message.into()));
    }

    /// What is wrong with a field.
    #[must_use]
    pub fn error(&self, field: &str) -> Option<&str> {
        let error = self.errors.iter().find(|(wrong, _)| *wrong == field);
        error.map(|(_, message)| message.as_str())
    }

    /// Whether somebody whose form comes back goes on at this field: the first that is wrong,
    /// unless something is wrong with the whole.
    #[must_use]
    pub fn begins_at(&self, field: &str) -> bool {
        let first = fields().find(|field| self.error(field).is_some());
        self.trouble.is_none() && first == Some(field)
    }

    /// Whether the record is another by now than when the form was made.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        self.refused == Some(412)
    }

    /// Whether anything is wrong.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        !self.errors.is_empty() || self.trouble.is_some()
    }

    /// The status code of the page that shows it again.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.refused.unwrap_or(422)
    }

    /// Takes in what the API said of it: beside the field that it is about, else above all.
    pub fn refuse(&mut self, refusal: &Refusal) {
        self.refused = Some(refusal.status);
        match refusal.slug() {
            "invalid-record" => {
                for error in &refusal.errors {
                    let pointer = error.pointer.trim_start_matches('/');
                    match fields().find(|field| *field == pointer) {
                        Some(field) => self.wrong(field, format!("Must be {}.", error.detail)),
                        None => self.trouble = Some(refusal.detail.clone()),
                    }
                }
            }
            "name-taken" => self.wrong("name", &*refusal.detail),
            "no-such-place" | "place-is-going" => {
                let mut fields = ["reassignTo", "placeId"].into_iter();
                match fields.find(|field| self.given(field).is_some()) {
                    Some(field) => self.wrong(field, &*refusal.detail),
                    None => self.trouble = Some(refusal.detail.clone()),
                }
            }
            "place-has-king" => {
                let king = refusal
                    .king
                    .as_ref()
                    .map_or("somebody else", |king| &king.name);
                self.wrong("isKing", format!("The place has a king already, {king}."));
                self.set("king", king);
            }
            "place-has-people" => {
                let detail = format!("{} Say which place they move to.", refusal.detail);
                self.wrong("reassignTo", detail);
            }
            "precondition-failed" => {
                // Sent once more, it is meant for what is there now.
                let version = refusal.version.map(|version| version.to_string());
                self.set("version", version.unwrap_or_default());
                self.trouble = Some(
                    "Somebody has changed this meanwhile. What you typed is still here: compare \
                     it with what is there now, then send it once more, or leave it."
                        .to_owned(),
                );
            }
            "idempotency-key-reused" => {
                self.set("key", "");
                self.trouble = Some(
                    "This form has been sent before. Send it once more to add another.".to_owned(),
                );
            }
            "token-required" => {
                self.wants_token = true;
                self.wrong("token", "Writing needs a token.");
            }
            "token-refused" => {
                self.wants_token = true;
                self.wrong("token", "This is not a token that is known here.");
            }
            "insufficient-scope" => {
                self.wants_token = true;
                self.wrong("token", "This token is good for less.");
            }
            _ => self.trouble = Some(refusal.detail.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_semantics::Problem;
    use http_semantics::auth::Scope;
    use http_semantics::problem::FieldError;
    use proptest::prelude::*;

    fn refused(problem: &Problem) -> Form {
        refused_of(b"name=%20a+b%20&placeId=x&isAlive=on&version=3", problem)
    }

    fn refused_of(typed: &[u8], problem: &Problem) -> Form {
        let mut form = Form::read(typed);
        form.refuse(&serde_json::from_str(&problem.to_json()).unwrap());
        form
    }

    #[test]
    fn what_was_typed_is_kept() {
        let form = refused(&Problem::internal());
        assert_eq!((form.get("name"), form.given("key")), ("a b", None));
        assert!(form.is_ticked("isAlive") && !form.is_ticked("isKing"));
        assert!(form.trouble.is_some());
    }

    #[test]
    fn an_error_stands_beside_its_field() {
        let error = |pointer: &str| FieldError {
            pointer: pointer.to_owned(),
            detail: "such".to_owned(),
        };
        let form = refused(&Problem::invalid_record(&[
            error("/name"),
            error("/isKing"),
        ]));
        assert_eq!(form.error("name"), Some("Must be such."));
        assert_eq!(form.error("isKing"), Some("Must be such."));
        assert_eq!(form.trouble, None);
        assert!(
            refused(&Problem::invalid_record(&[error("/x")]))
                .trouble
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
            assert!(refused(&problem).error(field).is_some(), "{field}");
        }
    }

    #[test]
    fn a_place_that_cannot_be_is_told_where_it_was_named() {
        for (typed, field) in [
            (&b"placeId=%239"[..], Some("placeId")),
            (b"reassignTo=%239", Some("reassignTo")),
            (b"version=3", None),
        ] {
            let form = refused_of(typed, &Problem::no_such_place(9));
            let wrong = ["placeId", "reassignTo"].map(|field| form.error(field).is_some());
            let expected = ["placeId", "reassignTo"].map(|name| field == Some(name));
            assert_eq!((wrong, form.trouble.is_some()), (expected, field.is_none()));
        }
    }

    #[test]
    fn who_sent_it_goes_on_at_the_first_that_is_wrong() {
        let mut form = Form::read(b"");
        assert!(!form.begins_at("name"));
        form.wrong("isKing", "b");
        form.wrong("name", "a");
        assert!(form.begins_at("name") && !form.begins_at("isKing"));
        form.trouble = Some("c".to_owned());
        assert!(!form.begins_at("name"));
    }

    #[test]
    fn what_another_has_changed_can_be_saved_once_more() {
        let form = refused(&Problem::precondition_failed(Some(4)));
        assert_eq!((form.get("version"), form.status()), ("4", 412));
        assert!(form.is_wrong() && form.is_outdated());
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = Form::read(&body).get("name");
        }
    }
}
