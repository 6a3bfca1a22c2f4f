//! The texts of problems on the pages. The API's own texts name parameters, headers and JSON
//! pointers, which a reader of the page does not know.

use crate::api::ApiProblem;
use crate::import::CREATE_PLACES;

/// The text of a problem: what is wrong, and what to do next.
pub fn of_problem(problem: &ApiProblem) -> String {
    let is_unknown = problem.outcome.as_deref() == Some("unknown");
    let text = match problem.slug() {
        "name-taken" => "Another place has this name. Choose a different name.",
        "id-taken" => return id_taken(problem.id),
        "id-retired" => "This number belonged to a place that was removed. Leave the number out.",
        // A form has no other parameter that can be invalid.
        "invalid-parameter" => "Choose a place other than the one that is removed.",
        "no-such-place" => return no_such_place(problem),
        "place-is-going" => "This place is being removed. Choose another place.",
        "place-has-king" => return place_has_king(problem),
        "place-has-people" => return place_has_people(problem.living),
        "not-found" => "This person or place does not exist. It may have been removed.",
        "being-written" => {
            "Somebody else is saving this now. Nothing was changed. Try again in a moment."
        }
        "precondition-failed" => {
            "Somebody else has changed this. Your entries are still here: compare them with the \
             saved version, then save again or cancel."
        }
        "request-in-flight" => "This form is still being sent. Try again in a moment.",
        "idempotency-key-reused" => "This form was sent before. Send it again to add another one.",
        "person-erased" => {
            "The data of this person was erased and cannot be restored. To add a person, open a new form."
        }
        "token-required" => "Enter a token to make changes.",
        "token-refused" => "This token is not valid here. Check it and enter it again.",
        "insufficient-scope" => "This token does not allow this. Enter another one.",
        "too-many-requests" => {
            "There were too many requests at once, so nothing was changed. Try again in a minute."
        }
        "service-failed" | "service-timed-out" | "internal" if is_unknown => {
            "Something failed, and your change may or may not be saved. Check before you try again."
        }
        "service-failed" | "service-timed-out" | "internal" => {
            "Something failed. Try again in a moment."
        }
        "call-limit-reached" => {
            "This was too much at once. What is listed above is saved. Import the file again to \
             continue."
        }
        "malformed-body" => return malformed_file(problem),
        "too-many-records" => "The file has too many lines. Split it into parts.",
        "body-too-large" => "This is too large. Split it into parts.",
        _ => return problem.detail.replace('`', ""),
    };
    text.to_owned()
}

/// The text of an operation of a batch that cannot be done.
pub fn of_operation(problem: &ApiProblem) -> String {
    match problem.slug() {
        "precondition-failed" => {
            "Somebody else has changed this person. This page shows the new state.".to_owned()
        }
        "not-found" => "Somebody else has removed this person.".to_owned(),
        _ => of_problem(problem),
    }
}

/// The text of an invalid field, for the input or the column that has the field's name.
pub fn of_field(field: &str, expected: &str) -> String {
    if let Some(first) = first_line(expected) {
        return match field {
            "id" => format!("{first} has the same id. Each id must be there once."),
            "name" => format!("{first} has the same name. Each place needs its own name."),
            "isKing" => format!("{first} has a king of the same place. A place has one king."),
            _ => format!("{first} has the same one."),
        };
    }
    match field {
        "id" if expected.contains("mode=patch") => {
            "Enter the id of the person or place to change. The file needs a column id.".to_owned()
        }
        "name" => "Enter a name of 1 to 200 characters, without invisible ones.".to_owned(),
        "placeId" if expected.contains("living") => {
            "A living person needs a place. Enter one.".to_owned()
        }
        "version" => "This cannot be restored now. Open the page again.".to_owned(),
        "isKing" if expected.contains("alive") => "Only a living person can be king.".to_owned(),
        _ if expected == <bool as domain::Param>::EXPECTED => "Enter yes or no.".to_owned(),
        _ => format!("Must be {}.", expected.replace('`', "")),
    }
}

