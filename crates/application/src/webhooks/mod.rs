//! What can be done with webhooks: their owner's side (endpoints, keys, the log), and the way of an event to them.

mod deliver;
mod endpoints;
mod keys;
mod log;
mod publish;

pub use deliver::{AT_ONCE, Work, begin, finish, send};
pub use endpoints::{Change, Create, WithKey, change, create, delete, get, list};
pub use keys::{OVERLAP_HOURS, OVERLAP_HOURS_MAX, rotate};
pub use log::{deliveries, forget_old, replay, test};
pub use publish::{Happened, publish};
