//! The egress guard: the one way out for every request that a tenant can cause, whoever makes it.
//!
//! [`Egress::get`] and [`Egress::hop`] read what is there; [`Egress::request`] begins any other request, to be sent
//! and read by [`Egress::send`].

mod address;
mod guard;
mod lookup;
mod signature;

pub use guard::{Ask, Egress, EgressError, Hop, MAX_REDIRECTS, Response};
pub use lookup::{Lookup, SystemLookup};
pub use signature::sign;
