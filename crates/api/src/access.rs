//! Who may do what. Open, everyone everything. Guarded, the admin routes need the admin's token, and a booking can be touched
//! only with the token that was returned when it was made.

use std::fmt::Display;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use domain::BookingId;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::problem::Problem;
use crate::refusals::no_such_booking;

/// The rule in force.
pub(crate) enum Access {
    /// No one has to prove anything.
    Open {
        /// Tokens are returned all the same if there is a secret to make them with.
        tokens: Option<BookingTokens>,
        /// Whether others than this machine can reach the server.
        exposed: bool,
    },
    /// Everyone has to.
    Guarded {
        /// SHA-256 of the admin's token, so that a comparison says nothing about its length.
        admin: [u8; 32],
        tokens: BookingTokens,
    },
}

/// Makes and checks booking tokens: an HMAC-SHA-256 of the booking's id, so that nothing is stored and nothing is guessable.
pub(crate) struct BookingTokens(Hmac<Sha256>);

impl BookingTokens {
    pub(crate) fn new(secret: &[u8]) -> Option<Self> {
        Hmac::new_from_slice(secret).ok().map(Self)
    }

    fn mac(&self, id: BookingId) -> Hmac<Sha256> {
        self.0.clone().chain_update(b"booking:").chain_update(id.to_string())
    }

    fn token(&self, id: BookingId) -> String {
        let mut token = String::with_capacity(64);
        for byte in self.mac(id).finalize().into_bytes() {
            for digit in [byte >> 4, byte & 0xf] {
                token.extend(char::from_digit(digit.into(), 16));
            }
        }
        token
    }

    fn verifies(&self, id: BookingId, token: &str) -> bool {
        self.token(id).as_bytes().ct_eq(token.as_bytes()).into()
    }
}

pub(crate) fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

impl Access {
    /// Says so if anyone can do anything from anywhere.
    pub(crate) fn warn(&self) {
        if let Self::Open { exposed: true, .. } = self {
            tracing::warn!("ACCESS=open: whoever reaches this server can use the admin routes and anyone's bookings");
        }
    }

    /// The token for a booking that was just made.
    pub(crate) fn booking_token(&self, id: BookingId) -> Option<String> {
        match self {
            Self::Open { tokens, .. } => tokens.as_ref().map(|tokens| tokens.token(id)),
            Self::Guarded { tokens, .. } => Some(tokens.token(id)),
        }
    }

    /// The booking, if the request may touch it: `given` is the token from its body, `asked` the id as it was asked for. An
    /// absent booking and one that is not the caller's look alike.
    pub(crate) fn may_touch(
        &self,
        request: &HttpRequest,
        given: Option<&str>,
        id: Option<BookingId>,
        asked: &dyn Display,
    ) -> Result<BookingId, Problem> {
        let id = id.ok_or_else(|| no_such_booking(asked));
        match self {
            Self::Open { .. } => id,
            Self::Guarded { tokens, .. } => {
                let token = given.or_else(|| bearer(request)).ok_or_else(|| unauthorized("a booking"))?;
                id.and_then(|id| if tokens.verifies(id, token) { Ok(id) } else { Err(no_such_booking(asked)) })
            }
        }
    }

    /// Whether the request may use the admin routes.
    pub(crate) fn may_administrate(&self, authorization: Option<&HeaderValue>) -> Result<(), Problem> {
        match self {
            Self::Open { .. } => Ok(()),
            Self::Guarded { admin, .. } => match authorization.and_then(token_of) {
                None => Err(unauthorized("the admin routes")),
                Some(token) if digest(token).ct_eq(admin).into() => Ok(()),
                Some(_) => Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", "This token may not use the admin routes.")),
            },
        }
    }
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    request.headers().get(header::AUTHORIZATION).and_then(token_of)
}

fn token_of(authorization: &HeaderValue) -> Option<&str> {
    let (scheme, token) = authorization.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn unauthorized(what: &str) -> Problem {
    let detail = format!("For {what} a token is needed, as Authorization: Bearer.");
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}
