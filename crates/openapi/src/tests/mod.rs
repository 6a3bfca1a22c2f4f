//! Compares the documents with the code.

mod fields;
mod routes;
mod shapes;
