//! Who calls, for whatever is to be written down about it.

use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};

use crate::app::App;

/// Who calls. Whoever shows no admin's token counts as a customer, also where access is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Anyone.
    Customer,
    /// The holder of a token, by the name that the settings give it.
    Admin(Arc<str>),
}

/// `customer`, or `admin:` and the name.
impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customer => f.write_str("customer"),
            Self::Admin(name) => write!(f, "admin:{name}"),
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
