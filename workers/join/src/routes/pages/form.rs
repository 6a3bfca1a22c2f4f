//! Code that all forms share: the session, the protection against cross-site request forgery, and
//! the write that a form sends to a backend.

use domain::Param;
use edge::{Env, Error, Request, Response, ServiceClient, auth};
use http_semantics::auth::{AccessPolicy, BearerToken, Scope};
use http_semantics::from_json;
use http_semantics::idempotency::IdempotencyKey;
use http_semantics::params::is_utf8;
use http_semantics::problem::Kind;
use http_semantics::{Problem, Tag, Validator};
use maud::Markup;
use pages::api::ApiProblem;
use pages::{Form, login, no_such_place};

use super::html;
use super::reads::{find_place, similar_places, unusable_body};
use crate::access::session_token;
use crate::backends::{Backends, header, tag};
use crate::domain::session;

/// The maximum size of a form without a file.
const MAX_FORM_BYTES: usize = 64 * 1024;

/// The session of a browser.
pub struct Session {
    env: Env,
    policy: AccessPolicy,
    token: Option<BearerToken>,
    /// Whether the token comes from the form, not from the cookie.
    is_new: bool,
}

impl Session {
    /// The session of a request, by its cookie.
    pub fn load(request: &Request) -> Self {
        Self {
            policy: auth::access_policy(&request.env),
            token: session_token(request),
            env: request.env.clone(),
            is_new: false,
        }
    }

    /// An empty form. It has a field for the token, if the session needs one to write.
    pub fn empty_form(&self) -> Form {
        let mut form = Form::default();
        form.needs_token = !self.has_write_access();
        form
    }

    /// Requires the scope `read`.
    ///
    /// # Errors
    /// A missing token, if reading needs one.
    pub fn require_read(&self) -> Result<(), Problem> {
        self.policy.authorize(Scope::Read, self.token.as_ref())
    }

    /// Why the page of the login asks for a token.
    pub fn why_log_in(&self) -> &'static str {
        match self.policy.authorize(Scope::Read, None) {
            Ok(()) => WRITING_NEEDS_A_TOKEN,
            Err(_) => READING_NEEDS_A_TOKEN,
        }
    }

    /// Whether the cookie is enough to write.
    pub fn has_write_access(&self) -> bool {
        self.policy
            .authorize(Scope::Write, self.token.as_ref())
            .is_ok()
    }

    /// Whether the sender of a form may write. If not, the form shows why.
    pub fn may_write(&mut self, form: &mut Form) -> bool {
        self.has_scope(Scope::Write, form)
    }

    fn has_scope(&mut self, scope: Scope, form: &mut Form) -> bool {
        if let Some(typed) = form.filled("token") {
            let Some(token) = BearerToken::parse(typed) else {
                form.needs_token = true;
                form.add_error("token", format!("Must be {}.", BearerToken::EXPECTED));
                return false;
            };
            // Verified even if the scope needs no token: the browser would store any text.
            let Some(grant) = self.policy.grant_of(&token) else {
                show_problem(form, &Problem::token_refused());
                return false;
            };
            self.env.set_caller(&token, grant.actor);
            self.token = Some(token);
            self.is_new = true;
        }
        match self.policy.authorize(scope, self.token.as_ref()) {
            Ok(()) => true,
            Err(problem) => {
                self.is_new = false;
                show_problem(form, &problem);
                false
            }
        }
    }

    /// Stores a new and valid token in the browser.
    pub fn store(&self, response: Response) -> Response {
        let new_token = self.token.as_ref().filter(|_| self.is_new);
        response.header_if("set-cookie", new_token.map(session::set_cookie))
    }
}

/// A form that a browser has sent, and everything that its handler needs.
pub struct Submission {
    /// The form.
    pub form: Form,
    /// The clients of the backends.
    pub backends: Backends,
    session: Session,
}

