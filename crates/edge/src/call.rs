//! A request, as far as a handler needs it.

use registry::{Param, Params, Problem};
use worker::{Context, Env};

/// The methods that routes tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// HEAD
    Head,
    /// OPTIONS
    Options,
    /// Any other.
    Other,
}

impl From<&str> for Method {
    fn from(method: &str) -> Self {
        match method {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "OPTIONS" => Self::Options,
            _ => Self::Other,
        }
    }
}

/// One request on its way to a handler.
pub struct Call {
    /// The request itself.
    pub request: web_sys::Request,
    /// The bindings.
    pub env: Env,
    /// What outlives the answer.
    pub context: Context,
    /// The query string, without the `?`.
    pub query: String,
    /// The variable segments of the path, in the order of the route.
    pub segments: Vec<String>,
}

impl Call {
    /// The id in the path.
    ///
    /// # Errors
    /// A segment that is no id.
    pub fn id<T: Param>(&self) -> Result<T, Problem> {
        self.segments
            .first()
            .and_then(|segment| T::parse(segment))
            .ok_or_else(|| Problem::invalid_parameter("id", T::EXPECTED))
    }

    /// The query parameters, of which `known` are all that may be given.
    ///
    /// # Errors
    /// An unknown or repeated parameter.
    pub fn params(&self, known: &'static [&'static str]) -> Result<Params, Problem> {
        Params::read(&self.query, known)
    }

    /// A request header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        self.request.headers().get(name).ok().flatten()
    }

    /// The form that a list is wanted in.
    #[must_use]
    pub fn format(&self) -> registry::Format {
        registry::Format::preferred(self.header("accept").as_deref())
    }
}
