//! Botwright's server: HTTP, settings, commands and wiring.
//!
//! [`Server::start`] runs the whole product in this process; the binary `botwright` and the testkit both
//! start it so.

mod clock;
pub mod commands;
mod demo;
pub mod http;
mod metrics;
mod placeholder_secrets;
mod routes;
mod run;
pub mod settings;
mod state;
mod telemetry;
mod wiring;
mod worker;

pub use run::{Server, StartError};
pub use wiring::{Wired, wire};

/// Re-exported for those who start the server in their own process.
pub use application;
/// Re-exported as [`application`] is.
pub use domain;
