//! Which server is loaded, and what opens its doors.

use crate::client::{BaseUrl, CallError, Connection};

/// A server, and the token for its admin routes.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Target {
    /// The server, as `http://host:port`
    #[arg(long, default_value = "http://127.0.0.1:4000")]
    pub url: BaseUrl,
    /// The bearer token of the admin routes, if the server asks for one
    #[arg(long, env = "ADMIN_TOKEN", hide_env_values = true)]
    pub admin_token: Option<String>,
}

impl Target {
    /// An open server at this address.
    pub const fn open(url: BaseUrl) -> Self {
        Self { url, admin_token: None }
    }

    /// A new connection to it.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn connect(&self) -> Result<Connection, CallError> {
        Ok(Connection::open(&self.url).await?.with_admin_token(self.admin_token.as_deref()))
    }
}