impl Submission {
    /// Reads the form of a request.
    ///
    /// # Errors
    /// A form of another origin, of another media type, one that is not UTF-8, or too long.
    pub async fn read(request: &Request) -> Result<Self, Error> {
        require_same_origin(request)?;
        request.media_type(&["application/x-www-form-urlencoded"])?;
        let body = request.body(MAX_FORM_BYTES).await?;
        if !is_utf8(&body) {
            return Err(Problem::form_not_utf8().into());
        }
        Ok(Self {
            form: Form::parse(&body),
            backends: Backends::new(&request.env)?,
            session: Session::load(request),
        })
    }

    /// The form that a query fills in, before a browser sends it.
    ///
    /// # Errors
    /// A worker without its bindings.
    pub fn of_query(request: &Request) -> Result<Self, Error> {
        let session = Session::load(request);
        let mut form = Form::parse(request.query.as_bytes());
        form.needs_token = !session.has_write_access();
        Ok(Self {
            form,
            backends: Backends::new(&request.env)?,
            session,
        })
    }

    /// Whether the sender may write. If not, the form shows why.
    pub fn may_write(&mut self) -> bool {
        self.session.may_write(&mut self.form)
    }

    /// The id of the place that a field names. None if the field is empty, or if there is no such
    /// place: the form then shows that.
    ///
    /// # Errors
    /// A backend that failed.
    pub async fn place_id(&mut self, field: &'static str) -> Result<Option<i64>, Error> {
        let Some(text) = self.form.filled(field) else {
            return Ok(None);
        };
        let id = find_place(&self.backends, text).await?;
        if id.is_none() {
            let similar = similar_places(&self.backends, text).await;
            self.form.add_error(field, no_such_place(&similar));
        }
        Ok(id)
    }

    /// Continues on another page.
    pub fn redirect(&self, location: String) -> Response {
        self.session.store(Response::see_other(location))
    }

    /// Shows the form again, on this page.
    pub fn show_again(&self, page: Markup) -> Response {
        self.session.store(html(self.form.status(), page))
    }
}

/// Shows a problem in a form.
pub fn show_problem(form: &mut Form, problem: &Problem) {
    // Our own problems can be parsed.
    let _ = show_rejection(form, problem.to_json().as_bytes());
}

/// Shows the problem in the body of a rejection in a form. None if the body is not a problem.
pub fn show_rejection(form: &mut Form, body: &[u8]) -> Option<()> {
    let problem: ApiProblem = from_json::parse(body)?;
    form.show_problem(&problem);
    Some(())
}

/// Rejects a form of another origin, and where writes are open also one of an unknown host.
///
/// # Errors
/// A form of another origin or host.
pub fn require_same_origin(request: &Request) -> Result<(), Error> {
    if auth::access_policy(&request.env).is_open(Scope::Write) {
        auth::check_site(request)?;
    }
    let (origin, site) = (request.header("origin"), request.header("sec-fetch-site"));
    if session::is_same_origin(&request.parts.url, origin.as_deref(), site.as_deref()) {
        Ok(())
    } else {
        Err(Problem::foreign_form().into())
    }
}

/// The id and the action in a path like `/ui/people/3/edit`.
///
/// # Errors
/// An invalid id, or an unknown action.
pub fn id_and_action<Id: Param, Action>(
    request: &Request,
    parse: fn(&str) -> Option<Action>,
) -> Result<(Id, Action), Problem> {
    let action = request.segments.get(1).and_then(|name| parse(name));
    Ok((request.id()?, action.ok_or_else(Problem::unknown_route)?))
}

/// The request to a backend that a form results in.
pub struct Write {
    /// The method.
    pub method: &'static str,
    /// The path.
    pub path: String,
    /// The JSON body.
    pub body: Option<serde_json::Value>,
}

