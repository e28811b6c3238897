//! The one way out for every request that a tenant can cause.

use std::error::Error as StdError;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::websites::PageMark;
use ipnet::IpNet;
use reqwest::header::{
    ACCEPT, DATE, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LOCATION,
    RETRY_AFTER, USER_AGENT,
};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder};
use url::{Host, Url};

use crate::address::is_open;
use crate::lookup::{Guarded, Lookup, NoAddress, SystemLookup};

/// How long connecting may take, where the caller does not say.
const CONNECT: Duration = Duration::from_secs(10);
/// The most redirects that are followed for one address.
pub const MAX_REDIRECTS: usize = 5;

/// Why there is no response. The sentences are for clients, and say nothing of what was found inside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// No web address, or one that carries credentials.
    #[error("{0}")]
    BadUrl(&'static str),
    /// The address, or one that it leads to, is not on the public Internet and was not opened.
    #[error("This address is not allowed: only hosts on the public Internet can be reached.")]
    Closed,
    /// The name has no address.
    #[error("The host name could not be found.")]
    UnknownHost,
    /// No connection, or none with a valid certificate.
    #[error("The server could not be reached.")]
    Unreachable,
    /// It took longer than allowed.
    #[error("The server took too long to answer.")]
    TimedOut,
    /// What came is no HTTP, or ended in the middle.
    #[error("The connection broke before the whole answer had come.")]
    Broken,
    /// A redirect without an address.
    #[error("The server redirects to something that is no web address.")]
    BadRedirect,
    /// More than [`MAX_REDIRECTS`].
    #[error("The server redirects too many times.")]
    TooManyRedirects,
}

/// How a request is made, and what it may cost.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// How the asker calls itself.
    pub user_agent: &'a str,
    /// The content types that are wanted.
    pub accept: &'a str,
    /// For everything, from the look-up to the body's last byte.
    pub time: Duration,
    /// Of the body, after decompression, in bytes; what is beyond is cut off.
    pub body: usize,
    /// What is known of the page: the server may answer that it has not changed (304).
    pub known: Option<&'a PageMark>,
}

/// What a server answered.
#[derive(Debug, Clone)]
pub struct Response {
    /// The address that answered.
    pub url: Url,
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body up to the limit; [`Egress::get`] and [`Egress::hop`] read that of a success only.
    pub body: Vec<u8>,
}

impl Response {
    /// How long a server that has too much to do (429, 503) wants to be left alone: `Retry-After` (RFC 9110, 10.2.3).
    pub fn retry_after(&self) -> Option<Duration> {
        if !matches!(self.status, 429 | 503) {
            return None;
        }
        let text = |name| self.headers.get(name)?.to_str().ok().map(str::trim);
        let value: &str = text(RETRY_AFTER)?;
        match value.parse() {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            // A date is compared with the server's own clock.
            Err(_) => {
                let date = |text| httpdate::parse_http_date(text).ok();
                let now = text(DATE).and_then(date)?;
                Some(date(value)?.duration_since(now).unwrap_or_default())
            }
        }
    }
}

/// What one request brought.
#[derive(Debug, Clone)]
pub enum Hop {
    /// The server sends the client elsewhere.
    Redirect(Url),
    /// The server answered.
    Response(Response),
}

/// A client that reaches the public Internet, what the operator opened, and nothing else.
///
/// Literal addresses are checked in the URL, names where they are resolved; the connection goes to an address
/// that was checked. Redirects are followed by hand, each checked again. Proxies of the environment are
/// ignored, since they would resolve names out of the guard's sight.
pub struct Egress {
    client: reqwest::Client,
    guarded: Guarded,
}

impl Egress {
    /// A guard that opens `allow` (`BOTWRIGHT_EGRESS_ALLOW`) besides the public Internet.
    ///
    /// # Errors
    /// Where the TLS library can't be set up.
    pub fn new(allow: Vec<IpNet>) -> Result<Self, reqwest::Error> {
        Self::build(allow, Arc::new(SystemLookup), CONNECT)
    }

