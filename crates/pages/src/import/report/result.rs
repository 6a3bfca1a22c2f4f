//! Renders the result of an import: its numbers, and what a reader may not expect.

use maud::{Markup, html};

use super::{AGAIN, Report, ReportLine};
use crate::layout::number;

impl Report {
    pub(super) fn summary(&self, totals: &ReportLine) -> Markup {
        let [added, changed, left_out] = if self.is_check() {
            [
                "would be added",
                "would be changed",
                "would not be imported",
            ]
        } else {
            ["added", "changed", "not imported"]
        };
        let counts = [
            ("read", totals.read),
            (added, totals.created),
            (changed, totals.updated),
            ("unchanged", totals.unchanged),
            ("imported before", totals.already_written),
            ("invalid", totals.refused_total),
        ];
        let valid_left_out = totals.left_out();
        html! {
            h2 { "Result" }
            dl.totals.report {
                @if totals.places_created > 0 {
                    div { dt { "places " (added) } dd { (number(totals.places_created)) } }
                }
                @for (label, count) in counts { div { dt { (label) } dd { (number(count)) } } }
                @if valid_left_out > 0 {
                    div { dt { "valid but " (left_out) } dd { (number(valid_left_out)) } }
                }
            }
            @if self.is_complete() && totals.read == 0 {
                p.notice.warning role="alert" { "The file has no lines to import. A CSV file has them below its header." }
            }
            @if self.is_check() { p { "This was a check. Nothing was changed." } }
        }
    }

    /// The lines of the batches that have an invalid line. A reader may take them for imported.
    pub(super) fn left_out_notice(&self) -> Markup {
        let totals = self.totals.as_ref();
        let invalid = totals.map_or(0, |totals| totals.refused_total);
        let valid = self.left_out_records - invalid;
        html! {
            @if !self.left_out.is_empty() && valid > 0 {
                p.notice.warning role="alert" {
                    @if valid == 1 { "1 valid line " } @else { (number(valid)) " valid lines " }
                    @if self.is_check() { "would not be imported" }
                    @else if valid == 1 { "was not imported" }
                    @else { "were not imported" }
                    ", because a batch with an invalid line is not imported at all: " (self.left_out.to_text()) ". "
                    @if self.is_check() { "Fix the invalid lines, or import only the valid ones." }
                    @else { "Fix the invalid lines and import the file again: what was imported is not added twice." }
                }
            }
        }
    }

    /// How many people are recorded as dead because the file does not say that they are alive.
    pub(super) fn states_notice(&self) -> Markup {
        let (column, known) = self.states.map_or((false, i64::MAX), |states| {
            (states.lacks_column, states.known)
        });
        let totals = self.totals.as_ref();
        let has_written = totals.is_some_and(|totals| totals.created + totals.updated > 0);
        let unknown = self.read().saturating_sub(known);
        html! {
            @if unknown > 0 && self.is_complete() && (self.is_check() || has_written) {
                p.notice.warning role="alert" {
                    @if column { "The file has no column isAlive: " } @else { "The column isAlive is empty or missing in some lines: " }
                    @if unknown == 1 { "1 person " } @else { (number(unknown)) " people " }
                    @if self.is_check() { "would be" } @else if unknown == 1 { "is" } @else { "are" }
                    " recorded as dead"
                    @if totals.is_some_and(|totals| totals.refused_total > 0) { ", unless their lines are invalid" }
                    "."
                    @if self.form.get("mode") == "upsert" { " An update replaces all data. To keep what the file does not have, choose “Changes given columns by id”." }
                }
            }
        }
    }

    pub(super) fn imported_before(&self, has_file: bool) -> Markup {
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
}
