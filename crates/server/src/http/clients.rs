//! Where a client is, where proxies stand between.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{HeaderMap, HeaderName};
use ipnet::IpNet;

const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The operator's proxies, whose word about clients is believed.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Those in these networks.
    pub const fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// The client's address: the connection's own, or where that is a proxy's, the last one in `X-Forwarded-For` that is
    /// none. What stands before it is the client's own word. `None`: the connection has no address.
    pub fn client(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        let mut client = peer?.ip().to_canonical();
        let values: Vec<_> = headers.get_all(FORWARDED).collect();
        let values = values.iter().rev().map(|value| value.to_str());
        let mut told = values.flat_map(|value| value.unwrap_or_default().rsplit(','));
        while self.0.iter().any(|network| network.contains(&client)) {
            let Some(address) = told.next().and_then(address) else {
                break;
            };
            client = address;
        }
        Some(client)
    }
}

/// Some proxies add the port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = text.parse().ok();
    let address = address.or_else(|| text.parse().map(|at: SocketAddr| at.ip()).ok());
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let networks = ["10.0.0.0/8", "127.0.0.1/32"];
        let proxies = Proxies::new(networks.map(|net| net.parse().unwrap()).to_vec());
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED, HeaderValue::from_str(value).unwrap());
        }
        let peer = SocketAddr::new(peer.parse().unwrap(), 1234);
        proxies.client(Some(peer), &headers).unwrap().to_string()
    }

    #[test]
    fn only_proxies_are_believed_and_only_about_the_one_before_them() {
        for (peer, forwarded, expected) in [
            ("203.0.113.1", &[][..], "203.0.113.1"),
            ("203.0.113.1", &["198.51.100.7"], "203.0.113.1"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("::ffff:127.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            (
                "127.0.0.1",
                &["192.0.2.9, 198.51.100.7, 10.1.2.3"],
                "198.51.100.7",
            ),
            (
                "127.0.0.1",
                &["192.0.2.9", "198.51.100.7,10.1.2.3"],
                "198.51.100.7",
            ),
            ("127.0.0.1", &["10.1.2.4,10.1.2.3"], "10.1.2.4"),
            ("127.0.0.1", &["198.51.100.7:4711"], "198.51.100.7"),
            ("127.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("127.0.0.1", &["192.0.2.9, unknown"], "127.0.0.1"),
            ("127.0.0.1", &[""], "127.0.0.1"),
        ] {
            assert_eq!(client(peer, forwarded), expected, "{peer} {forwarded:?}");
        }
    }
}
