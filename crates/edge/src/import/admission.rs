//! Limits the total size of the files that an isolate imports at the same time (admission control).
//! An import beyond the limit is rejected before its body is read. So imports leave memory and time
//! for reads.

use std::cell::RefCell;

use http_semantics::Problem;
use tables::import::MAX_FILE_BYTES;

use crate::error::Error;
use crate::http::request::Request;
use crate::time::now;

/// The maximum total size of the files: three of the maximum size.
const MAX_BYTES: usize = 3 * MAX_FILE_BYTES;

/// The time without a renewal after which a permit counts as lost: the platform cancels a request
/// whose client disconnects, and drops nothing. A file has 120 seconds to arrive.
const PERMIT_TIMEOUT_MS: i64 = 130_000;

thread_local! {
    static IMPORTS: RefCell<Imports> = RefCell::default();
}

/// A running import.
#[derive(Debug)]
struct Running {
    id: u64,
    bytes: usize,
    renewed_at: i64,
}

/// The running imports of an isolate.
#[derive(Debug, Default)]
struct Imports {
    last_id: u64,
    running: Vec<Running>,
}

impl Imports {
    /// The id of a new import, if there is room for its file.
    fn admit(&mut self, bytes: usize, now: i64) -> Option<u64> {
        self.running
            .retain(|import| now - import.renewed_at < PERMIT_TIMEOUT_MS);
        let total: usize = self.running.iter().map(|import| import.bytes).sum();
        if total + bytes > MAX_BYTES {
            return None;
        }
        self.last_id += 1;
        let id = self.last_id;
        self.running.push(Running {
            id,
            bytes,
            renewed_at: now,
        });
        Some(id)
    }

    fn renew(&mut self, id: u64, now: i64) {
        for import in self.running.iter_mut().filter(|import| import.id == id) {
            import.renewed_at = now;
        }
    }

    fn remove(&mut self, id: u64) {
        self.running.retain(|import| import.id != id);
    }
}

/// The permission to import a file. Its drop gives it back.
pub struct Permit(u64);

impl Permit {
    /// The permit for the file of a request, of which there will be `copies` in memory. A body without an
    /// announced length counts as one of the maximum size.
    ///
    /// # Errors
    /// Other imports that leave no room.
    pub async fn acquire(request: &Request, copies: usize) -> Result<Self, Error> {
        let announced = request.header("content-length");
        let announced = announced.and_then(|length| length.parse().ok());
        let bytes = announced.map_or(MAX_FILE_BYTES, |bytes: usize| bytes.min(MAX_FILE_BYTES));
        let id = IMPORTS.with_borrow_mut(|imports| imports.admit(copies * bytes, now()));
        if let Some(id) = id {
            return Ok(Self(id));
        }
        // Otherwise a client that is still sending would not read the response.
        request.discard_body(MAX_FILE_BYTES).await?;
        Err(Problem::too_many_imports().into())
    }

    /// Keeps the permit for another while.
    pub fn renew(&self) {
        IMPORTS.with_borrow_mut(|imports| imports.renew(self.0, now()));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        IMPORTS.with_borrow_mut(|imports| imports.remove(self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_admitted_up_to_the_total_size() {
        let mut imports = Imports::default();
        let first = imports.admit(MAX_FILE_BYTES, 0);
        assert!(first.is_some());
        assert!(imports.admit(2 * MAX_FILE_BYTES, 0).is_some());
        assert_eq!(imports.admit(1, 0), None);
        imports.remove(first.unwrap());
        assert!(imports.admit(MAX_FILE_BYTES, 0).is_some());
    }

    #[test]
    fn a_lost_permit_expires_and_a_renewed_one_does_not() {
        let mut imports = Imports::default();
        let renewed = imports.admit(2 * MAX_FILE_BYTES, 0).unwrap();
        imports.admit(MAX_FILE_BYTES, 0);
        imports.renew(renewed, 1);
        assert_eq!(imports.admit(MAX_FILE_BYTES, PERMIT_TIMEOUT_MS - 1), None);
        assert!(imports.admit(MAX_FILE_BYTES, PERMIT_TIMEOUT_MS).is_some());
        assert_eq!(imports.admit(1, PERMIT_TIMEOUT_MS), None);
    }
}
