//! The merge, fed by the people service: asks it again where references are not sound.

use edge::Error;
use futures_util::StreamExt;
use futures_util::stream::LocalBoxStream;
use wasm_bindgen::JsValue;
use web_sys::Response;

use super::sources::Services;
use crate::domain::{Merge, PeoplePerPlace};

/// A page on its way.
pub struct Merging {
    ask: PeoplePerPlace,
    merge: Merge,
    services: Services,
    groups: LocalBoxStream<'static, Result<Vec<u8>, JsValue>>,
    is_whole: bool,
}

impl Merging {
    /// Merges the groups of an answer.
    pub fn new(ask: PeoplePerPlace, merge: Merge, services: Services, groups: &Response) -> Self {
        let groups = edge::chunks(groups.body()).boxed_local();
        Self {
            ask,
            merge,
            services,
            groups,
            is_whole: false,
        }
    }

    /// The next bytes of the page, or none behind its end.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let mut out = Vec::new();
        while out.is_empty() && !self.is_whole {
            let chunk = self.services.people.in_time(self.groups.next()).await?;
            match chunk {
                Some(Ok(chunk)) => {
                    let pushed = self.merge.push(&chunk, &mut out);
                    pushed.map_err(|malformed| self.services.blame(malformed))?;
                }
                Some(Err(thrown)) => {
                    return Err(self.services.people.failed(&format!("{thrown:?}")));
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
            self.groups = edge::chunks(groups.body()).boxed_local();
        } else {
            let finished = self.merge.finish(out);
            finished.map_err(|malformed| self.services.blame(malformed))?;
            self.is_whole = true;
        }
        Ok(())
    }
}
