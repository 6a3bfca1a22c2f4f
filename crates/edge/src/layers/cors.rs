//! Adds the CORS headers to all responses of a worker, as the setting `ALLOWED_ORIGINS` says.

use http_semantics::cors::CorsPolicy;

use crate::env::Env;
use crate::http::request::{Method, RequestParts};
use crate::http::response::Response;

/// The setting. Without it the layer does nothing.
pub const SETTING: &str = "ALLOWED_ORIGINS";

/// The parts of a request that decide the CORS headers of its response.
pub struct Cors {
    setting: String,
    origin: Option<String>,
    is_preflight: bool,
}

impl Cors {
    /// Reads it from a request. None if no origin is allowed.
    pub fn new(parts: &RequestParts, env: &Env) -> Option<Self> {
        let setting = env.setting(SETTING)?;
        if CorsPolicy::new(&setting).is_closed() {
            return None;
        }
        let is_options = parts.method == Method::Options;
        Some(Self {
            setting,
            origin: parts.header("origin"),
            is_preflight: is_options && parts.header("access-control-request-method").is_some(),
        })
    }

    /// Adds the CORS headers. The response to a preflight lists the methods in `Allow`, also if it
    /// is proxied.
    pub fn add_to(&self, response: Response) -> Response {
        let allow = response.allow().filter(|_| self.is_preflight);
        CorsPolicy::new(&self.setting)
            .headers(self.origin.as_deref(), allow.as_deref())
            .into_iter()
            .fold(response, |response, (name, value)| {
                response.header(name, value)
            })
    }
}
