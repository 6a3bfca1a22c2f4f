//! The schema of problems (RFC 9457).

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Count, Id, King, Name, OperationResult, Pointer, ProblemType};

schemas! {
    /// An invalid field of a body.
    struct FieldError {
        /// The field.
        pointer: Pointer,
        /// The expected value.
        detail: String,
    }

    /// A problem (RFC 9457). The members after `detail` depend on its type.
    #[schema(as = Problem)]
    struct ProblemBody {
        r#type: ProblemType,
        /// The type of the problem in a few words.
        title: String,
        /// The status code.
        #[schema(minimum = 400, maximum = 599)]
        status: i64,
        /// The error of this request.
        detail: String,
        /// The invalid parameter.
        parameter?: String,
        /// The parameters of the route.
        known?: Vec<String>,
        /// The invalid header.
        header?: String,
        /// The available media types.
        offered?: Vec<String>,
        /// The media types that the route accepts.
        accepted?: Vec<String>,
        /// The line in the body.
        line?: Count,
        /// The column in the line.
        column?: Count,
        /// The encoding of a file that is not in UTF-8.
        encoding?: String,
        /// The maximum number of bytes of a body or a query, of records in a file or a batch, or of matches.
        limit?: Count,
        /// The scope that the token needs.
        scope?: String,
        /// The dependencies that are not ready.
        failed?: Vec<String>,
        /// The id of the request in the logs: `X-Request-Id`.
        request_id?: String,
        /// All invalid fields, of which ten are unknown ones.
        errors?: Vec<FieldError>,
        /// The cause in a batch of operations.
        pointer?: Pointer,
        /// The result of each operation of a batch, none of which was done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(no_recursion, nullable = false)]
        results: Option<Vec<OperationResult>>,
        /// The name that no place has.
        name?: Name,
        /// The number of the violated rule.
        #[schema(minimum = 1, maximum = 6)]
        rule?: i64,
        /// The conflicting record.
        id?: Id,
        /// The place.
        place_id?: Id,
        /// The present king.
        king?: King,
        /// The number of living people of the place.
        living?: Count,
        /// The current version of the record; null if the record does not exist.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
        #[schema(value_type = Option<Id>)]
        version: Option<Value>,
        /// The current `ETag` of the record; null if the record does not exist.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
        #[schema(value_type = Option<String>)]
        etag: Option<Value>,
        /// The service that failed.
        service?: String,
        /// `unknown`: a service failed, and the write may have been executed or not.
        outcome?: String,
    }
}

/// Distinguishes null from an absent member.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
