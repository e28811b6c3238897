//! What visitors' messages say.

mod figures;
mod learn;
mod products;

pub use figures::{Felt, Wanted, intents, products, questions, sentiment};
pub use learn::Learner;
pub use products::{catalogue, set_catalogue};
