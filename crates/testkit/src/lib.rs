//! The whole server in-process, for integration tests: ours and other projects'.
