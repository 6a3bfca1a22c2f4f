//! What a service answers, which can be broken, too.

use http_semantics::Format;
use join::domain::{MalformedResponse, MergeJoin};

use crate::{Target, Verdict};

pub const TARGETS: &[Target] = &[
    Target {
        name: "merge",
        seeds: &[
            "[{\"id\":1,\"name\":\"a\"},\n{\"id\":3,\"name\":\"b\"}]\0[{\"placeId\":1,\"people\":[{}]}]",
            "[]\0[]",
            "[{\"id\":1}]\0[{\"placeId\":2,\"people\":[]},\n{\"placeId\":3,\"people\":[]}]",
            "[{\"id\":2},\n{\"id\":1}]\0[",
        ],
        check: merge,
    },
    Target {
        name: "statistics of a service",
        seeds: &[
            "[{\"id\":1,\"name\":\"a\"}]",
            "[{\"placeId\":1,\"living\":3,\"dead\":0,\"king\":null}]",
            "[[1,\"a\"],\n[2,\"b\"]]",
        ],
        check: |input| {
            let places = join::domain::statistics::places(input).is_ok();
            let people = join::domain::statistics::populations(input).is_ok();
            let text = String::from_utf8_lossy(input);
            Ok(if places || people {
                Verdict::Taken(text.into_owned())
            } else {
                Verdict::Refused(text.into_owned())
            })
        },
    },
];

/// However the bytes are cut, the merge is the same; and what it makes of two arrays that are
/// JSON is JSON.
fn merge(input: &[u8]) -> Result<Verdict, String> {
    let mut parts = input.splitn(2, |byte| *byte == 0);
    let places = parts.next().unwrap_or_default();
    let groups = parts.next().unwrap_or_default();
    let whole = merged(places, groups, groups.len().max(1));
    for size in [1, 2, 7] {
        if merged(places, groups, size) != whole {
            return Err(format!("another merge in pieces of {size} bytes"));
        }
    }
    match whole {
        Ok(bytes) => Ok(Verdict::Taken(String::from_utf8_lossy(&bytes).into_owned())),
        Err(malformed) => Ok(Verdict::Refused(format!("{malformed:?}"))),
    }
}

fn merged(places: &[u8], groups: &[u8], size: usize) -> Result<Vec<u8>, MalformedResponse> {
    let mut join = MergeJoin::from_page(places.to_vec(), Format::Json.frame())?;
    let mut out = Vec::new();
    for chunk in groups.chunks(size) {
        join.push(chunk, &mut out)?;
    }
    join.end_groups(1000, &mut out)?;
    join.finish(&mut out);
    Ok(out)
}
