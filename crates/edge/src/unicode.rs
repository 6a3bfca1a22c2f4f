//! Unicode normalization.

/// Unicode's normal form C, by the platform's function.
#[must_use]
pub fn normalize(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let normal = js_sys::JsString::from(text).normalize("NFC");
    String::from(normal)
}
