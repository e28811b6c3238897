//! What is measured, in Prometheus' names. No label holds a tenant's or a visitor's words, and none grows
//! without bound.

use std::time::Duration;

use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};

use crate::state::State;

/// The server's metrics.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    in_flight: IntGauge,
    resident_bytes: IntGauge,
    store_waiting: IntGauge,
}

impl Metrics {
    /// New metrics at zero.
    ///
    /// # Errors
    /// Where two metrics have one name: a fault of this file.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let requests = IntCounterVec::new(
            Opts::new("botwright_http_requests_total", "Requests answered"),
            &["method", "route", "status"],
        )?;
        let buckets = vec![
            0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
            30.0,
        ];
        let options = HistogramOpts::new(
            "botwright_http_request_seconds",
            "Time until the answer began",
        )
        .buckets(buckets);
        let seconds = HistogramVec::new(options, &["method", "route"])?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(seconds.clone()))?;
        let gauge = |name: &str, help: &str| -> Result<IntGauge, prometheus::Error> {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let in_flight = gauge(
            "botwright_tasks_in_flight",
            "Requests, answers on their way out and turns under way",
        )?;
        let resident_bytes = gauge("process_resident_memory_bytes", "Resident memory in bytes")?;
        let store_waiting = gauge(
            "botwright_store_waiting",
            "Transactions that wait for the store",
        )?;
        Ok(Self {
            registry,
            requests,
            seconds,
            in_flight,
            resident_bytes,
            store_waiting,
        })
    }

    /// Counts a request. `route` is the pattern, not the path.
    pub fn request(&self, method: &str, route: &str, status: u16, took: Duration) {
        let mut buffer = [0; 3];
        self.requests
            .with_label_values(&[method, route, status_word(status, &mut buffer)])
            .inc();
        self.seconds
            .with_label_values(&[method, route])
            .observe(took.as_secs_f64());
    }

    /// All metrics in the text format.
    pub fn render(&self, state: &State) -> Vec<u8> {
        self.in_flight.set(state.tasks.len() as i64);
        if let Some(bytes) = resident_bytes() {
            self.resident_bytes.set(bytes);
        }
        self.store_waiting.set(state.stores.load().waiting as i64);
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "the metrics could not be written");
        }
        text
    }
}

/// A status code as a word, without an allocation for each request.
fn status_word(status: u16, buffer: &mut [u8; 3]) -> &str {
    for (digit, place) in buffer.iter_mut().zip([100, 10, 1]) {
        *digit = b'0' + (status / place % 10) as u8;
    }
    std::str::from_utf8(buffer).unwrap_or("???")
}

/// From the second field of `/proc/self/statm`, in pages of 4 KiB; absent on systems without it.
fn resident_bytes() -> Option<i64> {
    let pages: i64 = std::fs::read_to_string("/proc/self/statm")
        .ok()?
        .split(' ')
        .nth(1)?
        .parse()
        .ok()?;
    Some(pages * 4096)
}
