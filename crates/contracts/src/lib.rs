//! One suite of promises per port, and fakes that keep them.
