//! Makes the body of a page: joins the places with the groups of people as they arrive.

use std::collections::VecDeque;

use domain::id::Ids;
use edge::{Body, BodyReader, Error};
use futures_util::{StreamExt, stream};
use http_semantics::MediaType;
use tables::ByPlaceQuery;

use crate::backends::Backends;
use crate::domain::{GROUPS, ListQuery, MergeJoin};
use crate::service::cache::parts::{self, MAX_PART_BYTES};
use crate::service::stream_body;

/// The size up to which a page is buffered before its response starts.
const BUFFER_BYTES: usize = 256 * 1024;

/// The maximum length of a list of ids in a request. The platform limits a URL to 16 KB.
const MAX_LIST_BYTES: usize = 8_000;

/// The requests for the groups of a page, one after the other.
pub struct GroupRequests {
    query: ListQuery,
    /// The route of the people service.
    route: &'static str,
    /// The places of the requests that remain, in the order of the page. None if the groups are
    /// those after a place.
    lists: Option<VecDeque<Vec<i64>>>,
    /// The path of the first request in order of id.
    first_path: Option<String>,
}

impl GroupRequests {
    /// Requests groups in order of id.
    pub fn in_range(query: ListQuery, format: MediaType) -> Self {
        Self {
            query,
            route: route(format),
            lists: None,
            first_path: None,
        }
    }

    /// Requests the groups of these places, in this order.
    pub fn of_places(query: ListQuery, format: MediaType, places: Vec<i64>) -> Self {
        Self {
            query,
            route: route(format),
            lists: Some(split(places)),
            first_path: None,
        }
    }

    /// The path of the first request. None if there are no places.
    pub fn first(&mut self) -> Option<String> {
        let after = self.query.page.after.as_ref().map(tables::Cursor::id);
        match self.lists {
            None => {
                self.first_path = Some(self.path(&self.query.groups_after(after)));
                self.first_path.clone()
            }
            Some(_) => self.next(None),
        }
    }

    /// The path of the next request. `after` is the place after which groups are missing, in order
    /// of id.
    fn next(&mut self, after: Option<i64>) -> Option<String> {
        let query = match &mut self.lists {
            None => self.query.groups_after(Some(after?)),
            Some(lists) => self.query.groups_of(lists.pop_front()?),
        };
        Some(self.path(&query))
    }

    fn path(&self, query: &ByPlaceQuery) -> String {
        query.url(self.route)
    }

    /// Whether places without people are left out.
    pub fn is_inhabited(&self) -> bool {
        self.query.has_people == Some(true)
    }

    /// The maximum number of groups of a request in order of id.
    fn limit(&self) -> usize {
        self.query.page.limit.get().into()
    }
}

/// The route of the people service with the groups that a format needs.
fn route(format: MediaType) -> &'static str {
    match format {
        MediaType::Csv => "/internal/people-lines",
        MediaType::Json | MediaType::NdJson => GROUPS,
    }
}

/// Splits ids into lists that each fit into a request.
pub fn split(ids: Vec<i64>) -> VecDeque<Vec<i64>> {
    let mut lists: VecDeque<Vec<i64>> = VecDeque::new();
    let mut room = 0;
    for id in ids {
        let bytes = id.to_string().len() + 1;
        match lists.back_mut() {
            Some(list) if bytes <= room && list.len() < Ids::MAX_IDS => list.push(id),
            _ => {
                lists.push_back(vec![id]);
                room = MAX_LIST_BYTES;
            }
        }
        room -= bytes;
    }
    lists
}

/// A page of the join whose groups are still arriving.
pub struct MergeJoinStream {
    join: MergeJoin,
    backends: Backends,
    /// None if no groups are needed.
    groups: Option<(BodyReader, GroupRequests)>,
    /// The first groups, which are stored for the time after a write of places. None after their end,
    /// or if they are too long.
    first: Option<FirstGroups>,
    is_finished: bool,
}

/// The response with the first groups, and the bytes that have arrived.
struct FirstGroups {
    path: String,
    response: web_sys::Response,
    bytes: Vec<u8>,
}

impl FirstGroups {
    fn append(mut self, chunk: &[u8]) -> Option<Self> {
        self.bytes.extend_from_slice(chunk);
        (self.bytes.len() <= MAX_PART_BYTES).then_some(self)
    }
}

impl MergeJoinStream {
    /// Joins a page with groups. `response` has the first of them.
    pub fn new(
        join: MergeJoin,
        backends: Backends,
        groups: Option<GroupRequests>,
        response: &web_sys::Response,
    ) -> Self {
        let mut first = None;
        let groups = groups.map(|mut requests| {
            first = requests.first_path.take().map(|path| FirstGroups {
                path,
                response: Clone::clone(response),
                bytes: Vec::new(),
            });
            (backends.people.body_reader(response), requests)
        });
        Self {
            join,
            backends,
            groups,
            first,
            is_finished: false,
        }
    }

    /// The body of the page: complete, or a stream if it is long. A failure before the response
    /// starts returns the join.
    pub async fn into_body(mut self, format: MediaType) -> Result<Body, (Error, MergeJoin)> {
        let mut start = Vec::new();
        while start.len() < BUFFER_BYTES {
            match self.next().await {
                Ok(Some(bytes)) => start.extend_from_slice(&bytes),
                Ok(None) => return Ok(Body::Bytes(start)),
                Err(error) => return Err((error, self.join)),
            }
        }
        // The client decides how fast it reads a stream.
        if let Some((groups, _)) = &mut self.groups {
            groups.drop_deadline();
        }
        self.backends.drop_deadline();
        let rest = stream::try_unfold(self, |mut stream| async move {
            Ok(stream.next().await?.map(|bytes| (bytes, stream)))
        });
        let chunks = stream::once(async { Ok(start) }).chain(rest);
        let between = match format {
            MediaType::Csv => "",
            MediaType::Json | MediaType::NdJson => format.framing().between,
        };
        Ok(stream_body(chunks.boxed_local(), format, between))
    }

    /// The next bytes of the page. None after its end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let mut out = Vec::new();
        while out.is_empty() && !self.is_finished {
            let chunk = match &mut self.groups {
                Some((groups, _)) => groups.next().await?,
                None => None,
            };
            match chunk {
                Some(chunk) => {
                    self.first = self.first.take().and_then(|first| first.append(&chunk));
                    let result = self.join.push(&chunk, &mut out);
                    result.map_err(|malformed| self.backends.malformed_response(malformed))?;
                }
                None => self.end_groups(&mut out).await?,
            }
        }
        Ok((!out.is_empty()).then_some(out))
    }

    /// Ends the page, or requests more groups: groups without a place may have taken the room of
    /// groups of this page, or the page has more places than one request can list.
    async fn end_groups(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        if let Some((groups, requests)) = &mut self.groups {
            let after = self.join.end_groups(requests.limit(), out);
            let after = after.map_err(|malformed| self.backends.malformed_response(malformed))?;
            if let Some(FirstGroups {
                path,
                response,
                bytes,
            }) = self.first.take()
            {
                parts::store(&path, &response, &bytes);
            }
            if let Some(path) = requests.next(after) {
                let response = self.backends.people.get_ok(&path).await?;
                *groups = self.backends.people.body_reader(&response);
                return Ok(());
            }
        }
        self.join.finish(out);
        self.is_finished = true;
        Ok(())
    }
}
