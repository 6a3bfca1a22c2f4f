//! Renders the report of an import, as a page that grows while the file is imported.
//!
//! The API sends one JSON line per batch, and each line becomes an item of a list. The style sheet
//! shows only the last item, so the progress is visible without a script.

mod result;

use http_semantics::csv;
use http_semantics::from_json;
use maud::{Markup, PreEscaped, html};

use super::invalid_lines::{self, Ranges};
use super::report_line::{InvalidLine, ReportLine};
use super::states::States;
use super::{AGAIN, CREATE_PLACES, address, count_lines, media_type};
use crate::api::ApiProblem;
use crate::field::{checkbox, hidden};
use crate::form::Form;
use crate::layout::{closing, number, opening};
use crate::messages;

/// The header and five lines.
const MAX_PREVIEW_LINES: usize = 6;

const MAX_PREVIEW_BYTES: usize = 4096;

/// A report in progress.
#[derive(Debug)]
pub struct Report {
    form: Form,
    /// The number of lines of the file.
    lines: i64,
    /// The first lines of a CSV file, as cells.
    preview: Vec<Vec<String>>,
    /// The start of the next line of the response.
    incomplete_line: Vec<u8>,
    invalid_lines: Vec<InvalidLine>,
    /// The lines of the batches that have an invalid line, and so are not imported.
    left_out: Ranges,
    /// The number of records of these batches.
    left_out_records: i64,
    /// The states of the people of the file, if people can be recorded as dead.
    states: Option<States>,
    /// The number of records that earlier requests have imported.
    after: i64,
    /// The totals of the earlier requests.
    earlier: Option<ReportLine>,
    totals: Option<ReportLine>,
    failure: Option<ApiProblem>,
}

impl Report {
    /// The report of a file, before the first batch.
    #[must_use]
    pub fn new(form: Form, file: &[u8]) -> Self {
        Self {
            lines: i64::try_from(count_lines(file)).unwrap_or_default(),
            preview: preview(file),
            left_out: Ranges::default(),
            left_out_records: 0,
            states: (form.get("collection") != "places")
                .then(|| States::count(file, form.get("mode") == "patch"))
                .flatten(),
            form,
            incomplete_line: Vec::new(),
            invalid_lines: Vec::new(),
            after: 0,
            earlier: None,
            totals: None,
            failure: None,
        }
    }

    /// Whether the file is only checked.
    fn is_check(&self) -> bool {
        self.form.get("dryRun") != "false"
    }

    /// The page up to the first batch.
    #[must_use]
    pub fn start(&self) -> String {
        let title = if self.is_check() { "Check" } else { "Import" };
        let start = html! {
            (opening("/ui/import", title, None, &[]))
            h1 { (title) }
            (PreEscaped("<ol class=\"progress\" aria-label=\"Progress\">"))
        };
        start.into_string()
    }

