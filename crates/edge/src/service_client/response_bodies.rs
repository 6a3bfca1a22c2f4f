//! Checks the status of a service's response, and reads its complete body.

use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::JsCast;

use super::ServiceClient;
use crate::error::Error;

impl ServiceClient {
    /// Sends a GET whose response must be a 200.
    ///
    /// # Errors
    /// As [`Self::get`], and for any status but 200.
    pub async fn get_ok(&self, path: &str) -> Result<web_sys::Response, Error> {
        self.require_ok(self.get(path).await?)
    }

    /// Requires the status 200.
    ///
    /// # Errors
    /// A problem that names the service, for any other status.
    pub fn require_ok(&self, response: web_sys::Response) -> Result<web_sys::Response, Error> {
        match response.status() {
            200 => Ok(response),
            status => Err(self.unusable_response(&format!("status {status}"))),
        }
    }

    /// Deserializes the JSON body of a 200.
    ///
    /// # Errors
    /// As [`Self::get_ok`], and for a body of another shape.
    pub async fn read_json<T: serde::de::DeserializeOwned>(
        &self,
        response: web_sys::Response,
    ) -> Result<T, Error> {
        let body = self.bytes(&self.require_ok(response)?).await?;
        serde_json::from_slice(&body).map_err(|error| self.unusable_response(&error.to_string()))
    }

    /// Reads a complete body.
    ///
    /// # Errors
    /// A body that breaks off or times out.
    pub async fn bytes(&self, response: &web_sys::Response) -> Result<Vec<u8>, Error> {
        let buffer = match response.array_buffer() {
            Ok(buffer) => self.policy.in_time(&buffer).await,
            Err(thrown) => Err(thrown),
        };
        match buffer {
            Ok(Some(buffer)) => {
                self.policy.succeeded();
                Ok(Uint8Array::new(buffer.unchecked_ref::<ArrayBuffer>()).to_vec())
            }
            Ok(None) => Err(self.policy.timed_out()),
            Err(thrown) => Err(self.policy.exception(&thrown)),
        }
    }
}
