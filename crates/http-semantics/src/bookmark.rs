//! Bookmarks of D1 sessions. They give a client session consistency although it reads from
//! replicas.
//!
//! A replica may be older than the primary. A bookmark identifies a state of a database. A session
//! with a bookmark reads only from a replica that has reached this state. A request has two kinds
//! of bookmarks:
//!
//! - *Required* bookmarks come from the client. The request must read nothing older. It never
//!   passes them on to another request, because a client can send any text.
//! - *Observed* bookmarks come from D1. The response returns them. If D1 returns the one that the client
//!   has sent, only this client gets it.
//!
//! In a header, one token contains the bookmarks of both databases: `PLACES.PEOPLE`. Either part
//! can be empty, or [`FIRST_PRIMARY`].

use std::cmp::Ordering;

/// A backend with a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// The backend of places.
    Places,
    /// The backend of people.
    People,
}

impl Backend {
    /// Both backends, in the order of a token.
    pub const ALL: [Self; 2] = [Self::Places, Self::People];

    /// The backend with the name of a worker.
    #[must_use]
    pub fn from_worker(worker: &str) -> Option<Self> {
        match worker {
            "places" => Some(Self::Places),
            "people" => Some(Self::People),
            _ => None,
        }
    }
}

/// D1's session constraint for the newest state.
pub const FIRST_PRIMARY: &str = "first-primary";

/// D1's session constraint for the state of any replica.
const FIRST_UNCONSTRAINED: &str = "first-unconstrained";

/// The lengths of the groups of hexadecimal digits in a bookmark.
const GROUPS: [usize; 4] = [8, 8, 8, 32];

/// Whether a text is a bookmark in the form that D1 documents.
fn is_bookmark(text: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_group =
        |(group, length): (&str, usize)| group.len() == length && group.bytes().all(is_digit);
    text.split('-').count() == GROUPS.len() && text.split('-').zip(GROUPS).all(is_group)
}

/// A state of one database. A later state is greater.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
enum State {
    /// No particular one.
    #[default]
    Any,
    /// The state of a bookmark, or any later one. Of two bookmarks of one database, the greater
    /// text is the later state (<https://developers.cloudflare.com/d1/reference/time-travel/>).
    Since(String),
    /// The newest one. A bookmark of an unknown form stands for it: the primary has every state.
    Newest,
}

impl State {
    fn parse(text: &str) -> Self {
        if text.is_empty() {
            Self::Any
        } else if is_bookmark(text) {
            Self::Since(text.to_owned())
        } else {
            Self::Newest
        }
    }

    /// Advances to a state, if it is later. An unknown state counts as the latest.
    fn advance(&mut self, state: Self) {
        *self = std::mem::take(self).max(state);
    }

    /// The part of a token.
    fn as_part(&self) -> &str {
        match self {
            Self::Any => "",
            Self::Since(bookmark) => bookmark,
            Self::Newest => FIRST_PRIMARY,
        }
    }

    /// The constraint of a D1 session.
    fn as_constraint(&self) -> &str {
        match self {
            Self::Any => FIRST_UNCONSTRAINED,
            state => state.as_part(),
        }
    }

    /// Whether a reader that has observed this state has observed what is required.
    fn satisfies(&self, required: &Self) -> bool {
        match (self, required) {
            (_, Self::Any) => true,
            (Self::Since(observed), Self::Since(required)) => observed >= required,
            _ => false,
        }
    }
}

/// A state of each database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct States([State; 2]);

impl States {
    /// Parses a token. An unknown form stands for the newest state.
    fn parse(token: &str) -> Self {
        match token.split_once('.') {
            Some((places, people)) => Self([places, people].map(State::parse)),
            None => Self([State::Newest, State::Newest]),
        }
    }

    fn token(&self) -> Option<String> {
        let Self([places, people]) = self;
        match (places, people) {
            (State::Any, State::Any) => None,
            (State::Newest, State::Newest) => Some(FIRST_PRIMARY.to_owned()),
            _ => Some(format!("{}.{}", places.as_part(), people.as_part())),
        }
    }

    fn get(&self, backend: Backend) -> &State {
        let Self([places, people]) = self;
        match backend {
            Backend::Places => places,
            Backend::People => people,
        }
    }

    fn get_mut(&mut self, backend: Backend) -> &mut State {
        let Self([places, people]) = self;
        match backend {
            Backend::Places => places,
            Backend::People => people,
        }
    }
}

/// The bookmarks that D1 has returned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    states: States,
    /// Whether D1 has returned the bookmark that the client had sent. A D1 session keeps the greater
    /// text of both, so this may be any text. No other client gets it.
    is_echo: [bool; 2],
}

impl Observed {
    /// Parses the token in a response.
    #[must_use]
    pub fn parse(token: &str) -> Self {
        Self {
            states: States::parse(token),
            ..Self::default()
        }
    }

