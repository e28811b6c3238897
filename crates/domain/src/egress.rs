//! The way out to hosts that a tenant names, for protocols other than HTTP.

use std::net::SocketAddr;

use async_trait::async_trait;

/// Why a host may not be connected to, or can't be. The sentences are for tenants, and say nothing of what was
/// found inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EgressRefusal {
    /// An address of the host is not on the public Internet and was not opened by the operator.
    #[error("This host is not allowed: only hosts on the public Internet can be reached.")]
    Closed,
    /// The name has no address, or could not be looked up.
    #[error("The host name could not be found.")]
    UnknownHost,
}

/// Finds the addresses that a tenant's host may be reached at.
#[async_trait]
pub trait Egress: Send + Sync {
    /// The host's addresses, all checked, at least one. `host` is a name or a literal address. Whoever connects
    /// uses these and does not look the name up again, which could give others (DNS rebinding).
    ///
    /// # Errors
    /// [`EgressRefusal`].
    async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, EgressRefusal>;
}
