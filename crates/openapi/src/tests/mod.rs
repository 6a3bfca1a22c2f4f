//! The documents held against the code.

mod routes;
mod shapes;
