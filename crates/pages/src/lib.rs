//! The HTML of the pages, as pure functions. A page is made from JSON of the API. A form becomes a
//! request, which the gateway sends to the API.
//!
//! Every page works without JavaScript. No page has inline scripts, styles or event handlers, so
//! the Content-Security-Policy allows none. That is why bars are SVG. Texts are in everyday
//! language and do not use the API's terms. So `messages` has its own text for each type of
//! problem.

pub mod api;
pub mod changes;
pub mod chart;
pub mod compare;
pub mod error_page;
mod field;
pub mod form;
mod history;
pub mod import;
mod layout;
pub mod list;
pub mod login;
mod messages;
pub mod overview;
pub mod people;
pub mod person;
pub mod place;
pub mod place_history;
pub mod place_removed;
pub mod problem_types;
pub mod selection;

pub use field::no_such_place;
pub use form::Form;
pub use http_semantics::from_json;
pub use layout::{Notice, POLICY};
