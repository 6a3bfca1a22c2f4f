//! The documents held against the code.

mod fields;
mod routes;
mod shapes;
