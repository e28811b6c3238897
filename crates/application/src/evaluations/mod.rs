//! What can be done to measure a bot.

mod begin;
mod compare;
pub(crate) mod gate;
mod get;
mod run;

pub use begin::{Begin, begin};
pub use compare::{Difference, Moved};
pub use get::{Report, get, list};
pub(crate) use run::run;
