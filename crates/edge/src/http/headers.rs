//! Reads and sets HTTP headers in the JavaScript `Headers` objects of requests and responses.

use wasm_bindgen::JsValue;
use web_sys::Headers;

/// The headers for browsers, which every response has unless it sets others.
const FOR_BROWSERS: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

thread_local! {
    /// The same as a JavaScript object, which one call copies.
    static BROWSER_HEADERS: Result<Headers, JsValue> = Headers::new().and_then(|headers| {
        for (name, value) in FOR_BROWSERS {
            headers.set(name, value)?;
        }
        Ok(headers)
    });
}

/// A header's value.
pub fn get(headers: &Headers, name: &str) -> Option<String> {
    headers.get(name).ok().flatten()
}

/// New headers, with those for browsers.
pub fn for_browsers() -> Result<Headers, JsValue> {
    BROWSER_HEADERS.with(|headers| {
        let headers = headers.as_ref().map_err(Clone::clone)?;
        Headers::new_with_headers(headers)
    })
}

/// Sets headers. A name in `Vary` is appended once, because several layers depend on the same header.
pub fn add(to: &Headers, headers: &[(&'static str, String)]) -> Result<(), JsValue> {
    for (name, value) in headers {
        if *name == "vary" {
            let known = to.get(name)?.unwrap_or_default();
            let mut known = known.split(',').map(str::trim);
            if !known.any(|known| known.eq_ignore_ascii_case(value)) {
                to.append(name, value)?;
            }
        } else {
            to.set(name, value)?;
        }
    }
    Ok(())
}
