//! Checks the status of a service's response, and reads its body: as a whole, or chunk by chunk.

use js_sys::{ArrayBuffer, Promise, Uint8Array};
use wasm_bindgen::JsCast;

use super::ServiceClient;
use super::call_policy::CallPolicy;
use crate::error::Error;
use crate::http::chunks::{self, Reader};
use crate::time::{race_with_timer, timer};

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

    /// Reads the body of a response chunk by chunk.
    #[must_use]
    pub fn body_reader(&self, response: &web_sys::Response) -> BodyReader {
        let policy = self.policy.clone();
        // Without a body, or if it was already read, there are no chunks.
        let reader = response.body().and_then(|body| chunks::reader(&body).ok());
        BodyReader {
            reader,
            timer: policy.timer(),
            policy,
            has_progressed: false,
        }
    }
}

/// A body that is being read. One timer covers many chunks: a read times out if no chunk arrived
/// while the timer ran. If the policy has a deadline, the read also times out then.
pub struct BodyReader {
    reader: Option<Reader>,
    policy: CallPolicy,
    timer: Promise,
    has_progressed: bool,
}

impl BodyReader {
    /// Drops the deadline of the whole body. The timeout of each chunk remains.
    pub fn drop_deadline(&mut self) {
        self.policy.deadline = None;
        self.has_progressed = true;
    }

    /// The next chunk, or none after the last one.
    ///
    /// # Errors
    /// A problem that names the service, if the body breaks off or times out.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let Some(reader) = &self.reader else {
            return Ok(None);
        };
        let read = chunks::read_chunk(reader);
        loop {
            let result = race_with_timer(&self.timer, &read).await;
            if let Some(result) = result.map_err(|thrown| self.policy.exception(&thrown))? {
                self.has_progressed = true;
                let chunk =
                    chunks::chunk_from(&result).map_err(|thrown| self.policy.exception(&thrown))?;
                if chunk.is_none() {
                    self.policy.succeeded();
                }
                return Ok(chunk);
            }
            if self.policy.deadline.is_some() || !self.has_progressed {
                let _ = reader.cancel();
                return Err(self.policy.timed_out());
            }
            self.has_progressed = false;
            self.timer = timer(self.policy.timeout_ms);
        }
    }
}
