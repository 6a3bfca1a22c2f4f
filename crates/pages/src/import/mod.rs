//! Renders the form of an import. The module `report` renders the report.

mod invalid_lines;
mod report;
mod report_line;
mod states;

use maud::{Markup, html};
use tables::import::{MAX_BATCH_RECORDS, MAX_FILE_BYTES, MAX_FILE_RECORDS};
use tables::schema::{PERSON_TABLE, PLACE_TABLE};
use tables::table_spec::Declaration;

use crate::field::{self, checkbox, choice, hidden};
use crate::form::Form;
use crate::layout::{main_document, number, with_query};

pub use report::Report;

/// The collections that a file can be imported into, with their labels.
pub const COLLECTIONS: [(&str, &str); 2] = [("people", "People"), ("places", "Places")];

/// The import modes for people or places that exist, with their labels.
pub const MODES: [(&str, &str); 3] = [
    ("", "Adds new ones only"),
    ("upsert", "Adds and updates by id"),
    ("patch", "Changes given columns by id"),
];

/// The label of the checkbox that creates places.
pub(crate) const CREATE_PLACES: &str = "Add places that do not exist";

/// The largest file that a page contains, so that a button can send it again.
pub const MAX_SHOWN_BYTES: usize = 512 * 1024;

/// The label of the checkbox that imports again.
const AGAIN: &str = "Add everything again, even what was imported before";

/// The label of the checkbox that leaves out invalid lines.
const SKIP_INVALID: &str = "Leave out invalid lines, and import the others";

/// The columns of a file.
fn columns(table: &Declaration) -> String {
    let mut columns: Vec<&str> = table.visible().map(|column| column.json).collect();
    columns.extend(table.import_columns.iter().map(|column| column.json));
    columns.join(", ")
}

/// The maximum size of a file, in MiB.
fn max_mebibytes() -> usize {
    MAX_FILE_BYTES / (1024 * 1024)
}

fn lines(count: usize) -> String {
    number(i64::try_from(count).unwrap_or_default())
}

/// The form.
#[must_use]
pub fn page(form: &Form) -> Markup {
    let file_error = form.error("file");
    let main = html! {
        h1 { "Import" }
        p.lead {
            "Import a CSV file with a header, a JSON array, or one JSON object per line. Columns of people: " (columns(&PERSON_TABLE)) ". Columns of places: " (columns(&PLACE_TABLE)) ". "
            "A person without isAlive is recorded as dead. Check the file first: a check shows what an import would change, and changes nothing."
        }
        p {
            "Templates: "
            a href="/template-people.csv" download { "people" } ", "
            a href="/template-places.csv" download { "places" }
            ". From a spreadsheet, save the sheet as “CSV UTF-8”. The first line has the names of the columns, in any order. Commas, semicolons and tabs work, and yes and no in several languages."
        }
        form.entry method="post" action="/ui/import" enctype="multipart/form-data" {
            (field::preamble(form))
            (choice(form, "collection", "Contents", &COLLECTIONS))
            (choice(form, "mode", "What the file does", &MODES))
            p.hint { "An update replaces all data of the person or place with the same id. A change of given columns leaves the other columns as they are." }
            div.field.wrong[file_error.is_some()] {
                label for="file" { "File" }
                input #file name="file" type="file" accept=".csv,.json,.ndjson,.jsonl,text/csv,application/json,application/x-ndjson"
                    aria-describedby=[file_error.map(|_| "file-error")] aria-invalid=[file_error.map(|_| "true")]
                    autofocus[form.focuses("file")];
                @if let Some(error) = file_error { p.error #file-error { (error) } }
            }
            div.field {
                label for="text" { "Or paste it here" }
                textarea #text name="text" rows="6" spellcheck="false" { (form.get("text")) }
            }
            (checkbox(form, "skipInvalid", SKIP_INVALID))
            (checkbox(form, "createPlaces", CREATE_PLACES))
            (hidden("key", form.get("key")))
            (checkbox(form, "again", AGAIN))
            p.actions {
                button type="submit" name="dryRun" value="true" { "Check file" }
                button.quiet type="submit" name="dryRun" value="false" { "Import file" }
            }
        }
        p.hint {
            "A file can have up to " (max_mebibytes()) " MiB and " (lines(MAX_FILE_RECORDS)) " lines. A large file is imported in batches of up to " (lines(MAX_BATCH_RECORDS)) " lines. A batch with an invalid line is not imported at all, unless you choose to leave such lines out. You can import a file again: what was imported before is not added twice, unless you choose so. For the format, see "
            a href="/v1/people/export" { "an export" } "."
        }
    };
    main_document("/ui/import", "Import", None, &[], &main)
}

/// The media type of a file, by its first character.
#[must_use]
pub fn media_type(file: &[u8]) -> &'static str {
    match file.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[') => "application/json",
        Some(b'{') => "application/x-ndjson",
        _ => "text/csv",
    }
}

