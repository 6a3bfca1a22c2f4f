//! Compares the OpenAPI documents with the code.

mod fields;
mod routes;
mod shapes;
