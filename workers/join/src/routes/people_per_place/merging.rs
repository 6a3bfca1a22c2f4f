//! The merge, fed by the people service: asks it again where references are not sound.

use edge::{BodyReader, Error};
use web_sys::Response;

use super::sources::Services;
use crate::domain::{Merge, PeoplePerPlace};

/// A page on its way.
pub struct Merging {
    ask: PeoplePerPlace,
    merge: Merge,
    services: Services,
    groups: BodyReader,
    is_whole: bool,
}

impl Merging {
    /// Merges the groups of an answer.
    pub fn new(ask: PeoplePerPlace, merge: Merge, services: Services, groups: &Response) -> Self {
        Self {
            ask,
            merge,
            groups: services.people.parts(groups),
            services,
            is_whole: false,
        }
    }

    /// From now on the reader has an answer, and no budget of time is for all of it.
    pub fn unhurried(&mut self) {
        self.groups.without_deadline();
        self.services.unhurried();
    }

    /// What was merged, of a page that cannot go on.
    pub fn into_merge(self) -> Merge {
        self.merge
    }

    /// The next bytes of the page, or none behind its end.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let mut out = Vec::new();
        while out.is_empty() && !self.is_whole {
            match self.groups.next().await? {
                Some(chunk) => {
                    let pushed = self.merge.push(&chunk, &mut out);
                    pushed.map_err(|malformed| self.services.blame(malformed))?;
                }
                None => self.groups_end(&mut out).await?,
            }
        }
        Ok((!out.is_empty()).then_some(out))
    }

    /// The groups that were asked for are all here: either the page is whole, or there were
    /// so many of no place that some of its own may still be to come.
    async fn groups_end(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let asked = self.ask.limit.get().into();
        let behind = self.merge.groups_end(asked, out);
        if let Some(behind) = behind.map_err(|malformed| self.services.blame(malformed))? {
            let path = self.ask.groups_path(Some(behind));
            let groups = self.services.people.read(&path).await?;
            self.groups = self.services.people.parts(&groups);
        } else {
            let finished = self.merge.finish(out);
            finished.map_err(|malformed| self.services.blame(malformed))?;
            self.is_whole = true;
        }
        Ok(())
    }
}
