//! Renders the invalid lines of an import, and names the lines of the batches that have one.

use maud::{Markup, html};

use super::report_line::InvalidLine;
use crate::layout::number;

/// The number of lines that a row of the table lists.
const MAX_LISTED: usize = 5;

/// A cause, and the lines that have it.
struct Cause {
    text: String,
    lines: Vec<String>,
    count: i64,
}

/// The invalid lines, one row per cause. `describe` is the text of a line's problem.
pub fn table(invalid: &[InvalidLine], describe: impl Fn(&InvalidLine) -> String) -> Markup {
    let mut causes: Vec<Cause> = Vec::new();
    for line in invalid {
        let text = describe(line);
        let known = causes.iter().position(|cause| cause.text == text);
        let known = known.unwrap_or_else(|| {
            causes.push(Cause {
                text,
                lines: Vec::new(),
                count: 0,
            });
            causes.len() - 1
        });
        if let Some(cause) = causes.get_mut(known) {
            cause.count += 1;
            if cause.lines.len() < MAX_LISTED {
                cause.lines.push(position(line));
            }
        }
    }
    html! {
        table.refusals {
            thead { tr { th scope="col" { "Lines" } th scope="col" { "Problem" } } }
            tbody {
                @for Cause { text, lines, count } in &causes {
                    @let more = count - i64::try_from(lines.len()).unwrap_or_default();
                    tr {
                        th scope="row" {
                            (lines.join(", "))
                            @if more > 0 { " and " (number(more)) " more" }
                        }
                        td { (text) }
                    }
                }
            }
        }
    }
}

fn position(line: &InvalidLine) -> String {
    match line.index {
        Some(index) => format!("{}, record {}", line.line, index + 1),
        None => number(line.line),
    }
}

/// The lines of a batch that is not imported.
#[derive(Debug, Default)]
pub struct Ranges(Vec<(i64, i64)>);

impl Ranges {
    /// Adds the lines of the next batch.
    pub fn push(&mut self, first: i64, last: i64) {
        match self.0.last_mut() {
            Some((_, end)) if *end + 1 == first => *end = last,
            _ => self.0.push((first, last)),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The lines in words: "lines 2 to 10,001 and line 30,002".
    pub fn to_text(&self) -> String {
        let ranges: Vec<String> = self.0.iter().map(range).collect();
        match ranges.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => String::new(),
        }
    }
}

fn range(&(first, last): &(i64, i64)) -> String {
    if first == last {
        format!("line {}", number(first))
    } else {
        format!("lines {} to {}", number(first), number(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ApiProblem;

    fn invalid(line: i64, index: Option<i64>, detail: &str) -> InvalidLine {
        InvalidLine {
            line,
            index,
            problem: ApiProblem {
                detail: detail.to_owned(),
                ..ApiProblem::default()
            },
        }
    }

    #[test]
    fn lines_with_the_same_problem_are_one_row() {
        let mut lines: Vec<InvalidLine> = (0..1_200).map(|n| invalid(n + 2, None, "A")).collect();
        lines.insert(1, invalid(1, Some(2), "<B>"));
        let page = table(&lines, |line| line.problem.detail.clone()).into_string();
        let rows = page.split("<tr>").skip(2).collect::<Vec<_>>();
        assert_eq!(rows.len(), 2);
        assert!(
            rows[0].starts_with(r#"<th scope="row">2, 3, 4, 5, 6 and 1,195 more</th><td>A</td>"#)
        );
        assert!(rows[1].starts_with(r#"<th scope="row">1, record 3</th><td>&lt;B&gt;</td>"#));
    }

    #[test]
    fn batches_that_follow_each_other_are_one_range() {
        let mut ranges = Ranges::default();
        assert_eq!((ranges.is_empty(), ranges.to_text()), (true, String::new()));
        ranges.push(2, 10_001);
        assert_eq!(ranges.to_text(), "lines 2 to 10,001");
        ranges.push(10_002, 20_001);
        ranges.push(30_002, 30_002);
        assert_eq!(ranges.to_text(), "lines 2 to 20,001 and line 30,002");
    }
}
