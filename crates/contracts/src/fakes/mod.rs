//! Fakes of foreign systems, over the real protocol.

pub mod openai;
pub mod website;
