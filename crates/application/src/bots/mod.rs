//! What can be done with bots.

mod create;
mod delete;
mod get;
mod list;
mod profile;
mod update;

pub use create::create;
pub use delete::delete;
pub use get::get;
pub(crate) use get::is_active;
pub use list::list;
pub use profile::{Profile, profile};
pub use update::update;
