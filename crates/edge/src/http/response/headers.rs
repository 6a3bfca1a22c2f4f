//! The headers of an answer.

use wasm_bindgen::JsValue;
use web_sys::Headers;

/// What every answer says to a browser, unless it says something else itself.
const SAID: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

thread_local! {
    /// The same as headers, which one call copies.
    static EVERY: Result<Headers, JsValue> = Headers::new().and_then(|headers| {
        for (name, value) in SAID {
            headers.set(name, value)?;
        }
        Ok(headers)
    });
}

/// New headers, with what every answer says to a browser.
pub fn for_browsers() -> Result<Headers, JsValue> {
    EVERY.with(|every| {
        let every = every.as_ref().map_err(Clone::clone)?;
        Headers::new_with_headers(every)
    })
}

/// Adds headers: one of a name, but for those that an answer varies by.
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
