//! What the forms share: whether one is our own, the token, and how it is sent on.

use domain::Param;
use edge::{Answer, Call, Error, Upstream, auth};
use http_semantics::Problem;
use http_semantics::auth::{Policy, Scope, Token};
use http_semantics::problem::Kind;
use pages::api::Refusal;
use pages::{Form, enter};
use web_sys::Response;

use super::html;
use super::reading::place_named;
use crate::domain::session;
use crate::routes::people_per_place::Services;
use crate::routes::statistics::header;

/// The most bytes of a form.
const FORM_BYTES: usize = 64 * 1024;

/// Who sends a form.
pub struct Session {
    policy: Policy,
    token: Option<Token>,
    is_new: bool,
}

impl Session {
    /// Whoever calls, by the cookie.
    pub fn of(call: &Call) -> Self {
        Self {
            policy: auth::policy(&call.env),
            token: session::token(call.header("cookie").as_deref()),
            is_new: false,
        }
    }

    /// The form that a page begins with.
    pub fn begin(&self, mut form: Form) -> Form {
        form.wants_token = self
            .policy
            .admit(Scope::Write, self.token.as_ref())
            .is_err();
        form
    }

    /// Lets a reader in.
    ///
    /// # Errors
    /// Where reading is not open, one without a token.
    pub fn may_read(&self) -> Result<(), Problem> {
        self.policy.admit(Scope::Read, self.token.as_ref())
    }

    /// Lets the sender of a form in; if not, the form says so.
    pub fn admits(&mut self, form: &mut Form) -> bool {
        self.admits_to(Scope::Write, form)
    }

    fn admits_to(&mut self, scope: Scope, form: &mut Form) -> bool {
        if let Some(given) = form.given("token") {
            self.token = Token::parse(given);
            self.is_new = true;
            if self.token.is_none() {
                form.wants_token = true;
                form.wrong("token", format!("Must be {}.", Token::EXPECTED));
                return false;
            }
        }
        match self.policy.admit(scope, self.token.as_ref()) {
            Ok(()) => true,
            Err(problem) => {
                self.is_new = false;
                refuse(form, &problem);
                false
            }
        }
    }

    /// The answer, with a token that has been good for something kept by the browser.
    pub fn keep(&self, answer: Answer) -> Answer {
        let new = self.token.as_ref().filter(|_| self.is_new);
        answer.header_if("set-cookie", new.map(session::kept))
    }
}

/// The form says what a problem says.
pub fn refuse(form: &mut Form, problem: &Problem) {
    if let Ok(refusal) = serde_json::from_str::<Refusal>(&problem.to_json()) {
        form.refuse(&refusal);
    }
}

/// Refuses a form that another site has sent.
///
/// # Errors
/// One that has.
pub fn must_be_own(call: &Call) -> Result<(), Error> {
    let (origin, site) = (call.header("origin"), call.header("sec-fetch-site"));
    if session::is_own(&call.incoming.url, origin.as_deref(), site.as_deref()) {
        Ok(())
    } else {
        Err(Problem::foreign_form().into())
    }
}

/// Reads a form of our own.
///
/// # Errors
/// One of another site, or of another media type, or too long.
pub async fn read(call: &Call) -> Result<Form, Error> {
    must_be_own(call)?;
    call.media_type(&["application/x-www-form-urlencoded"])?;
    Ok(Form::read(&call.body(FORM_BYTES).await?))
}

/// The place that a field names; none where it is empty, or where the form now says that there
/// is none of this name.
///
/// # Errors
/// A service that failed.
pub async fn place(
    services: &Services,
    form: &mut Form,
    field: &'static str,
) -> Result<Option<i64>, Error> {
    let Some(text) = form.given(field) else {
        return Ok(None);
    };
    let found = place_named(services, text).await?;
    if found.is_none() {
        form.wrong(field, "There is no place of this name.");
    }
    Ok(found)
}

/// A write that a form asks for.
pub struct Write<'a> {
    /// The method.
    pub method: &'a str,
    /// The address.
    pub path: String,
    /// The record, where one is sent.
    pub body: Option<serde_json::Value>,
}

impl Write<'_> {
    /// Has it done: the answer, or nothing where the form now says why not.
    ///
    /// # Errors
    /// A service that did not answer: whether it is done is not known.
    pub async fn send(self, owner: &Upstream, form: &mut Form) -> Result<Option<Response>, Error> {
        let version = form
            .given("version")
            .map(|version| format!("\"{version}\""));
        let key = form.given("key").map(ToOwned::to_owned);
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
        let sent = owner.send(self.method, &self.path, &headers, body).await;
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
            let error = owner.failed("what has been added has no address");
            refuse(form, &error.into_problem());
            return Ok(None);
        }
        let refusal = owner.bytes(&response).await?;
        match serde_json::from_slice::<Refusal>(&refusal) {
            Ok(refusal) => form.refuse(&refusal),
            Err(error) => refuse(form, &owner.failed(&error.to_string()).into_problem()),
        }
        Ok(None)
    }
}

/// The id of a record that has been added.
pub fn id_of(created: &Response) -> Option<String> {
    let location = header(created, "location")?;
    location.rsplit('/').next().map(ToOwned::to_owned)
}

/// A key that makes sending a form twice the same as once.
pub fn fresh_key(form: &mut Form) {
    if form.given("key").is_none() {
        let half = || format!("{:016x}", js_sys::Math::random().to_bits());
        form.set("key", half() + &half());
    }
}

/// The page that asks for the token without which nothing is shown here.
pub fn gate(problem: &Problem) -> Answer {
    let mut form = Form::default();
    form.wants_token = true;
    if problem.kind() != Kind::TokenRequired {
        refuse(&mut form, problem);
    }
    html(problem.status(), enter::page(&form))
}

/// `POST /ui/enter`: the browser keeps a token that lets it read.
///
/// # Errors
/// A form of another site.
pub async fn enter(call: Call) -> Result<Answer, Error> {
    let mut form = read(&call).await?;
    let mut session = Session::of(&call);
    if session.admits_to(Scope::Read, &mut form) {
        return Ok(session.keep(Answer::see_other("/")));
    }
    form.wants_token = true;
    Ok(html(form.status(), enter::page(&form)))
}

/// `POST /ui/forget`: the browser lets go of its token.
///
/// # Errors
/// A form of another site.
pub async fn forget(call: Call) -> Result<Answer, Error> {
    must_be_own(&call)?;
    Ok(Answer::see_other("/?done=forgotten").header("set-cookie", session::forgotten()))
}
