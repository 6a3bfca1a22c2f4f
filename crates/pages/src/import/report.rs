//! Renders the report of an import, as a page that grows while the file is imported.
//!
//! The API sends one JSON line per batch, and each line becomes an item of a list. The style sheet
//! shows only the last item, so the progress is visible without a script.

use http_semantics::csv;
use http_semantics::from_json;
use maud::{Markup, PreEscaped, html};

use super::report_line::{InvalidLine, ReportLine};
use super::{AGAIN, CREATE_PLACES, count_lines, media_type};
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
            (opening(title, None, &[]))
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
        let item = html! {
            li {
                progress max=(max) value=(last) aria-label="Lines read" {}
                " Lines " (number(first)) " to " (number(last)) " of " (number(max)) ": " (outcome_text(&line.outcome))
                @if has_invalid && line.outcome != "refused" { ", without the invalid lines" }
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

    /// The end of the page. If the file is short, the page contains it, with buttons for the next
    /// step.
    #[must_use]
    pub fn end(&self, file: Option<&str>) -> String {
        let end = html! {
            (PreEscaped("</ol>"))
            @match &self.totals {
                Some(totals) => {
                    (self.summary(totals))
                    @if totals.already_written > 0 { (self.imported_before(file.is_some())) }
                }
                None => p.notice.warning role="alert" {
                    "The import was interrupted. The batches above are done. Import the file again for the rest."
                },
            }
            @if let Some(failure) = &self.failure {
                p.notice.warning role="alert" { "The import stopped. " (messages::of_problem(failure)) " Import the file again for the rest." }
            }
            (self.invalid_lines_table())
            (self.preview_table())
            @if let Some(file) = file { (self.next_step(file)) }
            p.actions {
                @let has_added = !self.is_check() && self.totals.as_ref().is_some_and(|totals| totals.created > 0);
                @let sort = if has_added { "?sort=-id" } else { "" };
                @let (path, noun) = if self.form.get("collection") == "places" { ("/", "places") } else { ("/ui/people", "people") };
                a.button.quiet[!has_added] href={ (path) (sort) } { "See the " @if has_added { "new " } (noun) }
                a.button.quiet href="/ui/import" { "Another file" }
            }
            (closing())
        };
        end.into_string()
    }

    fn summary(&self, totals: &ReportLine) -> Markup {
        let (added, changed) = if self.is_check() {
            ("would be added", "would be changed")
        } else {
            ("added", "changed")
        };
        let counts = [
            ("read", totals.read),
            (added, totals.created),
            (changed, totals.updated),
            ("unchanged", totals.unchanged),
            ("imported before", totals.already_written),
            ("invalid", totals.refused_total),
        ];
        html! {
            h2 { "Result" }
            dl.totals.report {
                @if totals.places_created > 0 {
                    div { dt { "places " (added) } dd { (number(totals.places_created)) } }
                }
                @for (label, count) in counts { div { dt { (label) } dd { (number(count)) } } }
            }
            @if self.is_check() { p { "This was a check. Nothing was changed." } }
        }
    }

    fn imported_before(&self, has_file: bool) -> Markup {
        html! {
            p {
                "What was imported before "
                @if self.is_check() { "would not be" } @else { "was not" }
                " added again. To add the whole file again, "
                @if has_file { "choose “Import again”." }
                @else { "import it with the choice “" (AGAIN) "”." }
            }
        }
    }

    fn invalid_lines_table(&self) -> Markup {
        html! {
            @if !self.invalid_lines.is_empty() {
                h2 { "Invalid lines" }
                table.refusals {
                    thead { tr { th scope="col" { "Line" } th scope="col" { "Problem" } } }
                    tbody {
                        @for invalid in &self.invalid_lines {
                            tr {
                                th scope="row" {
                                    (invalid.line)
                                    @if let Some(index) = invalid.index { ", record " (index + 1) }
                                }
                                td { (messages::of_line(&invalid.problem)) }
                            }
                        }
                    }
                }
                p.hint {
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
        let has_imported_before = self
            .totals
            .as_ref()
            .is_some_and(|totals| totals.already_written > 0);
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
                    @if self.is_check() {
                        button.quiet[!is_valid] type="submit" name="dryRun" value="false" { "Import file" }
                        @if !is_valid && !self.form.is_checked("skipInvalid") {
                            button.quiet type="submit" name="importValid" value="on" { "Import the valid lines" }
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

/// The outcome of a batch, in the words of the page.
fn outcome_text(outcome: &str) -> &str {
    match outcome {
        "written" => "imported",
        "already written" => "imported before",
        "would be written" => "valid",
        "refused" => "not imported because of invalid lines",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATCH: &str = r#"{"firstLine":2,"lastLine":3,"records":2,"outcome":"refused","created":0,"updated":0,"unchanged":0,"refused":[{"line":3,"problem":{"type":"/problems/other","title":"T","status":409,"detail":"D <9>"}}]}"#;
    const TOTALS: &str = r#"{"dryRun":true,"read":2,"created":0,"updated":0,"unchanged":0,"alreadyWritten":0,"refusedTotal":1}"#;

    #[test]
    fn a_report_is_the_same_for_every_size_of_chunk() {
        let mut report = Report::new(
            Form::parse(b"dryRun=true&collection=people"),
            "name;id\n<b>;2\n".repeat(5).as_bytes(),
        );
        let response = format!("{BATCH}\n{TOTALS}\n");
        let mut page = report.start();
        for chunk in response.as_bytes().chunks(7) {
            page.push_str(&report.push(chunk));
        }
        page.push_str(&report.end(Some("name\n<a>")));
        assert!(page.contains(r#"<progress max="10" value="3" aria-label="Lines read">"#));
        assert!(page.contains(r#"<th scope="col">name</th><th scope="col">id</th>"#));
        assert!(page.contains("<td>&lt;b&gt;</td><td>2</td>"));
        assert!(page.contains(" of 10: not imported because of invalid lines"));
        assert!(page.contains("D &lt;9&gt;") && page.contains("<dt>invalid</dt><dd>1</dd>"));
        assert!(page.contains("Nothing was changed") && page.contains("name\n&lt;a&gt;"));
        assert!(
            page.contains(r#"<button class="quiet" type="submit" name="dryRun" value="false">"#)
        );
        assert!(page.ends_with("</body></html>"));
    }

    #[test]
    fn a_file_that_was_imported_before_can_be_imported_again() {
        let totals = TOTALS.replace(r#""alreadyWritten":0"#, r#""alreadyWritten":2"#);
        let page = |totals: &str, file: Option<&str>| {
            let mut form = Form::parse(b"dryRun=false&collection=people");
            form.set("nextKey", "k");
            let mut report = Report::new(form, b"name\na\n");
            let _ = report.push(format!("{totals}\n").as_bytes());
            report.end(file)
        };
        let button = r#"name="nextKey" value="k">Import again"#;
        let with_file = page(&totals, Some("name\na"));
        assert!(with_file.contains(button) && with_file.contains("choose “Import again”"));
        let without_file = page(&totals, None);
        assert!(!without_file.contains(button) && without_file.contains(AGAIN));
        for file in [Some("name\na"), None] {
            assert!(!page(TOTALS, file).contains("again."));
        }
    }

    #[test]
    fn the_totals_of_an_import_in_several_requests_are_added() {
        let mut report = Report::new(Form::parse(b"dryRun=false"), b"name\nA\nB\nC\n");
        report.push(
            concat!(
                r#"{"firstLine":2,"lastLine":3,"records":2,"outcome":"written","created":2}"#,
                "\n",
                r#"{"firstLine":4,"lastLine":4,"records":1,"outcome":"failed","problem":{"type":"/problems/call-limit-reached","title":"T","status":422,"detail":"D"}}"#,
                "\n",
                r#"{"read":3,"created":2,"next":2}"#,
                "\n",
            )
            .as_bytes(),
        );
        assert_eq!(report.continue_after(), Some(2));
        assert!(report.end(None).contains("The import was interrupted."));
        report.push(b"{\"read\":1,\"created\":1}\n");
        assert_eq!(report.continue_after(), None);
        let end = report.end(None);
        for total in ["<dt>read</dt><dd>3</dd>", "<dt>added</dt><dd>3</dd>"] {
            assert!(end.contains(total), "{end}");
        }
        assert!(!end.contains("stopped"), "{end}");
        report.push(b"{\"read\":1,\"created\":0,\"next\":2}\n");
        assert_eq!(report.continue_after(), None, "no record was imported");
    }

    #[test]
    fn the_choices_of_the_form_are_those_of_the_next_step() {
        let page = |form: &[u8]| {
            let mut report = Report::new(Form::parse(form), b"id,place\n1,A\n");
            let totals = TOTALS.replace(r#""read":2"#, r#""read":2,"placesCreated":3"#);
            let _ = report.push(format!("{totals}\n").as_bytes());
            report.end(Some("id,place\n1,A"))
        };
        let chosen = page(b"mode=patch&createPlaces=on&skipInvalid=on&collection=people");
        for part in [
            r#"name="mode" value="patch""#,
            r#"name="skipInvalid" value="on""#,
            r#"name="createPlaces" type="checkbox" value="on" checked"#,
            "<dt>places would be added</dt><dd>3</dd>",
        ] {
            assert!(chosen.contains(part), "{part}: {chosen}");
        }
        let plain = page(b"collection=places");
        assert!(!plain.contains("name=\"mode\"") && !plain.contains("createPlaces"));
    }

    #[test]
    fn a_check_with_invalid_lines_offers_to_import_the_others() {
        let page = |form: &[u8]| {
            let mut report = Report::new(Form::parse(form), b"name\na\n");
            let _ = report.push(format!("{BATCH}\n{TOTALS}\n").as_bytes());
            report.end(Some("name\na"))
        };
        let button = r#"name="importValid" value="on">Import the valid lines"#;
        assert!(page(b"dryRun=true").contains(button));
        assert!(!page(b"dryRun=false").contains(button));
        let skipped = page(b"dryRun=true&skipInvalid=on");
        assert!(!skipped.contains(button) && skipped.contains("These lines would be left out."));
        assert!(skipped.contains(r#"<input type="hidden" name="skipInvalid" value="on">"#));
        assert!(page(b"dryRun=false&skipInvalid=on").contains("These lines were left out."));
    }

    #[test]
    fn a_record_of_a_json_array_is_named_by_its_number() {
        let batch = BATCH.replace(r#""line":3"#, r#""line":1,"index":2"#);
        let mut report = Report::new(Form::parse(b"dryRun=true"), b"name\na\n");
        let _ = report.push(format!("{batch}\n{TOTALS}\n").as_bytes());
        assert!(
            report
                .end(None)
                .contains(r#"<th scope="row">1, record 3</th>"#)
        );
    }

    #[test]
    fn an_interrupted_response_is_reported() {
        let mut report = Report::new(Form::parse(b"dryRun=false"), b"");
        let _ = report.push(BATCH.as_bytes());
        assert!(report.end(None).contains("The import was interrupted."));
    }
}
