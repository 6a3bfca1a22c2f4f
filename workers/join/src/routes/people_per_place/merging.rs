//! The merge, fed by the people service: asks it again where references are not sound.

use edge::{Error, Upstream};
use futures_util::StreamExt;
use futures_util::stream::LocalBoxStream;
use registry::Format;
use wasm_bindgen::JsValue;
use web_sys::Response;

use crate::domain::{Malformed, Merge, PeoplePerPlace};

/// A page on its way.
pub struct Merging {
    ask: PeoplePerPlace,
    merge: Merge,
    people: Upstream,
    groups: LocalBoxStream<'static, Result<Vec<u8>, JsValue>>,
    is_whole: bool,
}

impl Merging {
    /// Merges the groups of an answer.
    pub fn new(ask: PeoplePerPlace, merge: Merge, people: Upstream, groups: &Response) -> Self {
        let groups = edge::chunks(groups).boxed_local();
        Self {
            ask,
            merge,
            people,
            groups,
            is_whole: false,
        }
    }

    /// The next bytes of the page, or none behind its end.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let mut out = Vec::new();
        while out.is_empty() && !self.is_whole {
            match self.groups.next().await {
                Some(Ok(chunk)) => {
                    let pushed = self.merge.push(&chunk, &mut out);
                    pushed.map_err(|malformed| self.failed(&malformed))?;
                }
                Some(Err(thrown)) => return Err(self.people.failed(&format!("{thrown:?}"))),
                None => self.ended(&mut out).await?,
            }
        }
        Ok((!out.is_empty()).then_some(out))
    }

    /// The groups that were asked for are all here: either the page is whole, or there
    /// were so many of no place that some of its own may still be to come.
    async fn ended(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let unsettled = self.merge.unsettled(self.ask.limit.get().into());
        if let Some(behind) = unsettled.map_err(|malformed| self.failed(&malformed))? {
            let path = self.ask.groups_path(Some(behind));
            let groups = self.people.read(&path, Format::NdJson.media_type()).await?;
            self.groups = edge::chunks(&groups).boxed_local();
        } else {
            let finished = self.merge.finish(out);
            finished.map_err(|malformed| self.failed(&malformed))?;
            self.is_whole = true;
        }
        Ok(())
    }

    fn failed(&self, malformed: &Malformed) -> Error {
        self.people.failed(malformed.0)
    }
}
