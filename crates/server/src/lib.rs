//! The HTTP server, its settings, its commands and its wiring.