    /// As [`Egress::new`], with so much time to connect.
    ///
    /// # Errors
    /// Where the TLS library can't be set up.
    pub fn connecting_within(time: Duration, allow: Vec<IpNet>) -> Result<Self, reqwest::Error> {
        Self::build(allow, Arc::new(SystemLookup), time)
    }

    /// As [`Egress::new`], with another way from names to addresses.
    ///
    /// # Errors
    /// Where the TLS library can't be set up.
    pub fn with_lookup(allow: Vec<IpNet>, lookup: Arc<dyn Lookup>) -> Result<Self, reqwest::Error> {
        Self::build(allow, lookup, CONNECT)
    }

    fn build(
        allow: Vec<IpNet>,
        lookup: Arc<dyn Lookup>,
        connect: Duration,
    ) -> Result<Self, reqwest::Error> {
        // The first to ask for TLS in the process sets its provider; a second one is the same and is ignored.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let guarded = Guarded {
            lookup,
            allow: allow.into(),
        };
        let client = reqwest::Client::builder()
            .dns_resolver(Arc::new(guarded.clone()))
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(connect)
            .pool_idle_timeout(Duration::from_secs(10))
            .build()?;
        Ok(Self { client, guarded })
    }

    /// Whether the URL itself may be asked for. What its name resolves to is checked when it is resolved.
    ///
    /// # Errors
    /// [`EgressError::BadUrl`], [`EgressError::Closed`].
    pub fn check(&self, url: &Url) -> Result<(), EgressError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(EgressError::BadUrl(
                "The address must begin with http:// or https://.",
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EgressError::BadUrl(
                "The address must not hold a user name or password.",
            ));
        }
        let literal = match url.host() {
            Some(Host::Ipv4(v4)) => Some(v4.into()),
            Some(Host::Ipv6(v6)) => Some(v6.into()),
            Some(Host::Domain(_)) => None,
            None => return Err(EgressError::BadUrl("The address has no host name.")),
        };
        match literal {
            Some(ip) if !is_open(ip, &self.guarded.allow) => Err(EgressError::Closed),
            _ => Ok(()),
        }
    }

    /// The client, for who speaks to one address through it; that address is checked here, and what its name resolves
    /// to with every connection. It follows no redirects.
    ///
    /// # Errors
    /// As [`Egress::check`].
    pub fn client(&self, url: &Url) -> Result<reqwest::Client, EgressError> {
        self.check(url)?;
        Ok(self.client.clone())
    }

    /// The addresses that a host may be reached at, for protocols other than HTTP; `host` is a name or a literal
    /// address. Whoever connects uses these and does not look the name up again, which could give others (DNS
    /// rebinding).
    ///
    /// # Errors
    /// [`EgressError::Closed`], [`EgressError::UnknownHost`].
    pub async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, EgressError> {
        let found = self.guarded.addresses(host).await.map_err(no_address)?;
        let at = |address| SocketAddr::new(address, port);
        Ok(found.into_iter().map(at).collect())
    }

    /// Gets what is there, following redirects.
    ///
    /// # Errors
    /// [`EgressError`]; an HTTP status of failure is none.
    pub async fn get(&self, url: &Url, ask: Ask<'_>) -> Result<Response, EgressError> {
        let chain = async {
            let mut url = url.clone();
            for _ in 0..=MAX_REDIRECTS {
                match self.hop(&url, ask).await? {
                    Hop::Response(response) => return Ok(response),
                    Hop::Redirect(target) => url = target,
                }
            }
            Err(EgressError::TooManyRedirects)
        };
        within(ask.time, chain).await
    }

    /// One request: for those who have a say in where a redirect may lead.
    ///
    /// # Errors
    /// [`EgressError`]; an HTTP status of failure is none.
    pub async fn hop(&self, url: &Url, ask: Ask<'_>) -> Result<Hop, EgressError> {
        self.check(url)?;
        within(ask.time, self.ask(url, ask)).await
    }

    async fn ask(&self, url: &Url, ask: Ask<'_>) -> Result<Hop, EgressError> {
        let mut request = self
            .client
            .get(url.clone())
            .header(USER_AGENT, ask.user_agent)
            .header(ACCEPT, ask.accept);
        for (name, value) in ask.known.into_iter().flat_map(conditions) {
            request = request.header(name, value);
        }
        let answer = request.send().await.map_err(|error| sort(&error))?;
        let status = answer.status();
        if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            let target = answer
                .headers()
                .get(LOCATION)
                .and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
                .and_then(|location| url.join(location).ok())
                .ok_or(EgressError::BadRedirect)?;
            self.check(&target)?;
            return Ok(Hop::Redirect(target));
        }
        let limit = if status.is_success() { ask.body } else { 0 };
        read(url, answer, limit).await.map(Hop::Response)
    }

    /// Begins a request of any method to an address that was checked, to be ended by [`Egress::send`].
    ///
    /// # Errors
    /// As [`Egress::check`].
    pub fn request(&self, method: Method, url: &Url) -> Result<RequestBuilder, EgressError> {
        self.check(url)?;
        Ok(self.client.request(method, url.clone()))
    }

    /// Sends a request that [`Egress::request`] began, and reads the answer, whatever its status, up to `body` bytes.
    /// Redirects are answers like any other: they are not followed.
    ///
    /// # Errors
    /// [`EgressError`]; an HTTP status of failure is none.
    pub async fn send(
        &self,
        url: &Url,
        request: RequestBuilder,
        time: Duration,
        body: usize,
    ) -> Result<Response, EgressError> {
        let work = async {
            let answer = request.send().await.map_err(|error| sort(&error))?;
            read(url, answer, body).await
        };
        within(time, work).await
    }
}

