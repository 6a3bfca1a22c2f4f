//! The headers of responses.

use wasm_bindgen::JsValue;
use web_sys::Headers;

/// The headers for browsers of every response that does not set others.
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
    static EVERY: Result<Headers, JsValue> = Headers::new().and_then(|headers| {
        for (name, value) in FOR_BROWSERS {
            headers.set(name, value)?;
        }
        Ok(headers)
    });
}

/// New headers, with those for browsers.
pub fn for_browsers() -> Result<Headers, JsValue> {
    EVERY.with(|every| {
        let every = every.as_ref().map_err(Clone::clone)?;
        Headers::new_with_headers(every)
    })
}

/// Sets headers. `Vary` is appended.
pub fn add(to: &Headers, headers: &[(&'static str, String)]) -> Result<(), JsValue> {
    for (name, value) in headers {
        if *name == "vary" {
            to.append(name, value)?;
        } else {
            to.set(name, value)?;
        }
    }
    Ok(())
}
