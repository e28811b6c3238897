//! What every request has at hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use application::App;
use application::authentication::Authenticator;
use application::rate_limits::RateLimiter;
use storage::Stores;
use tokio_util::task::TaskTracker;

use crate::http::clients::Proxies;
use crate::metrics::Metrics;

/// Shared by all workers of the server.
pub struct State {
    /// The use cases' ports.
    pub app: Arc<App>,
    /// The one authenticator.
    pub authenticator: Authenticator,
    /// The one counter of requests.
    pub rates: RateLimiter,
    /// What is measured.
    pub metrics: Metrics,
    /// Who may say where a client is.
    pub proxies: Proxies,
    /// For readiness.
    pub stores: Stores,
    /// The token for `/metrics` from elsewhere, if there is one.
    pub metrics_token: Option<String>,
    /// Requests, answers on their way out, and turns under way: the server stops when there are none.
    pub tasks: TaskTracker,
    draining: AtomicBool,
}

impl State {
    /// The state of a server that begins.
    pub fn new(
        app: Arc<App>,
        stores: Stores,
        metrics: Metrics,
        metrics_token: Option<String>,
        proxies: Proxies,
    ) -> Self {
        Self {
            app,
            authenticator: Authenticator::default(),
            rates: RateLimiter::default(),
            metrics,
            proxies,
            stores,
            metrics_token,
            tasks: TaskTracker::new(),
            draining: AtomicBool::new(false),
        }
    }

    /// From now on, new requests are refused.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether new requests are refused.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}
