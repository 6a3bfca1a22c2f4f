//! The operations that every worker has for itself.

use http_semantics::problem::Kind;

use crate::examples;
use crate::operation::{Operation, get};
use crate::response::Response;

/// The path of a worker's own document.
const DOCUMENT: &str = "/v1/openapi.json";

/// Whether every worker has its own response at this path, so that the gateway does not pass
/// the request on.
#[must_use]
pub fn has_own_response(path: &str) -> bool {
    [DOCUMENT, "/v1/healthz", "/v1/readyz"].contains(&path)
}

/// Reads the document itself.
#[must_use]
pub fn document() -> Vec<Operation> {
    let document = Response::json("Document", "An OpenAPI 3.1 document.");
    let operation = get(DOCUMENT, "readDocument").summary("Read this document");
    vec![
        operation
            .description("The OpenAPI document of the service that responds.")
            .default_tag("about")
            .response(200, document),
    ]
}

/// The health checks.
#[must_use]
pub fn health() -> Vec<Operation> {
    let alive = Response::json("Alive", "The worker is running.");
    let operations = [
        get("/v1/healthz", "readHealth")
            .summary("Check whether the worker is running")
            .description("Calls no other service. It needs no token and has no rate limit.")
            .response(200, alive.example("GET /v1/healthz", &examples::ALIVE)),
        get("/v1/readyz", "readReadiness")
            .summary("Check whether the worker is ready")
            .description("Checks each dependency, with a timeout of one second. It needs no token and has no rate limit.")
            .problems(&[Kind::NotReady])
            .response(200, Response::json("Ready", "All dependencies are ready.")),
    ];
    operations
        .map(|operation| operation.default_tag("about").open())
        .to_vec()
}
