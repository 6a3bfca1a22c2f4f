//! Renders the bars of the overview as SVG.

use maud::{Markup, html};

use super::Counts;

/// The hatching of the bars of dead people, because colour alone is not accessible.
pub fn hatching() -> Markup {
    html! {
        svg.defs width="0" height="0" aria-hidden="true" focusable="false" {
            defs {
                pattern #hatch width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    rect.hatch-ground width="6" height="6" {}
                    rect.hatch-line width="2.5" height="6" {}
                }
            }
        }
    }
}

/// The sign of a legend entry: `living` or `dead`.
pub fn legend_key(class: &str) -> Markup {
    html! {
        svg.key width="14" height="14" { rect class=(class) width="14" height="14" rx="2" {} }
    }
}

/// A bar. Screen readers skip it, because the row has the numbers.
pub fn bar(counts: &Counts, max_population: i64) -> Markup {
    let max_population = max_population.max(counts.living + counts.dead).max(1);
    // In thousandths of the width.
    let part = |count: i64| count.saturating_mul(1000) / max_population;
    let (living, dead) = (part(counts.living), part(counts.dead));
    let percent = |part: i64| format!("{}.{}%", part / 10, part % 10);
    html! {
        svg.bar width="100%" height="16" aria-hidden="true" focusable="false" {
            rect.living width=(percent(living)) height="16" rx="2" {}
            rect.dead x=(percent(living)) width=(percent(dead)) height="16" rx="2" {}
        }
    }
}
