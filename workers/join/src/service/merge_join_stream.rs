//! Feeds the merge join with the groups of the people service.

use edge::{BodyReader, Error};

use crate::backends::Backends;
use crate::domain::{ListQuery, MergeJoin};

/// A page of the join that is being streamed.
pub struct MergeJoinStream {
    query: ListQuery,
    join: MergeJoin,
    backends: Backends,
    groups: BodyReader,
    is_finished: bool,
}

impl MergeJoinStream {
    /// Joins the groups of a response.
    pub fn new(
        query: ListQuery,
        join: MergeJoin,
        backends: Backends,
        groups: &web_sys::Response,
    ) -> Self {
        Self {
            query,
            join,
            groups: backends.people.body_reader(groups),
            backends,
            is_finished: false,
        }
    }

    /// Drops the deadline of the page, whose response has started.
    pub fn drop_deadline(&mut self) {
        self.groups.drop_deadline();
        self.backends.drop_deadline();
    }

    /// The join of a page that cannot be completed.
    pub fn into_join(self) -> MergeJoin {
        self.join
    }

    /// The next bytes of the page, or none after its end.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let mut out = Vec::new();
        while out.is_empty() && !self.is_finished {
            match self.groups.next().await? {
                Some(chunk) => {
                    let pushed = self.join.push(&chunk, &mut out);
                    pushed.map_err(|malformed| self.backends.malformed_response(malformed))?;
                }
                None => self.end_groups(&mut out).await?,
            }
        }
        Ok((!out.is_empty()).then_some(out))
    }

    /// All requested groups have arrived. If many of them had no place, groups of this page may
    /// be missing, and the next groups are requested.
    async fn end_groups(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let malformed = |malformed| self.backends.malformed_response(malformed);
        let limit = self.query.limit.get().into();
        let after = self.join.end_groups(limit, out).map_err(malformed)?;
        if after.is_some() {
            let path = self.query.groups_path(after);
            let groups = self.backends.people.get_ok(&path).await?;
            self.groups = self.backends.people.body_reader(&groups);
        } else {
            self.join.finish(out).map_err(malformed)?;
            self.is_finished = true;
        }
        Ok(())
    }
}