/// The first line of a file that has a value which a later line repeats, as the start of a sentence.
fn first_line(expected: &str) -> Option<String> {
    let (_, first) = expected.strip_suffix(" has it")?.rsplit_once(": ")?;
    let index = first.strip_prefix("the record at index ");
    if let Some(index) = index.and_then(|index| index.parse::<usize>().ok()) {
        return Some(format!("Record {}", index.saturating_add(1)));
    }
    first
        .strip_prefix("line ")
        .map(|line| format!("Line {line}"))
}

/// The text of a line of a file that cannot be imported. `place` is the column of the file that names
/// the place.
pub fn of_line(problem: &ApiProblem, place: &str) -> String {
    if problem.slug() == "not-found" {
        return not_found(&problem.detail);
    }
    if problem.errors.is_empty() {
        return of_problem(problem);
    }
    let of_column = |error: &http_semantics::problem::FieldError| {
        let field = error.pointer.trim_start_matches('/');
        let text = of_field(field, &error.detail);
        let column = if field == "placeId" { place } else { field };
        if column.is_empty() {
            text
        } else {
            format!("{column}: {text}")
        }
    };
    let texts: Vec<String> = problem.errors.iter().map(of_column).collect();
    texts.join(" ")
}

/// The detail ends with the number: "There is no person with the id 9."
fn not_found(detail: &str) -> String {
    detail.replace("with the id", "with the number")
}

fn id_taken(id: Option<i64>) -> String {
    let number = id.map_or_else(|| "This number".to_owned(), |id| format!("The number {id}"));
    format!("{number} is taken. Leave it out, or choose to update by id.")
}

/// Only a line of a file names the place.
fn no_such_place(problem: &ApiProblem) -> String {
    if let Some(name) = &problem.name {
        return format!(
            "There is no place “{name}”. Choose another place, or tick “{CREATE_PLACES}”."
        );
    }
    let id = problem.place_id;
    let place = id.map_or_else(String::new, |id| format!(" with the number {id}"));
    format!("There is no place{place}. Choose another place.")
}

fn place_has_king(problem: &ApiProblem) -> String {
    let king = problem.king.as_ref();
    king.map_or_else(
        || "The place already has a king.".to_owned(),
        |king| format!("The place already has a king, {}.", king.name),
    )
}

fn place_has_people(living: Option<i64>) -> String {
    let people = match living {
        Some(1) => "1 living person has".to_owned(),
        Some(living) => format!("{} living people have", crate::layout::number(living)),
        None => "Living people have".to_owned(),
    };
    format!("{people} this place. Choose the place that they move to.")
}