    /// The items that a chunk of the response adds to the page.
    pub fn push(&mut self, chunk: &[u8]) -> String {
        let mut items = String::new();
        for part in chunk.split_inclusive(|byte| *byte == b'\n') {
            self.incomplete_line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.incomplete_line);
                items.push_str(&self.push_line(&line));
            }
        }
        items
    }

    fn push_line(&mut self, line: &[u8]) -> String {
        let Some(mut line) = from_json::parse::<ReportLine>(line) else {
            return String::new();
        };
        let has_invalid = !line.refused.is_empty();
        self.invalid_lines.append(&mut line.refused);
        if line.problem.is_some() {
            self.failure.clone_from(&line.problem);
        }
        let Some((first, last)) = line.first_line.zip(line.last_line) else {
            line.add_earlier(&self.earlier.take().unwrap_or_default());
            self.totals = Some(line);
            return String::new();
        };
        if line.has_reached_call_limit() {
            return String::new();
        }
        let max = self.lines.max(last);
        let is_refused = line.outcome == "refused";
        if is_refused {
            self.left_out.push(first, last);
            self.left_out_records += line.records;
        }
        let item = html! {
            li.refused[is_refused] {
                (bar(max, last))
                " Lines " (number(first)) " to " (number(last)) " of " (number(max)) ": " (outcome_text(&line.outcome, self.is_check()))
                @if has_invalid && !is_refused { ", without the invalid lines" }
            }
        };
        item.into_string()
    }

    /// The number of records after which another request has to continue. The report then expects the
    /// lines of that request. None if there is nothing to continue, or the last request has imported
    /// nothing.
    pub fn continue_after(&mut self) -> Option<i64> {
        let is_progress = |next: &i64| *next > self.after;
        self.after = self.totals.as_ref()?.next.filter(is_progress)?;
        self.earlier = self.totals.take();
        self.failure = None;
        Some(self.after)
    }

    /// Ends the report with the problem in the body of a response, because the import cannot continue.
    pub fn fail(&mut self, problem: &[u8]) {
        self.totals = self.earlier.take();
        self.failure = from_json::parse(problem);
    }

    /// The form of the import.
    #[must_use]
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// Whether the whole file was read, to the end.
    fn is_complete(&self) -> bool {
        self.totals.is_some() && self.failure.is_none()
    }

    /// The number of records that were read.
    fn read(&self) -> i64 {
        self.totals.as_ref().map_or(0, |totals| totals.read)
    }

    /// The end of the page. If the file is short, the page contains it, with buttons for the next
    /// step.
    #[must_use]
    pub fn end(&self, file: Option<&str>) -> String {
        let end = html! {
            @if self.is_complete() && self.lines > 0 {
                li { (bar(self.lines, self.lines)) " All " (number(self.lines)) " lines read" }
            }
            (PreEscaped("</ol>"))
            @match &self.totals {
                Some(totals) => {
                    (self.summary(totals))
                    (self.left_out_notice())
                    (self.states_notice())
                    @if totals.already_written > 0 { (self.imported_before(file.is_some())) }
                }
                None => p.notice.warning role="alert" {
                    "The import was interrupted. The batches above are done. Import the file again for the rest."
                },
            }
            @if let Some(failure) = &self.failure {
                p.notice.warning role="alert" { "The import stopped. " (messages::of_problem(failure)) " Import the file again for the rest." }
            }
            (self.invalid_lines_section())
            (self.preview_table())
            @if let Some(file) = file { (self.next_step(file)) }
            @else if self.is_check() && self.is_complete() {
                p { "This page does not keep such a large file. Choose it again to import it. The form has the same choices." }
            }
            p.actions {
                @let has_added = !self.is_check() && self.totals.as_ref().is_some_and(|totals| totals.created > 0);
                @let sort = if has_added { "?sort=-id" } else { "" };
                @let (path, noun) = if self.form.get("collection") == "places" { ("/", "places") } else { ("/ui/people", "people") };
                @if file.is_none() && self.is_check() { a.button href=(address(&self.form)) { "Choose the file again" } }
                a.button.quiet[!has_added] href={ (path) (sort) } { "See the " @if has_added { "new " } (noun) }
                a.button.quiet href="/ui/import" { "Another file" }
            }
            (closing())
        };
        end.into_string()
    }

    fn invalid_lines_section(&self) -> Markup {
        let has_place = self.preview.first().is_some_and(|header| {
            let is_place = |cell: &String| !cell.trim().eq_ignore_ascii_case("placeId");
            header.iter().all(is_place)
        });
        let place = if has_place { "place" } else { "placeId" };
        let listed = i64::try_from(self.invalid_lines.len()).unwrap_or_default();
        let total = self
            .totals
            .as_ref()
            .map_or(listed, |totals| totals.refused_total);
        html! {
            @if !self.invalid_lines.is_empty() {
                h2 { "Invalid lines" }
                (invalid_lines::table(&self.invalid_lines, |invalid| messages::of_line(&invalid.problem, place)))
                p.hint {
                    @if total > listed { "These are the first " (number(listed)) " of " (number(total)) " invalid lines. " }
                    @if self.form.is_checked("skipInvalid") {
                        @if self.is_check() { "These lines would be left out." }
                        @else { "These lines were left out. Fix them, and import only them." }
                    } @else {
                        "Fix these lines and try again. A batch with an invalid line is not imported at all."
                    }
                }
            }
        }
    }

    fn preview_table(&self) -> Markup {
        html! {
            @if let Some((head, rows)) = self.preview.split_first() {
                h2 { "First lines" }
                table {
                    thead { tr { @for cell in head { th scope="col" { (cell) } } } }
                    tbody { @for row in rows { tr { @for cell in row { td { (cell) } } } } }
                }
            }
        }
    }

    fn next_step(&self, file: &str) -> Markup {
        let is_valid = self.invalid_lines.is_empty();
        let read = self.read();
        let totals = self.totals.as_ref();
        let has_imported_before = totals.is_some_and(|totals| totals.already_written > 0);
        let invalid = totals.map_or(0, |totals| totals.refused_total + totals.already_written);
        let valid = read - invalid;
        let can_import = is_valid || self.form.is_checked("skipInvalid");
        html! {
            form.entry method="post" action="/ui/import" enctype="multipart/form-data" {
                (hidden("collection", self.form.get("collection")))
                @for option in ["mode", "skipInvalid"] {
                    @if let Some(value) = self.form.filled(option) { (hidden(option, value)) }
                }
                @if self.form.is_checked("again") {
                    (hidden("again", "on"))
                    (hidden("key", self.form.get("key")))
                }
                details open[!is_valid] {
                    summary { "The file" }
                    div.field {
                        label for="text" { "Text of the file" }
                        textarea #text name="text" rows="10" spellcheck="false" { "\n" (file) }
                    }
                }
                @if self.form.get("collection") != "places" {
                    (checkbox(&self.form, "createPlaces", CREATE_PLACES))
                }
                p.actions {
                    button.quiet[!self.is_check() || is_valid] type="submit" name="dryRun" value="true" { "Check again" }
                    @if self.is_check() && can_import && read > 0 {
                        button.quiet[!is_valid] type="submit" name="dryRun" value="false" { "Import file" }
                    }
                    @if self.is_check() && !can_import && valid > 0 {
                        button.quiet type="submit" name="importValid" value="on" {
                            "Import the " @if valid == 1 { "valid line" } @else { (number(valid)) " valid lines" }
                        }
                    }
                    @if has_imported_before {
                        button.quiet type="submit" name="nextKey" value=(self.form.get("nextKey")) { "Import again" }
                    }
                }
            }
        }
    }
}

/// The cells of the header and the first lines of a CSV file. None of another file.
fn preview(file: &[u8]) -> Vec<Vec<String>> {
    let head = file.get(..MAX_PREVIEW_BYTES).unwrap_or(file);
    let text = String::from_utf8_lossy(head);
    let mut rest = text.trim_start_matches('\u{feff}');
    let separator = csv::detect_separator(rest);
    let mut rows = Vec::new();
    while rows.len() < MAX_PREVIEW_LINES
        && media_type(file) == "text/csv"
        && let Some((cells, after)) = csv::parse_record(rest, separator)
        && !rest.is_empty()
    {
        rows.push(cells.into_iter().map(|cell| cell.to_string()).collect());
        rest = after;
    }
    rows
}

fn bar(max: i64, value: i64) -> Markup {
    html! { progress max=(max) value=(value) aria-label="Lines read" {} }
}

/// The outcome of a batch, in the words of the page.
fn outcome_text(outcome: &str, is_check: bool) -> &str {
    match outcome {
        "refused" if is_check => "some are invalid",
        "written" => "imported",
        "already written" => "imported before",
        "would be written" => "valid",
        "refused" => "not imported because of invalid lines",
        other => other,
    }
}

#[cfg(test)]
mod tests;
