//! The engines' own rates: the rows that a turn writes, written by a plain loop with the same durability.

pub mod postgres;
pub mod sqlite;

use std::time::Duration;

/// The answer that is written: as long as the ones that the server writes.
const ANSWER: &str = "We are open Monday to Friday from eight to six, and on weekends from ten on.";
const QUESTION: &str = "What are your opening hours?";
const METADATA: &str = r#"{"provider":"extractive","fallback":false,"grounded":true,"citations":[{"source_id":"0190f2a5-0000-7000-8000-000000000000","source_name":"Handbook","chunk_id":"0190f2a5-0000-7000-8000-000000000001","chunk_index":0,"heading":"Opening hours","page":null,"url":null,"score":7.5}],"took_ms":0}"#;

/// A transaction of a turn: who speaks, what, and what is noted with it.
struct Spoken {
    author: &'static str,
    text: &'static str,
    metadata: &'static str,
}

/// A turn is two transactions.
const TURN: [Spoken; 2] = [
    Spoken {
        author: "user",
        text: QUESTION,
        metadata: "{}",
    },
    Spoken {
        author: "bot",
        text: ANSWER,
        metadata: METADATA,
    },
];

/// Microseconds since 1970.
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since: Duration| since.as_micros() as i64)
}

/// An id as UUIDs of version 7 are: sorted by time, the rest spread.
fn id(number: u64) -> u128 {
    let spread = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (now() as u128 / 1000) << 80 | u128::from(spread) << 12 | u128::from(number & 0xfff)
}
