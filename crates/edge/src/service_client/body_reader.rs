//! Reads the body of another worker's response chunk by chunk, with a timeout.

use js_sys::Promise;
use web_sys::Response;

use crate::error::Error;
use crate::http::chunks::{self, Reader};
use crate::service_client::call_policy::Callee;
use crate::timeout::{before, timer};

/// The body of another worker's response. One timer covers many chunks: the call times out if no
/// chunk arrived while the timer ran. As long as the client has received nothing, it times out in
/// any case.
pub struct BodyReader {
    reader: Option<Reader>,
    callee: Callee,
    timer: Promise,
    has_moved: bool,
}

impl BodyReader {
    /// Reads the body of a response.
    pub(crate) fn new(response: &Response, callee: Callee) -> Self {
        // A body that was read already has no chunks.
        let reader = response.body().and_then(|body| chunks::reader(&body).ok());
        Self {
            reader,
            timer: callee.timer(),
            callee,
            has_moved: false,
        }
    }

    /// From now on each chunk has a timeout, but the whole body has no deadline.
    pub fn without_deadline(&mut self) {
        self.callee.until = None;
        self.has_moved = true;
    }

    /// The next chunk, or none after the last one.
    ///
    /// # Errors
    /// A problem that names the service, if the body breaks off or the call times out.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let Some(reader) = &self.reader else {
            return Ok(None);
        };
        let read = chunks::next(reader);
        loop {
            let value = before(&self.timer, &read).await;
            if let Some(value) = value.map_err(|thrown| self.callee.threw(&thrown))? {
                self.has_moved = true;
                let chunk =
                    chunks::chunk_of(&value).map_err(|thrown| self.callee.threw(&thrown))?;
                if chunk.is_none() {
                    self.callee.succeeded();
                }
                return Ok(chunk);
            }
            if self.callee.until.is_some() || !self.has_moved {
                let _ = reader.cancel();
                return Err(self.callee.timed_out());
            }
            self.has_moved = false;
            self.timer = timer(self.callee.patience_ms);
        }
    }
}
