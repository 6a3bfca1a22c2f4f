//! Renders the parts that all pages share: head, navigation, notices and footer.

use maud::{DOCTYPE, Markup, html};

/// The Content-Security-Policy of every page. It allows this site's own files, and nothing inline.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";

/// A notice at the top of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A confirmation.
    Done(String),
    /// A confirmation that something was added, and the path of the form that adds another.
    Added(String, String),
    /// A warning.
    Warning(String),
}

/// The pages of the navigation, with their names.
const NAVIGATION: [(&str, &str); 5] = [
    ("/", "Places"),
    ("/ui/people", "People"),
    ("/ui/changes", "Changes"),
    ("/ui/import", "Import"),
    ("/docs/", "API"),
];

/// The name of the site.
const SITE: &str = "People per place";

/// A whole page.
pub fn document(title: &str, data: Option<&str>, notices: &[Notice], main: &Markup) -> Markup {
    main_document("", title, data, notices, main)
}

/// A whole page that has a link in the navigation. `path` is the path of the link.
pub fn main_document(
    path: &str,
    title: &str,
    data: Option<&str>,
    notices: &[Notice],
    main: &Markup,
) -> Markup {
    html! {
        (opening(path, title, data, notices))
        (main)
        (closing())
    }
}

/// The start of a page, up to its content. `path` is that of its link in the navigation, or empty.
/// `data` is the path of the same data as JSON.
pub fn opening(path: &str, title: &str, data: Option<&str>, notices: &[Notice]) -> Markup {
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
                @for (link, name) in NAVIGATION {
                    a href=(link) aria-current=[(link == path).then_some("page")] { (name) }
                }
            }
        }
        (maud::PreEscaped("<main id=\"main\" tabindex=\"-1\">"))
        @for notice in notices { (notice_html(notice)) }
    };
    start
}

/// The end of a page.
pub fn closing() -> Markup {
    html! {
        (maud::PreEscaped("</main>"))
        footer {
            p {
                "Data: "
                a href="/v1/people-per-place" { "people per place" } ", "
                a href="/v1/statistics/places" { "statistics" } ", "
                a href="/openapi.json" { "API description" }
            }
            p { a href="/ui/enter" { "Token" } }
        }
        (maud::PreEscaped("</body></html>"))
    }
}

fn notice_html(notice: &Notice) -> Markup {
    match notice {
        Notice::Done(text) => html! { p.notice.done role="status" { (text) } },
        Notice::Added(text, path) => html! {
            p.notice.done { span role="status" { (text) } " " a href=(path) { "Add another" } }
        },
        Notice::Warning(text) => html! { p.notice.warning role="alert" { (text) } },
    }
}

/// A number with thousands separators.
pub fn number(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "−" } else { "" });
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time, to the minute.
pub fn time(at: &str) -> Markup {
    let minute = at.get(..16).unwrap_or(at).replace('T', " ");
    html! { time datetime=(at) { (minute) " UTC" } }
}

/// A path with a query. Empty parameters are left out.
pub fn with_query(path: &str, parameters: &[(&str, &str)]) -> String {
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
    fn numbers_have_thousands_separators() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1_000), "1,000");
        assert_eq!(number(-12_345_678), "−12,345,678");
    }

    #[test]
    fn the_values_of_a_page_are_escaped() {
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
    fn a_page_has_nothing_inline() {
        let page = document("", None, &[], &html! {}).into_string();
        assert!(!page.contains(" style=") && !page.contains(" on"), "{page}");
        assert!(page.contains("<script src=\"/site.js\" defer></script>"));
    }

    #[test]
    fn the_link_of_the_current_page_is_marked() {
        let page = main_document("/ui/people", "People", None, &[], &html! {}).into_string();
        assert_eq!(page.matches("aria-current").count(), 1);
        assert!(page.contains(r#"<a href="/ui/people" aria-current="page">People</a>"#));
        let import = crate::import::page(&crate::Form::default()).into_string();
        assert!(import.contains(r#"<a href="/ui/import" aria-current="page">Import</a>"#));
        let other = document("Ana", None, &[], &html! {}).into_string();
        assert!(!other.contains("aria-current"));
    }

    #[test]
    fn a_query_leaves_out_empty_parameters() {
        assert_eq!(
            with_query("/", &[("name", "a b"), ("sort", "")]),
            "/?name=a+b"
        );
        assert_eq!(with_query("/", &[("sort", "")]), "/");
    }
}
