//! The import: a form, and a report that grows while the file is being written.
//!
//! The report is one page that the browser shows as it comes. Each batch adds an item to a
//! list of which the style shows the last alone, so that progress is seen to move without a
//! script.

use maud::{Markup, PreEscaped, html};
use serde::Deserialize;

use crate::api::Refusal;
use crate::field::{self, choice, hidden, tick};
use crate::form::Form;
use crate::layout::{closing, document, number, opening};

/// The registers that a file can be for.
pub const REGISTERS: [(&str, &str); 2] = [("people", "People"), ("places", "Places")];

/// The longest file that a report keeps, so that it can be sent again by a button.
pub const MOST_KEPT: usize = 512 * 1024;

/// The label of the box that imports again.
const AGAIN: &str = "Import again what has been imported before";

/// The form.
#[must_use]
pub fn page(form: &Form) -> Markup {
    let file_error = form.error("file");
    let main = html! {
        h1 { "Import" }
        p.lead {
            "CSV with a header, JSON, or one JSON object a line. People: name, isAlive, placeId, isKing and id; places: name and id. "
            "Try it first: a trial says what would be written, and writes nothing."
        }
        form.entry method="post" action="/ui/import" enctype="multipart/form-data" {
            (field::preamble(form))
            (choice(form, "register", "The file has", &REGISTERS))
            div.field.wrong[file_error.is_some()] {
                label for="file" { "File" }
                input #file name="file" type="file" accept=".csv,.json,.ndjson,.jsonl,text/csv,application/json,application/x-ndjson"
                    aria-describedby=[file_error.map(|_| "file-error")] aria-invalid=[file_error.map(|_| "true")]
                    autofocus[form.begins_at("file")];
                @if let Some(error) = file_error { p.error #file-error { (error) } }
            }
            div.field {
                label for="text" { "Or paste it here" }
                textarea #text name="text" rows="6" spellcheck="false" { (form.get("text")) }
            }
            (tick(form, "upsert", "Change the records whose id is there already"))
            (hidden("key", form.get("key")))
            (tick(form, "again", AGAIN))
            p.actions {
                button type="submit" name="dryRun" value="true" { "Try it" }
                button.quiet type="submit" name="dryRun" value="false" { "Import it" }
            }
        }
        p.hint {
            "A batch of up to 2,000 records is written whole or not at all. You can send the file again until all of it is in: what was imported before is not added twice, unless you choose so. "
            a href="/v1/people/export" { "An export" } " shows the form."
        }
    };
    document("Import", None, &[], &main)
}

/// A line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    first_line: Option<i64>,
    last_line: Option<i64>,
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    refused: Vec<Refused>,
    problem: Option<Refusal>,
    // Of the whole, in its last line.
    #[serde(default)]
    read: i64,
    #[serde(default)]
    created: i64,
    #[serde(default)]
    updated: i64,
    #[serde(default)]
    unchanged: i64,
    #[serde(default)]
    already_written: i64,
    #[serde(default)]
    refused_total: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Refused {
    line: i64,
    problem: Refusal,
}

/// A report on its way: what was sent, and what of the answer has not made a line yet.
#[derive(Debug)]
pub struct Report {
    form: Form,
    lines: i64,
    rest: Vec<u8>,
    refused: Vec<Refused>,
    total: Option<Entry>,
    failure: Option<Refusal>,
}

impl Report {
    /// The report of a file of so many lines, as it begins.
    #[must_use]
    pub fn new(form: Form, lines: i64) -> Self {
        Self {
            form,
            lines,
            rest: Vec::new(),
            refused: Vec::new(),
            total: None,
            failure: None,
        }
    }

    fn is_dry(&self) -> bool {
        self.form.get("dryRun") != "false"
    }

    /// The page up to the first batch.
    #[must_use]
    pub fn start(&self) -> String {
        let title = if self.is_dry() { "Trial" } else { "Import" };
        let start = html! {
            (opening(title, None, &[]))
            h1 { (title) }
            (PreEscaped("<ol class=\"progress\" aria-label=\"Progress\">"))
        };
        start.into_string()
    }

    /// What a part of the answer adds to the page.
    pub fn push(&mut self, part: &[u8]) -> String {
        self.rest.extend_from_slice(part);
        let mut text = String::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let behind = self.rest.split_off(end + 1);
            let line = std::mem::replace(&mut self.rest, behind);
            text.push_str(&self.line(&line));
        }
        text
    }

    fn line(&mut self, line: &[u8]) -> String {
        let Ok(mut line) = serde_json::from_slice::<Entry>(line) else {
            return String::new();
        };
        self.refused.append(&mut line.refused);
        if line.problem.is_some() {
            self.failure.clone_from(&line.problem);
        }
        let Some((first, last)) = line.first_line.zip(line.last_line) else {
            self.total = Some(line);
            return String::new();
        };
        let most = self.lines.max(last);
        let item = html! {
            li {
                progress max=(most) value=(last) aria-label="Lines read" {}
                " Lines " (number(first)) " to " (number(last)) " of " (number(most)) ": " (line.outcome)
            }
        };
        item.into_string()
    }

    /// The end of the page: what came of it all, and the file again, where it is short, with
    /// a button for what comes next.
    #[must_use]
    pub fn end(&self, file: Option<&str>) -> String {
        let end = html! {
            (PreEscaped("</ol>"))
            @match &self.total {
                Some(total) => {
                    (self.summary(total))
                    @if total.already_written > 0 { (self.imported_before(file.is_some())) }
                }
                None => p.notice.warning role="alert" {
                    "The answer broke off. What is above has been done: send the file again, and the rest is done, too."
                },
            }
            @if let Some(failure) = &self.failure {
                p.notice.warning role="alert" { "It stopped there: " (failure.detail) " Send the file again for the rest." }
            }
            (self.refusals())
            @if let Some(file) = file { (self.again(file)) }
            p.actions { a.button.quiet href="/ui/import" { "Another file" } a.button.quiet href="/" { "To the places" } }
            (closing())
        };
        end.into_string()
    }

    fn summary(&self, total: &Entry) -> Markup {
        let counts = [
            ("read", total.read),
            (
                if self.is_dry() {
                    "would be added"
                } else {
                    "added"
                },
                total.created,
            ),
            (
                if self.is_dry() {
                    "would be changed"
                } else {
                    "changed"
                },
                total.updated,
            ),
            ("there already, as they are", total.unchanged),
            ("imported before", total.already_written),
            ("refused", total.refused_total),
        ];
        html! {
            h2 { "What came of it" }
            dl.totals.report {
                @for (label, count) in counts { div { dt { (label) } dd { (number(count)) } } }
            }
            @if self.is_dry() { p { "This was a trial: nothing has been written." } }
        }
    }

    fn imported_before(&self, has_file: bool) -> Markup {
        html! {
            p {
                "What was imported before "
                @if self.is_dry() { "would not be" } @else { "has not been" }
                " added again. To add all records of the file once more, "
                @if has_file { "press “Import again”." }
                @else { "choose it again, and tick “" (AGAIN) "”." }
            }
        }
    }

    fn refusals(&self) -> Markup {
        html! {
            @if !self.refused.is_empty() {
                h2 { "Lines that cannot be written" }
                table.refusals {
                    thead { tr { th scope="col" { "Line" } th scope="col" { "Why" } } }
                    tbody {
                        @for refused in &self.refused {
                            tr {
                                th scope="row" { (refused.line) }
                                td { (refused.problem.title) ": " (refused.problem.detail) }
                            }
                        }
                    }
                }
                p.hint { "Mend the lines where they stand; a batch with one of them is not written at all." }
            }
        }
    }

    fn again(&self, file: &str) -> Markup {
        let is_mended = self.refused.is_empty();
        let was_imported = self
            .total
            .as_ref()
            .is_some_and(|total| total.already_written > 0);
        html! {
            form.entry method="post" action="/ui/import" enctype="multipart/form-data" {
                (hidden("register", self.form.get("register")))
                @if self.form.is_ticked("upsert") { (hidden("upsert", "on")) }
                @if self.form.is_ticked("again") {
                    (hidden("again", "on"))
                    (hidden("key", self.form.get("key")))
                }
                details open[!is_mended] {
                    summary { "The file" }
                    div.field {
                        label for="text" { "What was sent" }
                        textarea #text name="text" rows="10" spellcheck="false" { "\n" (file) }
                    }
                }
                p.actions {
                    button.quiet[!self.is_dry() || is_mended] type="submit" name="dryRun" value="true" { "Try it again" }
                    @if self.is_dry() {
                        button.quiet[!is_mended] type="submit" name="dryRun" value="false" { "Import it" }
                    }
                    @if was_imported {
                        button.quiet type="submit" name="nextKey" value=(self.form.get("nextKey")) { "Import again" }
                    }
                }
            }
        }
    }
}