fn malformed_file(problem: &ApiProblem) -> String {
    if let Some(encoding) = &problem.encoding {
        return format!(
            "The file is in {encoding}. Save it as “CSV UTF-8” in your spreadsheet, and choose it again."
        );
    }
    if problem.detail.starts_with("The file") {
        return problem.detail.replace('`', "");
    }
    let at = problem
        .line
        .map_or_else(String::new, |line| format!(" at line {line}"));
    format!("The file cannot be read{at}. Compare it with the columns and formats above.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_semantics::Problem;
    use http_semantics::auth::Scope;
    use http_semantics::from_json;
    use http_semantics::problem::FieldError;
    use http_semantics::rate_limit::RateLimit;

    fn parse(problem: &Problem) -> ApiProblem {
        from_json::parse(problem.to_json().as_bytes()).unwrap()
    }

    #[test]
    fn problems_of_forms_and_files_have_texts_without_the_terms_of_the_api() {
        let policy = RateLimit {
            requests: 600,
            seconds: 60,
        };
        for problem in [
            Problem::name_taken(3),
            Problem::id_taken("person", 1),
            Problem::id_retired(31),
            Problem::no_such_place(999),
            Problem::place_is_deleting(3),
            Problem::place_has_king(1, 10, "K"),
            Problem::place_has_people(1, 4),
            Problem::not_found("person", 9),
            Problem::being_written(),
            Problem::precondition_failed(None),
            Problem::request_in_flight(),
            Problem::person_erased(),
            Problem::idempotency_key_reused(),
            Problem::token_required(Scope::Write),
            Problem::token_refused(),
            Problem::insufficient_scope(Scope::Write),
            Problem::too_many_requests(policy),
            Problem::service_failed("people"),
            Problem::service_failed("people").with_unknown_outcome(),
            Problem::service_timed_out("people", 3000),
            Problem::internal(),
            Problem::malformed_body("CSV", 1, 9),
            Problem::body_too_large(9),
        ] {
            let detail = problem.detail();
            let text = of_problem(&parse(&problem));
            assert_ne!(text, detail.replace('`', ""), "{detail}");
            let is_plain = !["`", "scope", "record", "service"]
                .iter()
                .any(|term| text.contains(term));
            assert!(is_plain && !text.is_empty(), "{text}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_has_the_reason() {
        let problem = Problem::malformed_csv("the column `Nombre` is unknown", 1, 2);
        let text = of_problem(&parse(&problem));
        let expected = "The file cannot be read: at line 1, the column Nombre is unknown.";
        assert_eq!(text, expected);
    }

    #[test]
    fn an_unknown_outcome_is_stated() {
        let failed = Problem::service_failed("people");
        assert!(!of_problem(&parse(&failed)).contains("may or may not"));
        assert!(of_problem(&parse(&failed.with_unknown_outcome())).contains("may or may not"));
    }

    #[test]
    fn a_line_with_an_unknown_place_names_the_place_and_the_choice() {
        let name = domain::name::Name::from_stored("Villa");
        assert_eq!(
            of_line(&parse(&Problem::no_such_place_name(&name)), "place"),
            "There is no place “Villa”. Choose another place, or tick “Add places that do not exist”."
        );
    }

    #[test]
    fn an_invalid_line_names_its_columns() {
        let error = |pointer: &str, detail: &str| FieldError {
            pointer: pointer.to_owned(),
            detail: detail.to_owned(),
        };
        let errors = [
            error(
                "/placeId",
                "the id of a place, because a living person needs one",
            ),
            error("/isAlive", "true or false"),
        ];
        assert_eq!(
            of_line(&parse(&Problem::invalid_record(&errors)), "place"),
            "place: A living person needs a place. Enter one. isAlive: Enter yes or no."
        );
    }

    #[test]
    fn a_repeated_value_names_the_line_that_has_it_first() {
        let names = "another one, because names of places are unique whatever their case";
        for (field, detail, text) in [
            (
                "name",
                format!("{names}: line 2 has it"),
                "Line 2 has the same name. Each place needs its own name.",
            ),
            (
                "name",
                format!("{names}: the record at index 0 has it"),
                "Record 1 has the same name. Each place needs its own name.",
            ),
            (
                "id",
                "another one: line 30 has it".to_owned(),
                "Line 30 has the same id. Each id must be there once.",
            ),
            (
                "id",
                "an id, because `mode=patch` changes existing records".to_owned(),
                "Enter the id of the person or place to change. The file needs a column id.",
            ),
            (
                "isKing",
                "false, because a place has one king: line 2 has it".to_owned(),
                "Line 2 has a king of the same place. A place has one king.",
            ),
            ("x", "a `y`".to_owned(), "Must be a y."),
        ] {
            assert_eq!(of_field(field, &detail), text);
        }
    }

    #[test]
    fn a_line_about_nobody_has_the_number() {
        assert_eq!(
            of_line(&parse(&Problem::not_found("person", 9)), "place"),
            "There is no person with the number 9."
        );
    }
}
