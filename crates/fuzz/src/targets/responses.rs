//! The parsers of the backends' responses, which may be malformed.

use http_semantics::MediaType;
use join::domain::{MalformedResponse, MergeJoin, PlaceOrder, PlacePage, statistics};
use proptest::prop_assert_eq;

use super::bytes;
use crate::Verdict::{Accepted, Rejected};
use crate::{Checked, Target};

pub const TARGETS: &[Target] = &[
    bytes(
        "merge join",
        &[
            "[{\"id\":1,\"name\":\"a\"},\n{\"id\":3,\"name\":\"b\"}]\0[{\"placeId\":1,\"people\":[{}]}]",
            "[]\0[]",
            "[{\"id\":1}]\0[{\"placeId\":2,\"people\":[]},\n{\"placeId\":3,\"people\":[]}]",
            "[{\"id\":2},\n{\"id\":1}]\0[",
            "[{\"id\":2,\"name\":\"a\"},\n{\"id\":1,\"name\":\"b\"}]\x002,7,\"x\",true,false\n1,,,,\n.",
        ],
        merge_join,
    ),
    bytes(
        "statistics of a backend",
        &[
            "[{\"id\":1,\"name\":\"a\"}]",
            "[{\"placeId\":1,\"living\":3,\"dead\":0,\"king\":null}]",
            "[[1,\"a\"],\n[2,\"b\"]]",
        ],
        |input| {
            let places = statistics::places(input);
            let populations = statistics::populations(input);
            Ok(match (places, populations) {
                (Err(_), Err(_)) => Rejected,
                _ => Accepted,
            })
        },
    ),
];

/// The result does not depend on the sizes of the chunks.
fn merge_join(input: &[u8]) -> Checked {
    let mut parts = input.splitn(2, |byte| *byte == 0);
    let places = parts.next().unwrap_or_default();
    let groups = parts.next().unwrap_or_default();
    let mut verdict = Rejected;
    for format in [MediaType::Json, MediaType::Csv] {
        for order in [PlaceOrder::Ascending, PlaceOrder::AsListed] {
            let join = |size| join(places, groups, size, (order, format));
            let whole = join(groups.len().max(1));
            for size in [1, 2, 7] {
                prop_assert_eq!(&join(size), &whole, "in chunks of {}", size);
            }
            verdict = whole.map_or(verdict, |_| Accepted);
        }
    }
    Ok(verdict)
}

fn join(
    places: &[u8],
    groups: &[u8],
    chunk_size: usize,
    (order, format): (PlaceOrder, MediaType),
) -> Result<Vec<u8>, MalformedResponse> {
    let page = PlacePage::parse(places.to_vec())?;
    let mut join = MergeJoin::new(page, order, format)?;
    let mut out = Vec::new();
    for chunk in groups.chunks(chunk_size) {
        join.push(chunk, &mut out)?;
    }
    join.end_groups(1000, &mut out)?;
    join.finish(&mut out);
    Ok(out)
}