/// Whether a file is a workbook of Excel or of another spreadsheet: a ZIP archive, or the older format
/// of Excel.
#[must_use]
pub fn is_workbook(file: &[u8]) -> bool {
    file.starts_with(b"PK\x03\x04") || file.starts_with(b"\xd0\xcf\x11\xe0")
}

/// The error of a workbook.
pub const WORKBOOK: &str =
    "This is a spreadsheet, not a CSV file. Save it as “CSV UTF-8”, then choose the new file.";

/// The choices of the form that a link keeps.
const CHOICES: [&str; 5] = ["collection", "mode", "skipInvalid", "createPlaces", "again"];

/// The form with the choices of a link. Unknown values are ignored.
pub fn set_choices(form: &mut Form, query: &str) {
    let chosen = Form::parse(query.as_bytes());
    form.set("collection", "people");
    for name in CHOICES {
        let Some(value) = chosen.filled(name) else {
            continue;
        };
        let known: &[(&str, &str)] = match name {
            "collection" => &COLLECTIONS,
            "mode" => &MODES,
            _ => &[("on", "")],
        };
        if known.iter().any(|(known, _)| *known == value) {
            form.set(name, value);
        }
    }
}

/// The address of the form with the same choices.
fn address(form: &Form) -> String {
    with_query("/ui/import", &CHOICES.map(|name| (name, form.get(name))))
}

/// The number of lines of a file. A line break at the end begins no line.
#[must_use]
pub fn count_lines(file: &[u8]) -> usize {
    match file.trim_ascii_end() {
        [] => 0,
        text => text.split(|byte| *byte == b'\n').count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_at_the_end_is_not_a_line() {
        for (file, lines) in [
            ("", 0),
            ("name", 1),
            ("name\na", 2),
            ("name\na\n", 2),
            ("name\r\na\r\n\r\n", 2),
            ("name\n\na\n", 3),
        ] {
            assert_eq!(count_lines(file.as_bytes()), lines, "{file:?}");
        }
    }

    #[test]
    fn the_page_states_the_limit_of_a_batch() {
        let page = page(&Form::default()).into_string();
        assert!(page.contains("up to 10 MiB and 250,000 lines"), "{page}");
        assert!(page.contains("in batches of up to 10,000 lines"), "{page}");
    }

    #[test]
    fn a_link_keeps_the_choices_and_no_unknown_ones() {
        let mut form = Form::default();
        set_choices(
            &mut form,
            "mode=patch&collection=planets&again=on&dryRun=false",
        );
        assert_eq!(
            address(&form),
            "/ui/import?collection=people&mode=patch&again=on"
        );
        let chosen = Form::parse(b"collection=places&skipInvalid=on&text=a&key=k");
        assert_eq!(
            address(&chosen),
            "/ui/import?collection=places&skipInvalid=on"
        );
    }

    #[test]
    fn a_workbook_is_no_csv_file() {
        assert!(is_workbook(b"PK\x03\x04\x14") && is_workbook(b"\xd0\xcf\x11\xe0\xa1"));
        assert!(!is_workbook(b"PKW,name") && !is_workbook(b""));
    }

    #[test]
    fn the_media_type_is_that_of_the_first_character() {
        assert_eq!(media_type(b" [{"), "application/json");
        assert_eq!(media_type(b"{\"a\":1}"), "application/x-ndjson");
        assert_eq!(media_type(b"name,id"), "text/csv");
        assert_eq!(media_type(b""), "text/csv");
    }
}
