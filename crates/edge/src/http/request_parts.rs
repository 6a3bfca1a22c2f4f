//! The platform's request.

use web_sys::Headers;

use crate::http::headers;

/// The methods that routes distinguish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// HEAD
    Head,
    /// OPTIONS
    Options,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
    /// Any other.
    Other,
}

impl Method {
    const KNOWN: [Self; 7] = [
        Self::Get,
        Self::Head,
        Self::Options,
        Self::Post,
        Self::Put,
        Self::Patch,
        Self::Delete,
    ];

    /// The method's name, which is empty for [`Self::Other`].
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Other => "",
        }
    }

    /// Whether the method only reads (RFC 9110, 9.2.1).
    #[must_use]
    pub fn is_safe(self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Options)
    }
}

impl From<&str> for Method {
    fn from(name: &str) -> Self {
        let known = Self::KNOWN.into_iter().find(|method| method.name() == name);
        known.unwrap_or(Self::Other)
    }
}

/// The platform's request. Method and URL are read once, because each read is a call to JavaScript
/// and a copy.
#[derive(Clone)]
pub struct RequestParts {
    /// The platform's request, for its body.
    pub request: web_sys::Request,
    /// Its headers.
    pub headers: Headers,
    /// Its method.
    pub method: Method,
    /// Its complete URL.
    pub url: String,
}

impl From<web_sys::Request> for RequestParts {
    fn from(request: web_sys::Request) -> Self {
        Self {
            headers: request.headers(),
            method: Method::from(request.method().as_str()),
            url: request.url(),
            request,
        }
    }
}

impl RequestParts {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        headers::get(&self.headers, name)
    }
}
