//! CORS, as the setting `ALLOWED_ORIGINS` says: one place for every answer of a worker.

use http_semantics::cors::Policy;

use crate::{Answer, Env, Incoming, Method};

/// The setting: one look, and where there is no such setting nothing else.
const SETTING: &str = "ALLOWED_ORIGINS";

/// What of a request CORS is about.
pub struct Cors {
    setting: String,
    origin: Option<String>,
    is_preflight: bool,
}

impl Cors {
    /// That of a request; none where nobody is let in.
    pub fn of(incoming: &Incoming, env: &Env) -> Option<Self> {
        let setting = env.setting(SETTING)?;
        if Policy::of(&setting).is_closed() {
            return None;
        }
        let is_options = incoming.method == Method::Options;
        Some(Self {
            setting,
            origin: incoming.header("origin"),
            is_preflight: is_options && incoming.header("access-control-request-method").is_some(),
        })
    }

    /// The answer with what it says to other origins. A preflight is the answer to OPTIONS, of
    /// whichever worker.
    pub fn add_to(&self, answer: Answer) -> Answer {
        let allow = answer.allow().filter(|_| self.is_preflight);
        Policy::of(&self.setting)
            .headers(self.origin.as_deref(), allow.as_deref())
            .into_iter()
            .fold(answer, |answer, (name, value)| answer.header(name, value))
    }
}
