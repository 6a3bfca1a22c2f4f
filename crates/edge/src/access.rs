//! Who may write, as the worker's settings say.

use registry::access::{Token, Writers};
use worker::Env;

use crate::{Call, Error, Method};

/// Who may write: the variable `WRITES` and the secret `WRITE_TOKENS`.
#[must_use]
pub fn writers(env: &Env) -> Writers {
    let setting = |name| env.var(name).ok().map(|value| value.to_string());
    Writers::of(
        setting("WRITES").as_deref(),
        setting("WRITE_TOKENS").as_deref(),
    )
}

/// The guard of a route table that is open to the world: who does more than read needs a
/// token.
///
/// # Errors
/// A writer without one.
pub fn writers_only(call: &Call, method: Method) -> Result<(), Error> {
    if method.is_safe() {
        return Ok(());
    }
    let token = Token::of_authorization(call.header("authorization").as_deref())?;
    Ok(writers(&call.env).admit(token.as_ref())?)
}
