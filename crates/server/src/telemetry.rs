//! Logs, and traces where the operator wants them.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use crate::settings::{Settings, SettingsError};

/// What traces show beside what logs do: each use case, query, search and provider call.
const TRACED: &str =
    "info,botwright=debug,application=debug,storage=debug,retrieval=debug,llm=debug,scraper=debug";

/// Keeps traces going out; dropped last.
pub struct Telemetry(Option<SdkTracerProvider>);

impl Telemetry {
    /// Begins logging to standard error, and tracing if an endpoint is set.
    ///
    /// # Errors
    /// [`SettingsError`] for a filter or an endpoint that can't be taken.
    pub fn start(settings: &Settings) -> Result<Self, SettingsError> {
        let filter = EnvFilter::try_new(&settings.log)
            .map_err(|error| SettingsError::new("BOTWRIGHT_LOG", error))?;
        let logs = logs(settings.log_json, std::io::stderr).with_filter(filter);
        let provider = settings.otlp_endpoint.as_deref().map(traces).transpose()?;
        let layer = provider.as_ref().map(|provider| {
            tracing_opentelemetry::layer()
                .with_tracer(provider.tracer("botwright"))
                .with_filter(EnvFilter::new(TRACED))
        });
        // Only the first one in a process counts: in tests many servers share one.
        let _ = tracing_subscriber::registry()
            .with(logs)
            .with(layer)
            .try_init();
        Ok(Self(provider))
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = &self.0
            && let Err(error) = provider.shutdown()
        {
            eprintln!("the last traces could not be sent: {error}");
        }
    }
}

fn logs<W: for<'a> MakeWriter<'a> + Send + Sync + 'static>(
    json: bool,
    writer: W,
) -> Box<dyn Layer<Registry> + Send + Sync> {
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_target(true);
    if json {
        Box::new(layer.json())
    } else {
        Box::new(layer.with_ansi(false))
    }
}

fn traces(endpoint: &str) -> Result<SdkTracerProvider, SettingsError> {
    let wrong =
        |error: &dyn std::fmt::Display| SettingsError::new("OTEL_EXPORTER_OTLP_ENDPOINT", error);
    let endpoint = format!(
        "{}/v1/traces",
        endpoint
            .trim_end_matches('/')
            .trim_end_matches("/v1/traces")
    );
    url::Url::parse(&endpoint).map_err(|error| wrong(&error))?;
    // The exporter's client wants one installed; one that is there already serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(endpoint)
        .build()
        .map_err(|error| wrong(&error))?;
    let resource = Resource::builder().with_service_name("botwright").build();
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource)
        .build())
}
