//! Shared by the forms: the session, the CSRF check, and sending the write to a backend.

use domain::Param;
use edge::{Error, Request, Response, ServiceClient, auth};
use http_semantics::Problem;
use http_semantics::auth::{AccessPolicy, BearerToken, Scope};
use http_semantics::problem::Kind;
use pages::api::ApiProblem;
use pages::{Form, login};

use super::html;
use super::reads::place_named;
use crate::backends::Backends;
use crate::backends::header;
use crate::domain::session;

/// The most bytes of a form.
const FORM_BYTES: usize = 64 * 1024;

/// The session of a browser.
pub struct Session {
    policy: AccessPolicy,
    token: Option<BearerToken>,
    is_new: bool,
}

impl Session {
    /// The session of a request, by its cookie.
    pub fn load(request: &Request) -> Self {
        Self {
            policy: auth::access_policy(&request.env),
            token: session::token(request.header("cookie").as_deref()),
            is_new: false,
        }
    }

    /// Adds a token field to a form, if the session needs one to write.
    pub fn begin(&self, mut form: Form) -> Form {
        form.needs_token = self
            .policy
            .authorize(Scope::Write, self.token.as_ref())
            .is_err();
        form
    }

    /// Requires the scope `read`.
    ///
    /// # Errors
    /// A missing token, if reading needs one.
    pub fn require_read(&self) -> Result<(), Problem> {
        self.policy.authorize(Scope::Read, self.token.as_ref())
    }

    /// Whether the sender of a form may write. If not, the form states why.
    pub fn may_write(&mut self, form: &mut Form) -> bool {
        self.has_scope(Scope::Write, form)
    }

    fn has_scope(&mut self, scope: Scope, form: &mut Form) -> bool {
        if let Some(given) = form.filled("token") {
            self.token = BearerToken::parse(given);
            self.is_new = true;
            if self.token.is_none() {
                form.needs_token = true;
                form.add_error("token", format!("Must be {}.", BearerToken::EXPECTED));
                return false;
            }
        }
        match self.policy.authorize(scope, self.token.as_ref()) {
            Ok(()) => true,
            Err(problem) => {
                self.is_new = false;
                refuse(form, &problem);
                false
            }
        }
    }

    /// Stores a new and valid token in the browser.
    pub fn store(&self, answer: Response) -> Response {
        let new = self.token.as_ref().filter(|_| self.is_new);
        answer.header_if("set-cookie", new.map(session::set_cookie))
    }
}

/// Shows a problem in a form.
pub fn refuse(form: &mut Form, problem: &Problem) {
    if let Ok(refusal) = serde_json::from_str::<ApiProblem>(&problem.to_json()) {
        form.show_problem(&refusal);
    }
}

/// Rejects a form of another origin.
///
/// # Errors
/// A form of another origin.
pub fn require_same_origin(request: &Request) -> Result<(), Error> {
    let (origin, site) = (request.header("origin"), request.header("sec-fetch-site"));
    if session::is_same_origin(&request.parts.url, origin.as_deref(), site.as_deref()) {
        Ok(())
    } else {
        Err(Problem::foreign_form().into())
    }
}

/// Reads a form.
///
/// # Errors
/// A form of another origin, of another media type, or too long.
pub async fn read(request: &Request) -> Result<Form, Error> {
    require_same_origin(request)?;
    request.media_type(&["application/x-www-form-urlencoded"])?;
    Ok(Form::parse(&request.body(FORM_BYTES).await?))
}

/// The place that a field names: none if the field is empty, or if the name is unknown, which the
/// form then states.
///
/// # Errors
/// A backend that failed.
pub async fn place(
    backends: &Backends,
    form: &mut Form,
    field: &'static str,
) -> Result<Option<i64>, Error> {
    let Some(text) = form.filled(field) else {
        return Ok(None);
    };
    let found = place_named(backends, text).await?;
    if found.is_none() {
        form.add_error(field, "There is no place of this name.");
    }
    Ok(found)
}

/// The write of a form.
pub struct Write<'a> {
    /// The method.
    pub method: &'a str,
    /// The path.
    pub path: String,
    /// The JSON body.
    pub body: Option<serde_json::Value>,
}

impl Write<'_> {
    /// Sends the write. Without a response, the form states why.
    ///
    /// # Errors
    /// A response that cannot be read.
    pub async fn send(
        self,
        backend: &ServiceClient,
        form: &mut Form,
    ) -> Result<Option<web_sys::Response>, Error> {
        let version = form
            .filled("version")
            .map(|version| format!("\"{version}\""));
        let key = form.filled("key").map(ToOwned::to_owned);
        let body = self.body.map(|body| body.to_string());
        let headers: Vec<(&str, &str)> = [
            ("if-match", version.as_deref()),
            ("idempotency-key", key.as_deref()),
            ("content-type", body.as_ref().map(|_| "application/json")),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
        let body = body.as_deref().map(str::as_bytes);
        let sent = backend.send(self.method, &self.path, &headers, body).await;
        let response = match sent {
            Ok(response) => response,
            Err(error) => {
                refuse(form, &error.into_problem());
                return Ok(None);
            }
        };
        if response.status() < 400 {
            if self.method != "POST" || id_of(&response).is_some() {
                return Ok(Some(response));
            }
            let error = backend.unusable_response("what has been added has no address");
            refuse(form, &error.into_problem());
            return Ok(None);
        }
        let refusal = backend.bytes(&response).await?;
        match serde_json::from_slice::<ApiProblem>(&refusal) {
            Ok(refusal) => form.show_problem(&refusal),
            Err(error) => refuse(
                form,
                &backend.unusable_response(&error.to_string()).into_problem(),
            ),
        }
        Ok(None)
    }
}

/// The id of a created record.
pub fn id_of(created: &web_sys::Response) -> Option<String> {
    let location = header(created, "location")?;
    location.rsplit('/').next().map(ToOwned::to_owned)
}

/// Adds an idempotency key, so that sending a form twice writes once.
pub fn add_idempotency_key(form: &mut Form) {
    if form.filled("key").is_none() {
        form.set("key", edge::random_token());
    }
}

/// The page that asks for a token to read.
pub fn login_page(problem: &Problem) -> Response {
    let mut form = Form::default();
    form.needs_token = true;
    if problem.kind() != Kind::TokenRequired {
        refuse(&mut form, problem);
    }
    html(problem.status(), login::page(&form))
}

/// `POST /ui/enter`: stores a token in the browser.
///
/// # Errors
/// A form of another origin.
pub async fn login(request: Request) -> Result<Response, Error> {
    let mut form = read(&request).await?;
    let mut session = Session::load(&request);
    if session.has_scope(Scope::Read, &mut form) {
        return Ok(session.store(Response::see_other("/")));
    }
    form.needs_token = true;
    Ok(html(form.status(), login::page(&form)))
}

/// `POST /ui/forget`: deletes the token from the browser.
///
/// # Errors
/// A form of another origin.
pub async fn logout(request: Request) -> Result<Response, Error> {
    require_same_origin(&request)?;
    Ok(Response::see_other("/?done=forgotten").header("set-cookie", session::clear_cookie()))
}