    /// The token of a response, if a state has been observed.
    #[must_use]
    pub fn token(&self) -> Option<String> {
        self.states.token()
    }

    /// Advances to a bookmark of a database, if it is later.
    pub fn advance(&mut self, backend: Backend, bookmark: &str) {
        self.advance_to(backend, State::parse(bookmark), false);
    }

    /// Advances to the bookmarks that another reader has observed.
    pub fn merge(&mut self, other: &Self) {
        for backend in Backend::ALL {
            let (state, is_echo) = other.get(backend);
            self.advance_to(backend, state.clone(), is_echo);
        }
    }

    fn get(&self, backend: Backend) -> (&State, bool) {
        let [places, people] = self.is_echo;
        let is_echo = match backend {
            Backend::Places => places,
            Backend::People => people,
        };
        (self.states.get(backend), is_echo)
    }

    fn advance_to(&mut self, backend: Backend, state: State, is_echo: bool) {
        let [places, people] = &mut self.is_echo;
        let flag = match backend {
            Backend::Places => places,
            Backend::People => people,
        };
        match state.cmp(self.states.get(backend)) {
            Ordering::Greater => *flag = is_echo,
            Ordering::Equal => *flag &= is_echo,
            Ordering::Less => {}
        }
        self.states.get_mut(backend).advance(state);
    }
}

/// The states of both databases that a request must have reached, and what it has observed so far.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// The states that the client has sent.
    sent: States,
    required: States,
    observed: Observed,
}

impl Session {
    /// A session that requires nothing, or what the token of a client says.
    #[must_use]
    pub fn new(token: Option<&str>) -> Self {
        let sent = token.map(States::parse).unwrap_or_default();
        Self {
            required: sent.clone(),
            sent,
            observed: Observed::default(),
        }
    }

    /// A session that requires the newest state of both databases.
    #[must_use]
    pub fn newest() -> Self {
        Self::new(Some(FIRST_PRIMARY))
    }

    /// The constraint of the next D1 session with the database of a backend. Once the request has
    /// reached what is required, it goes on from what it has observed.
    #[must_use]
    pub fn constraint(&self, backend: Backend) -> &str {
        self.next_state(backend).as_constraint()
    }

    /// The token for a request to another worker, if it needs one.
    #[must_use]
    pub fn request_token(&self) -> Option<String> {
        States(Backend::ALL.map(|backend| self.next_state(backend).clone())).token()
    }

    fn next_state(&self, backend: Backend) -> &State {
        match self.required.get(backend) {
            State::Any => self.observed.states.get(backend),
            required => required,
        }
    }

    /// Whether the client requires a state of the database that has not been reached yet.
    #[must_use]
    pub fn requires_bookmark(&self, backend: Backend) -> bool {
        matches!(self.required.get(backend), State::Since(_))
    }

    /// Whether the request requires the newest state of the database.
    #[must_use]
    pub fn requires_newest(&self, backend: Backend) -> bool {
        *self.required.get(backend) == State::Newest
    }

    /// Whether this request may use what another reader has read from a database.
    #[must_use]
    pub fn is_satisfied_by(&self, backend: Backend, observed: &Observed) -> bool {
        observed
            .states
            .get(backend)
            .satisfies(self.next_state(backend))
    }

    /// Records the bookmark of a read with [`Self::constraint`], which has reached what is required.
    pub fn reach(&mut self, backend: Backend, bookmark: &str) {
        let state = State::parse(bookmark);
        let is_echo = self.has_sent(backend, &state);
        self.observed.advance_to(backend, state, is_echo);
        self.drop_bookmark(backend);
    }

    /// Records what another worker has observed for a request with [`Self::request_token`].
    pub fn reach_all(&mut self, other: &Observed) {
        for backend in Backend::ALL {
            let (state, is_echo) = other.get(backend);
            if *state != State::Any {
                self.drop_bookmark(backend);
            }
            let is_own_echo = self.has_sent(backend, state);
            if is_own_echo || !is_echo {
                let state = state.clone();
                self.observed.advance_to(backend, state, is_own_echo);
            }
        }
    }

    /// Whether the client has sent this bookmark.
    fn has_sent(&self, backend: Backend, state: &State) -> bool {
        matches!(state, State::Since(_)) && state == self.sent.get(backend)
    }

    /// From now on the request reads the newest state instead of the client's bookmark.
    pub fn require_newest(&mut self, backend: Backend) {
        *self.required.get_mut(backend) = State::Newest;
    }

    fn drop_bookmark(&mut self, backend: Backend) {
        let required = self.required.get_mut(backend);
        if matches!(required, State::Since(_)) {
            *required = State::Any;
        }
    }

    /// The bookmarks that this request has observed.
    #[must_use]
    pub fn observed(&self) -> &Observed {
        &self.observed
    }
}

#[cfg(test)]
mod tests;
