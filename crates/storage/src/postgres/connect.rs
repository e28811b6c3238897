//! Connections, with TLS where the address asks for it.

use std::sync::Arc;

use diesel::sql_types::Bool;
use diesel::{ConnectionError, ConnectionResult, QueryResult, QueryableByName};
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::Handle;
use tokio::task::JoinError;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;
use url::Url;

use crate::OpenError;

/// Where to connect to, and how.
pub(super) struct Target {
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

impl Target {
    /// Reads an address such as `postgres://user:password@host/database?sslmode=require`. Without
    /// `sslmode` there is no TLS. With it, the server's certificate is checked against the system's trust
    /// store in every mode: `verify-ca` and `verify-full` are taken as `require`.
    pub fn parse(url: &str) -> Result<Self, OpenError> {
        let failed = |reason: String| OpenError::Url(reason);
        let mut parsed = Url::parse(url).map_err(|error| failed(error.to_string()))?;
        let mut mode = None;
        let rest: Vec<(String, String)> = parsed
            .query_pairs()
            .into_owned()
            .filter_map(|(name, value)| {
                if name == "sslmode" {
                    mode = Some(value);
                    return None;
                }
                Some((name, value))
            })
            .collect();
        let mode = match mode.as_deref() {
            None | Some("disable") => SslMode::Disable,
            Some("prefer" | "allow") => SslMode::Prefer,
            Some("require" | "verify-ca" | "verify-full") => SslMode::Require,
            Some(other) => return Err(failed(format!("unknown sslmode '{other}'"))),
        };
        // Written back percent-encoded (not form-encoded), as tokio-postgres reads it.
        let query: Vec<_> = rest
            .iter()
            .map(|(name, value)| format!("{name}={}", percent(value)))
            .collect();
        parsed.set_query((!query.is_empty()).then(|| query.join("&")).as_deref());
        let mut config: Config = parsed
            .as_str()
            .parse()
            .map_err(|error: tokio_postgres::Error| failed(error.to_string()))?;
        config.ssl_mode(mode);
        if config.get_application_name().is_none() {
            config.application_name("botwright");
        }
        let tls = (mode != SslMode::Disable).then(tls).transpose()?;
        Ok(Self { config, tls })
    }

    /// A new connection.
    pub async fn connect(&self) -> ConnectionResult<AsyncPgConnection> {
        let failed = |error: tokio_postgres::Error| {
            // `Display` of the outer error alone says only that it failed, not why.
            let source = std::error::Error::source(&error);
            let reason = source.map(|s| format!(": {s}")).unwrap_or_default();
            ConnectionError::BadConnection(format!("{error}{reason}"))
        };
        match &self.tls {
            None => {
                let (client, connection) = self.config.connect(NoTls).await.map_err(failed)?;
                AsyncPgConnection::try_from_client_and_connection(client, connection).await
            }
            Some(tls) => {
                let connected = self.config.connect(tls.clone()).await;
                let (client, connection) = connected.map_err(failed)?;
                AsyncPgConnection::try_from_client_and_connection(client, connection).await
            }
        }
    }
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn tls() -> Result<MakeRustlsConnect, OpenError> {
    let failed = |error: &dyn std::fmt::Display| OpenError::Tls(error.to_string());
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        return Err(failed(&"the system's trust store has no certificates"));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// The pool. A connection is looked at when it is taken out: one that is closed, or was left within a
/// transaction, is replaced. Each lives on `runtime`, whoever wanted it first: it serves others later.
pub(super) fn pool(
    target: Arc<Target>,
    connections: usize,
    runtime: Handle,
) -> Result<Pool<AsyncPgConnection>, OpenError> {
    let mut config = ManagerConfig::default();
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |_| {
        let target = target.clone();
        let connected = runtime.spawn(async move { target.connect().await });
        let lost = |error: JoinError| ConnectionError::BadConnection(error.to_string());
        Box::pin(async move { connected.await.unwrap_or_else(|error| Err(lost(error))) })
    });
    let manager = AsyncDieselConnectionManager::new_with_config(String::new(), config);
    Pool::builder(manager)
        .max_size(connections.max(1))
        .build()
        .map_err(|error| OpenError::Postgres(error.to_string()))
}

/// Whether row-level security holds for the role that we are: superusers and roles with BYPASSRLS see all.
pub(super) async fn obeys_row_security(conn: &mut AsyncPgConnection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        holds: bool,
    }
    let sql =
        "SELECT NOT (rolsuper OR rolbypassrls) AS holds FROM pg_roles WHERE rolname = current_user";
    let row: Row = diesel::sql_query(sql).get_result(conn).await?;
    Ok(row.holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_used_where_the_address_asks_for_it() {
        let mode = |url: &str| Target::parse(url).map(|t| t.config.get_ssl_mode());
        assert_eq!(mode("postgres://u@h/d").unwrap(), SslMode::Disable);
        assert_eq!(
            mode("postgres://u@h/d?sslmode=verify-full").unwrap(),
            SslMode::Require
        );
        assert!(mode("postgres://u@h/d?sslmode=perhaps").is_err());
    }

    #[test]
    fn other_parameters_reach_the_server() {
        let target = Target::parse(
            "postgres://u:p%40ss@h:5433/d?options=-csearch_path%3Dx%20y&sslmode=disable",
        )
        .unwrap();
        assert_eq!(target.config.get_options(), Some("-csearch_path=x y"));
        assert_eq!(target.config.get_password(), Some(&b"p@ss"[..]));
        assert_eq!(target.config.get_ports(), [5433]);
    }
}
