//! The web pages: pure functions from what the API answers to HTML, and from what is typed into
//! a form to what the API is asked for.
//!
//! Every page works without JavaScript. Nothing is inline that a Content-Security-Policy would
//! have to allow: no script, no style, no event handler; bars are SVG.

pub mod api;
pub mod enter;
mod field;
pub mod form;
mod history;
pub mod import;
mod layout;
pub mod message;
pub mod overview;
pub mod people;
pub mod person;
pub mod place;

pub use form::Form;
pub use layout::{Notice, POLICY};
