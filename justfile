# Short names; each is a command of cargo's.

# List them
default:
    @just --list

# Start with a demo bot
demo:
    cargo run --release -- demo

# Run every test, with what they need
test *ARGS:
    cargo xtask test {{ ARGS }}

# Measure, and write docs/benchmarks.md
bench *ARGS:
    cargo xtask bench {{ ARGS }}

# What a change must pass beside its tests
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Format everything
fmt:
    cargo fmt --all

# The code's own documentation
docs:
    cargo doc --workspace --no-deps --open
