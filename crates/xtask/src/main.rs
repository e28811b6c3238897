//! Developers' commands: test, bench.
fn main() {}
