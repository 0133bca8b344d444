//! Where the server is.

use std::fmt;
use std::str::FromStr;

use hyper::Uri;
use hyper::header::HeaderValue;
use thiserror::Error;

/// `http://host:port`, the address of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    host: String,
    port: u16,
    host_header: HeaderValue,
}

/// A text that is no [`BaseUrl`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is not of the form http://host:port")]
pub struct InvalidBaseUrl(String);

impl BaseUrl {
    /// The server on this port of the loopback interface.
    pub fn loopback(port: u16) -> Self {
        let host_header = HeaderValue::from_maybe_shared(format!("127.0.0.1:{port}"));
        Self {
            host: "127.0.0.1".into(),
            port,
            host_header: host_header.unwrap_or_else(|_| HeaderValue::from_static("127.0.0.1")),
        }
    }

    /// What to connect to.
    pub(crate) fn address(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// What the `Host` header says.
    pub(super) const fn host_header(&self) -> &HeaderValue {
        &self.host_header
    }
}

impl FromStr for BaseUrl {
    type Err = InvalidBaseUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidBaseUrl(text.into());
        let uri: Uri = text.parse().map_err(|_| invalid())?;
        let authority = uri.authority().filter(|a| !a.as_str().contains('@')).ok_or_else(invalid)?;
        if uri.scheme_str() != Some("http") || uri.path() != "/" || uri.query().is_some() {
            return Err(invalid());
        }
        let host_header = HeaderValue::from_str(authority.as_str()).map_err(|_| invalid())?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').into();
        Ok(Self { host, port: authority.port_u16().unwrap_or(80), host_header })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "http://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "http://{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_scheme_host_and_port() {
        for (text, shown) in [
            ("http://127.0.0.1:4000", "http://127.0.0.1:4000"),
            ("http://localhost:4000/", "http://localhost:4000"),
            ("http://api", "http://api:80"),
            ("http://[::1]:4000", "http://[::1]:4000"),
        ] {
            assert_eq!(text.parse::<BaseUrl>().map(|url| url.to_string()), Ok(shown.into()));
        }
        assert_eq!(BaseUrl::loopback(4000), "http://127.0.0.1:4000".parse().unwrap());
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "localhost", "127.0.0.1:4000", "https://a:1", "http://a:1/b", "http://a:1/?c", "http://u:p@a:1"] {
            assert_eq!(text.parse::<BaseUrl>(), Err(InvalidBaseUrl(text.into())), "{text}");
        }
    }
}
