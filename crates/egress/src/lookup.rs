//! Names to addresses, with every address checked before anything connects to it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::address::is_open;

/// Finds a host's addresses. The one of the system is the default; tests script theirs.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// All addresses of the host.
    ///
    /// # Errors
    /// What the resolver said; there is none, or it could not be asked.
    async fn lookup(&self, host: &str) -> std::io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, host: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0))
            .await?
            .map(|found| found.ip())
            .collect())
    }
}

/// Why a name gave no address to connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoAddress {
    #[error("an address of the host is closed")]
    Closed,
    #[error("the host has no address")]
    Unknown,
}

/// Sits where the HTTP client resolves names, so that it connects to the very addresses that were checked:
/// a name that answers differently the second time (DNS rebinding) gains nothing.
#[derive(Clone)]
pub(crate) struct Guarded {
    pub(crate) lookup: Arc<dyn Lookup>,
    pub(crate) allow: Arc<[IpNet]>,
}

impl Guarded {
    /// The host's addresses, all checked, at least one; `host` is a name or a literal address.
    pub(crate) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, NoAddress> {
        let found = match host.parse() {
            Ok(literal) => vec![literal],
            Err(_) => self.lookup.lookup(host).await.unwrap_or_default(),
        };
        if found.is_empty() {
            return Err(NoAddress::Unknown);
        }
        // One closed address among open ones is refused as a whole: no honest host mixes them.
        match found.iter().all(|address| is_open(*address, &self.allow)) {
            true => Ok(found),
            false => Err(NoAddress::Closed),
        }
    }
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let guarded = self.clone();
        Box::pin(async move {
            let found = guarded.addresses(name.as_str()).await?;
            let addresses: Addrs = Box::new(found.into_iter().map(|ip| SocketAddr::new(ip, 0)));
            Ok(addresses)
        })
    }
}
