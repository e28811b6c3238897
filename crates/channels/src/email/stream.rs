//! The bytes between us and a tenant's mail server.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use domain::channels::ChannelError;
use lettre::transport::smtp::client::AsyncTokioStream;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Until a connection stands.
const CONNECT: Duration = Duration::from_secs(5);
/// What a server may say in one dialogue, in bytes. The SMTP client reads lines of any length, so a server that ends
/// none would fill the memory.
const MOST: usize = 256 * 1024;

/// A connection to the first address that has one; with a host's name, in TLS from the first byte.
pub(super) async fn open(
    addresses: &[SocketAddr],
    tls: Option<&str>,
) -> Result<Box<dyn AsyncTokioStream>, ChannelError> {
    let lost = |_| ChannelError::later("The mail server could not be reached.");
    let connecting = timeout(CONNECT, TcpStream::connect(addresses)).await;
    let stream = connecting.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    let stream = stream.map_err(lost)?;
    let peer = stream.peer_addr().map_err(lost)?;
    let Some(host) = tls else {
        return Ok(Box::new(Bounded::new(stream, peer)));
    };
    let name = ServerName::try_from(host.to_owned()).map_err(|_| no_name())?;
    let secured = TlsConnector::from(trusting()).connect(name, stream).await;
    let secured = secured.map_err(|_| {
        let reason = "The mail server has no valid certificate, or speaks no TLS at this port.";
        ChannelError::later(reason)
    })?;
    Ok(Box::new(Bounded::new(secured, peer)))
}

pub(super) fn no_name() -> ChannelError {
    ChannelError::Dead("The mail server's name can't be used with TLS.".into())
}

/// Whom the system trusts.
fn trusting() -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder().with_root_certificates(roots);
    Arc::new(config.with_no_client_auth())
}

/// A stream that breaks off after so many bytes from the other side.
#[derive(Debug)]
struct Bounded<S> {
    stream: S,
    peer: SocketAddr,
    left: usize,
}

impl<S> Bounded<S> {
    const fn new(stream: S, peer: SocketAddr) -> Self {
        Self {
            stream,
            peer,
            left: MOST,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug> AsyncTokioStream
    for Bounded<S>
{
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let read = buffer.filled().len() - before;
        match self.left.checked_sub(read) {
            Some(left) => {
                self.left = left;
                Poll::Ready(Ok(()))
            }
            None => Poll::Ready(Err(io::Error::other("the server says too much"))),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
