//! What all pages share: head, navigation, notices and foot.

use maud::{DOCTYPE, Markup, html};

/// The Content-Security-Policy of every page: what is not from here does not run, and nothing
/// is inline.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";

/// Something to be told above the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// It has been done.
    Done(String),
    /// Something is not as it should be.
    Warning(String),
}

/// The name of the whole.
const SITE: &str = "People per place";

/// A whole page.
pub fn document(title: &str, data: Option<&str>, notices: &[Notice], main: &Markup) -> Markup {
    html! {
        (opening(title, data, notices))
        (main)
        (closing())
    }
}

/// A page up to its content; `data` is the address of the same as JSON.
pub fn opening(title: &str, data: Option<&str>, notices: &[Notice]) -> Markup {
    let title = if title.is_empty() {
        SITE.to_owned()
    } else {
        format!("{title} · {SITE}")
    };
    let head = html! {
        meta charset="utf-8";
        meta name="viewport" content="width=device-width, initial-scale=1";
        meta name="color-scheme" content="light dark";
        title { (title) }
        link rel="icon" href="/icon.svg" type="image/svg+xml";
        link rel="stylesheet" href="/site.css";
        @if let Some(data) = data {
            link rel="alternate" type="application/json" href=(data);
        }
        script src="/site.js" defer {}
    };
    // The elements that stay open are closed by `closing`.
    let start = html! {
        (DOCTYPE)
        (maud::PreEscaped("<html lang=\"en\">"))
        head { (head) }
        (maud::PreEscaped("<body>"))
        a.skip href="#main" { "Skip to the content" }
        header.top {
            a.brand href="/" { (SITE) }
            nav aria-label="Main" {
                a href="/" { "Places" }
                a href="/ui/people" { "People" }
                a href="/ui/import" { "Import" }
                a href="/docs/" { "API" }
            }
        }
        (maud::PreEscaped("<main id=\"main\" tabindex=\"-1\">"))
        @for notice in notices { (told(notice)) }
    };
    start
}

/// What closes a page.
pub fn closing() -> Markup {
    html! {
        (maud::PreEscaped("</main>"))
        footer {
            p {
                "All of it is data, too: "
                a href="/v1/people-per-place" { "people per place" } ", "
                a href="/v1/statistics/places" { "statistics" } ", "
                a href="/openapi.json" { "the whole API" } "."
            }
            form method="post" action="/ui/forget" {
                button.link type="submit" { "Forget my token" }
            }
        }
        (maud::PreEscaped("</body></html>"))
    }
}

fn told(notice: &Notice) -> Markup {
    match notice {
        Notice::Done(what) => html! { p.notice.done role="status" { (what) } },
        Notice::Warning(what) => html! { p.notice.warning role="alert" { (what) } },
    }
}

/// A number with its thousands apart.
pub fn number(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "−" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A moment, to the minute.
pub fn moment(at: &str) -> Markup {
    let minute = at.get(..16).unwrap_or(at).replace('T', " ");
    html! { time datetime=(at) { (minute) " UTC" } }
}

/// An address with a query.
pub fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, value);
    }
    let query = query.finish();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_thousands_apart() {
        let plain = |n| number(n).replace('\u{202f}', " ");
        assert_eq!(plain(0), "0");
        assert_eq!(plain(999), "999");
        assert_eq!(plain(1_000), "1 000");
        assert_eq!(plain(-12_345_678), "−12 345 678");
    }

    #[test]
    fn what_a_page_is_made_of_is_escaped() {
        let warning = Notice::Warning("<script>".to_owned());
        let page = document(
            "</title><b>",
            Some("/v1\"><b>"),
            &[warning],
            &html! { p { "<i>" } },
        );
        let page = page.into_string();
        assert!(page.contains("&lt;/title&gt;&lt;b&gt; · People per place"));
        assert!(!page.contains("<b>") && !page.contains("<i>") && !page.contains("<script>"));
    }

    #[test]
    fn nothing_is_inline() {
        let page = document("", None, &[], &html! {}).into_string();
        assert!(!page.contains(" style=") && !page.contains(" on"), "{page}");
        assert!(page.contains("<script src=\"/site.js\" defer></script>"));
    }

    #[test]
    fn an_address_leaves_out_what_is_empty() {
        assert_eq!(address("/", &[("name", "a b"), ("sort", "")]), "/?name=a+b");
        assert_eq!(address("/", &[("sort", "")]), "/");
    }
}
