//! What can be done with executions of agent loops, and how they are worked on.

mod begin;
mod call;
mod cancel;
mod decide;
mod finish;
mod get;
mod run;
mod schedule;

pub use begin::{Begin, begin};
pub use cancel::cancel;
pub use decide::{Decision, decide};
pub use finish::forget_old;
pub use get::{get, list};
pub(crate) use run::run;
pub use schedule::begin_due;
