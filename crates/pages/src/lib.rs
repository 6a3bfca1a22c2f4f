//! The HTML of the pages, as pure functions: JSON of the API becomes a page, and a form becomes
//! the request that the gateway sends to the API.
//!
//! Every page works without JavaScript. No page has inline scripts, styles or event handlers, so
//! the Content-Security-Policy allows none; bars are SVG. Texts are everyday language: a page does
//! not show the API's terms, so `messages` has its own text for each type of problem.

pub mod api;
pub mod changes;
pub mod chart;
pub mod error_page;
mod field;
pub mod form;
mod history;
pub mod import;
pub mod json;
mod layout;
pub mod list;
pub mod login;
mod messages;
pub mod overview;
pub mod people;
pub mod person;
pub mod place;
pub mod place_history;
pub mod problem_types;
pub mod selection;

pub use form::Form;
pub use layout::{Notice, POLICY};
