//! Unicode normalization.

/// Normalization form C. The platform's function makes Unicode's tables unnecessary in wasm.
#[must_use]
pub fn normalize(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let normalized = js_sys::JsString::from(text).normalize("NFC");
    String::from(normalized)
}
