//! What a service answered, as far as it is of use.

use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::JsCast;
use web_sys::Response;

use super::Upstream;
use crate::error::Error;
use crate::service_client::body_reader::BodyReader;

impl Upstream {
    /// Reads a path that the service must have.
    ///
    /// # Errors
    /// As [`Self::get`], and for any other answer than 200.
    pub async fn read(&self, path: &str) -> Result<Response, Error> {
        self.found(self.get(path).await?)
    }

    /// An answer that must be a 200.
    ///
    /// # Errors
    /// A problem that names the service, for any other.
    pub fn found(&self, response: Response) -> Result<Response, Error> {
        match response.status() {
            200 => Ok(response),
            status => Err(self.failed(&format!("status {status}"))),
        }
    }

    /// The whole body of an answer, as JSON of a shape.
    ///
    /// # Errors
    /// As [`Self::read`], and for a body of another shape.
    pub async fn read_json<T: serde::de::DeserializeOwned>(
        &self,
        response: Response,
    ) -> Result<T, Error> {
        let body = self.bytes(&self.found(response)?).await?;
        serde_json::from_slice(&body).map_err(|error| self.failed(&error.to_string()))
    }

    /// The whole body of an answer.
    ///
    /// # Errors
    /// A body that breaks off.
    pub async fn bytes(&self, response: &Response) -> Result<Vec<u8>, Error> {
        let buffer = match response.array_buffer() {
            Ok(buffer) => self.callee.in_time(&buffer).await,
            Err(thrown) => Err(thrown),
        };
        match buffer {
            Ok(Some(buffer)) => {
                self.callee.succeeded();
                Ok(Uint8Array::new(buffer.unchecked_ref::<ArrayBuffer>()).to_vec())
            }
            Ok(None) => Err(self.callee.timed_out()),
            Err(thrown) => Err(self.callee.threw(&thrown)),
        }
    }

    /// The body of an answer as it comes.
    #[must_use]
    pub fn parts(&self, response: &Response) -> BodyReader {
        BodyReader::new(response, self.callee.clone())
    }
}
