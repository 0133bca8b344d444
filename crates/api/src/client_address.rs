//! The address that a request comes from: the peer's, or what a proxy that is trusted says.
//!
//! A proxy adds the address that it was called from to the right end of `X-Forwarded-For`. What stands to the left of it came with
//! the call, and a client can write there what it likes. So the list is read from the right, and an entry is believed only if the
//! one who added it is trusted.
//!
//! `Forwarded` (RFC 7239) is not read. Nearly every proxy adds to `X-Forwarded-For` and lets the other one through as the client
//! sent it; with both, a client could choose its address by the one that its proxy does not know.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_web::dev::RequestHead;
use actix_web::http::header::{HeaderName, HeaderValue};
use ipnet::IpNet;

pub(crate) const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Entries that are read. A client can write any number of them, and real chains of proxies are short.
const ENTRIES_MAX: usize = 16;

/// The addresses whose word on where a request comes from is taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Addresses and networks; or what is expected instead.
    pub(crate) fn parse(items: &[String]) -> Result<Self, String> {
        let expected = || "addresses like 192.0.2.7 and networks like 10.0.0.0/8 or 2001:db8::/32".to_owned();
        let networks = items.iter().map(|item| network(item)).collect::<Option<Vec<_>>>().ok_or_else(expected)?;
        if networks.iter().any(|network| network.prefix_len() == 0) {
            return Err("the proxies' own networks: if every address is trusted, all clients can choose theirs".to_owned());
        }
        Ok(Self(networks))
    }

    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether none is trusted.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The address that a request comes from. TCP always has a peer.
    pub(crate) fn client_of(&self, request: &RequestHead) -> IpAddr {
        let peer = request.peer_addr.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        self.client(peer, request.headers.get_all(FORWARDED_FOR).map(HeaderValue::as_bytes))
    }

    /// The nearest address that is not trusted, or the farthest that is known: `peer`, or one from these lines of
    /// `X-Forwarded-For`.
    pub(crate) fn client<'a>(&self, peer: IpAddr, lines: impl DoubleEndedIterator<Item = &'a [u8]>) -> IpAddr {
        let mut client = peer.to_canonical();
        let entries = lines.rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
        for entry in entries.take(ENTRIES_MAX) {
            match entry_address(entry) {
                Some(address) if self.trusts(client) => client = address,
                _ => break,
            }
        }
        client
    }
}

/// A network, or a single address. One with bits behind its prefix is more likely a slip than meant, and one of mapped IPv4
/// addresses would never match, since they are compared as IPv4.
fn network(text: &str) -> Option<IpNet> {
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address.to_canonical()),
        Err(_) => text.parse().ok()?,
    };
    (network == network.trunc() && network.addr() == network.addr().to_canonical()).then_some(network)
}

/// An address as proxies write it: bare, in brackets, with a port.
fn entry_address(entry: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(entry).ok()?.trim_matches([' ', '\t']);
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse().ok().map(|with_port: SocketAddr| with_port.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests;