/// The media type of a file, by how it begins.
#[must_use]
pub fn media_type(file: &[u8]) -> &'static str {
    match file.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[') => "application/json",
        Some(b'{') => "application/x-ndjson",
        _ => "text/csv",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATCH: &str = r#"{"firstLine":2,"lastLine":3,"records":2,"outcome":"refused","created":0,"updated":0,"unchanged":0,"refused":[{"line":3,"problem":{"type":"/problems/no-such-place","title":"T","status":409,"detail":"D <9>"}}]}"#;
    const TOTAL: &str = r#"{"dryRun":true,"read":2,"created":0,"updated":0,"unchanged":0,"alreadyWritten":0,"refusedTotal":1}"#;

    #[test]
    fn a_report_grows_line_by_line_however_it_is_cut() {
        let mut report = Report::new(Form::read(b"dryRun=true&register=people"), 10);
        let answer = format!("{BATCH}\n{TOTAL}\n");
        let mut page = report.start();
        for part in answer.as_bytes().chunks(7) {
            page.push_str(&report.push(part));
        }
        page.push_str(&report.end(Some("name\n<a>")));
        assert!(page.contains(r#"<progress max="10" value="3" aria-label="Lines read">"#));
        assert!(page.contains("T: D &lt;9&gt;") && page.contains("<dt>refused</dt><dd>1</dd>"));
        assert!(page.contains("nothing has been written") && page.contains("name\n&lt;a&gt;"));
        assert!(
            page.contains(r#"<button class="quiet" type="submit" name="dryRun" value="false">"#)
        );
        assert!(page.ends_with("</body></html>"));
    }

    #[test]
    fn what_was_imported_before_is_imported_again_by_choice() {
        let total = TOTAL.replace(r#""alreadyWritten":0"#, r#""alreadyWritten":2"#);
        let page = |total: &str, file: Option<&str>| {
            let mut form = Form::read(b"dryRun=false&register=people");
            form.set("nextKey", "k");
            let mut report = Report::new(form, 2);
            let _ = report.push(format!("{total}\n").as_bytes());
            report.end(file)
        };
        let button = r#"name="nextKey" value="k">Import again"#;
        let with_file = page(&total, Some("name\na"));
        assert!(with_file.contains(button) && with_file.contains("press “Import again”"));
        let without_file = page(&total, None);
        assert!(!without_file.contains(button) && without_file.contains(AGAIN));
        for file in [Some("name\na"), None] {
            assert!(!page(TOTAL, file).contains("again."));
        }
    }

    #[test]
    fn an_answer_that_breaks_off_is_told() {
        let mut report = Report::new(Form::read(b"dryRun=false"), 10);
        let _ = report.push(BATCH.as_bytes());
        assert!(report.end(None).contains("broke off"));
    }

    #[test]
    fn a_file_is_known_by_how_it_begins() {
        assert_eq!(media_type(b" [{"), "application/json");
        assert_eq!(media_type(b"{\"a\":1}"), "application/x-ndjson");
        assert_eq!(media_type(b"name,id"), "text/csv");
        assert_eq!(media_type(b""), "text/csv");
    }
}