impl Write {
    /// Sends the write. None if it was rejected or failed: the form then shows why.
    ///
    /// # Errors
    /// A hidden field with an invalid value, or a rejection that cannot be read.
    pub async fn send(
        self,
        backend: &ServiceClient,
        form: &mut Form,
    ) -> Result<Option<web_sys::Response>, Error> {
        let version = hidden_field(form, "version", Validator::parse)?;
        let version = version.map(|version| Tag::from_version(version).to_string());
        let key = hidden_field(form, "key", IdempotencyKey::parse)?;
        let body = self.body.map(|body| body.to_string());
        let headers: Vec<(&str, &str)> = [
            ("if-match", version.as_deref()),
            ("idempotency-key", key.as_ref().map(IdempotencyKey::as_str)),
            ("content-type", body.as_ref().map(|_| "application/json")),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
        let body = body.as_deref().map(str::as_bytes);
        let response = match backend.send(self.method, &self.path, &headers, body).await {
            Ok(response) => response,
            Err(error) => {
                show_problem(form, &error.into_problem());
                return Ok(None);
            }
        };
        if response.status() < 400 {
            // A restore of an existing record responds with its version instead.
            let is_known = created_id(&response).is_some() || tag(&response).is_some();
            if self.method != "POST" || is_known {
                return Ok(Some(response));
            }
            let error = backend.unusable_response("a created record without a location");
            show_problem(form, &error.into_problem());
            return Ok(None);
        }
        let rejection = backend.bytes(&response).await?;
        if show_rejection(form, &rejection).is_none() {
            show_problem(form, &unusable_body(backend).into_problem());
        }
        Ok(None)
    }
}

/// The value of a hidden field, parsed before it becomes part of a header. The page fills the field,
/// so only a modified form has an invalid value.
///
/// # Errors
/// An invalid value.
pub fn hidden_field<T>(
    form: &Form,
    name: &str,
    parse: fn(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    let parse = |text| parse(text).ok_or_else(Problem::modified_form);
    form.filled(name).map(parse).transpose()
}

/// The body that restores the version in a form, or none to restore a removed record.
///
/// # Errors
/// A hidden field with an invalid value.
pub fn restored_version(form: &Form) -> Result<Option<serde_json::Value>, Problem> {
    let version = hidden_field(form, "restored", |text| text.parse::<i64>().ok())?;
    Ok(version.map(|version| serde_json::json!({ "version": version })))
}

/// The id of a created record.
pub fn created_id(response: &web_sys::Response) -> Option<String> {
    let location = header(response, "location")?;
    location.rsplit('/').next().map(ToOwned::to_owned)
}

/// Adds an idempotency key, so that a form that is sent twice writes once.
pub fn add_idempotency_key(form: &mut Form) {
    if form.filled("key").is_none() {
        form.set("key", edge::random_token());
    }
}

const READING_NEEDS_A_TOKEN: &str = "You need a token to read these pages.";
const WRITING_NEEDS_A_TOKEN: &str = "With a token, you can make changes from this browser.";

/// The page that asks for a token.
pub fn login_page(problem: &Problem, lead: &str) -> Response {
    let mut form = Form::default();
    form.needs_token = true;
    if problem.kind() != Kind::TokenRequired {
        show_problem(&mut form, problem);
    }
    html(problem.status(), login::page(&form, lead))
}

/// `GET /ui/enter`: the form for a token, or the button that forgets it.
///
/// # Errors
/// None.
pub async fn login_form(request: Request) -> Result<Response, Error> {
    if session_token(&request).is_some() {
        return Ok(html(200, login::stored()));
    }
    let mut form = Form::default();
    form.needs_token = true;
    Ok(html(
        200,
        login::page(&form, Session::load(&request).why_log_in()),
    ))
}

/// `POST /ui/enter`: stores a token in the browser.
///
/// # Errors
/// A form of another origin.
pub async fn login(request: Request) -> Result<Response, Error> {
    let mut submission = Submission::read(&request).await?;
    let Submission { session, form, .. } = &mut submission;
    if form.filled("token").is_none() {
        form.add_error("token", "Enter a token.");
    } else if session.has_scope(Scope::Read, form) {
        return Ok(submission.redirect("/".to_owned()));
    }
    form.needs_token = true;
    let page = login::page(form, session.why_log_in());
    Ok(html(form.status(), page))
}

/// `POST /ui/forget`: deletes the token from the browser.
///
/// # Errors
/// A form of another origin.
pub async fn logout(request: Request) -> Result<Response, Error> {
    require_same_origin(&request)?;
    Ok(Response::see_other("/?done=forgotten").header("set-cookie", session::clear_cookie()))
}
