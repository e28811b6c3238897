//! What can be done with the embeddings that bots are searched with: see how far they are, compare models on a bot's
//! own questions, switch.

mod compare;
mod state;
mod switch;

pub use compare::{Changed, Comparison, Found, compare};
pub use state::{show, want};
pub use switch::switch;
