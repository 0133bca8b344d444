//! Who calls, for whatever is to be written down about it.

use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use domain::{Actor, ActorName};

use crate::app::App;

/// Who calls. Whoever shows no admin's token counts as a customer, also where access is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Anyone.
    Customer,
    /// The holder of a token, by the name that the settings give it.
    Admin {
        /// The name.
        name: Arc<str>,
        /// Whether it may act on everyone's bookings.
        sells: bool,
    },
}

/// Where access is open, whoever uses an admin's address acts as this one.
const NAMELESS: &str = "admin";

impl Caller {
    /// As whom it acts on a booking: an admin who may not sell has no more say than the customer whose token it shows.
    pub(crate) fn actor(&self) -> Actor {
        match self {
            Self::Customer | Self::Admin { sells: false, .. } => Actor::Customer,
            Self::Admin { name, sells: true } => admin(name),
        }
    }

    /// The same, at an admin's address.
    pub(crate) fn house(&self) -> Actor {
        match self {
            Self::Customer => admin(NAMELESS),
            Self::Admin { name, .. } => admin(name),
        }
    }
}

/// Names of admins are names of actors; should one ever not be, then nobody is to be given out as a customer.
fn admin(name: &str) -> Actor {
    ActorName::new(name).map_or(Actor::System, Actor::Admin)
}

/// `customer`, or `admin:` and the name.
impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customer => Actor::Customer.fmt(f),
            Self::Admin { name, .. } => admin(name).fmt(f),
        }
    }
}

impl FromRequest for Caller {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let app = request.app_data::<Data<App>>();
        ready(Ok(app.map_or(Self::Customer, |app| app.access.caller(request.headers()))))
    }
}