/// Reads an answer's body up to a limit; what is beyond is cut off.
async fn read(
    url: &Url,
    mut answer: reqwest::Response,
    limit: usize,
) -> Result<Response, EgressError> {
    let mut body = Vec::new();
    while body.len() < limit {
        let Some(piece) = answer.chunk().await.map_err(|error| sort(&error))? else {
            break;
        };
        let room = limit - body.len();
        body.extend_from_slice(piece.get(..room).unwrap_or(&piece));
    }
    Ok(Response {
        url: url.clone(),
        status: answer.status().as_u16(),
        headers: std::mem::take(answer.headers_mut()),
        body,
    })
}

/// Both where both are known: the server that knows tags looks at these alone (RFC 9110, 13.1.3).
fn conditions(known: &PageMark) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    [
        (IF_NONE_MATCH, &known.etag),
        (IF_MODIFIED_SINCE, &known.last_modified),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, HeaderValue::from_str(value.as_deref()?).ok()?)))
}

async fn within<T>(
    time: Duration,
    work: impl Future<Output = Result<T, EgressError>>,
) -> Result<T, EgressError> {
    tokio::time::timeout(time, work)
        .await
        .unwrap_or(Err(EgressError::TimedOut))
}

const fn no_address(reason: NoAddress) -> EgressError {
    match reason {
        NoAddress::Closed => EgressError::Closed,
        NoAddress::Unknown => EgressError::UnknownHost,
    }
}

/// The client wraps what the guard said in its own errors; the guard's word counts first.
fn sort(error: &reqwest::Error) -> EgressError {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(inner) = cause {
        match inner.downcast_ref::<NoAddress>() {
            Some(reason) => return no_address(*reason),
            None => cause = inner.source(),
        }
    }
    if error.is_timeout() {
        EgressError::TimedOut
    } else if error.is_connect() {
        EgressError::Unreachable
    } else {
        EgressError::Broken
    }
}
