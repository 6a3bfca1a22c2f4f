//! Reads the body of another worker's response chunk by chunk, with a timeout.

use js_sys::Promise;

use super::ServiceClient;
use super::call_policy::CallPolicy;
use crate::error::Error;
use crate::http::chunks::{self, Reader};
use crate::time::{race_with_timer, timer};

/// A body that is being read. One timer covers many chunks: a read times out if no chunk arrived
/// while the timer ran. If the policy has a deadline, the read also times out then.
pub struct BodyReader {
    reader: Option<Reader>,
    policy: CallPolicy,
    timer: Promise,
    has_progressed: bool,
}

impl ServiceClient {
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
