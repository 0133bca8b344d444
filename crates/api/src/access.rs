//! Who may do what. Open, everyone everything. Guarded, an admin's token opens what its scopes are for, and a customer's booking
//! can be touched with the token that was returned when it was made.

mod admins;
mod booking_tokens;
mod caller;

use std::fmt::Display;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use domain::BookingId;

pub(crate) use admins::{Admin, Admins, Scope};
pub(crate) use booking_tokens::BookingTokens;
pub(crate) use caller::Caller;

use crate::problem::Problem;
use crate::refusals::no_such_booking;

/// Who is known by name, and the rule in force.
pub(crate) struct Access {
    pub(crate) admins: Admins,
    pub(crate) rule: Rule,
}

/// The rule in force.
pub(crate) enum Rule {
    /// No one has to prove anything.
    Open {
        /// Tokens are returned all the same if there is a secret to make them with.
        tokens: Option<BookingTokens>,
        /// Whether others than this machine can reach the server.
        exposed: bool,
    },
    /// Everyone has to.
    Guarded { tokens: BookingTokens },
}

impl Access {
    /// Says so if anyone can do anything from anywhere.
    pub(crate) fn warn(&self) {
        if let Rule::Open { exposed: true, .. } = self.rule {
            tracing::warn!("ACCESS=open: whoever reaches this server can use the admin routes and anyone's bookings");
        }
    }

    pub(crate) const fn is_guarded(&self) -> bool {
        matches!(self.rule, Rule::Guarded { .. })
    }

    /// The token for a booking that was just made.
    pub(crate) fn booking_token(&self, id: BookingId) -> Option<String> {
        match &self.rule {
            Rule::Open { tokens, .. } => tokens.as_ref().map(|tokens| tokens.token(id)),
            Rule::Guarded { tokens } => Some(tokens.token(id)),
        }
    }

    /// Who calls.
    pub(crate) fn caller(&self, headers: &HeaderMap) -> Caller {
        self.admin(headers)
            .map_or(Caller::Customer, |admin| Caller::Admin { name: admin.name.clone(), sells: admin.may(Scope::Sell) })
    }

    /// The admin whose token the request shows.
    pub(crate) fn admin(&self, headers: &HeaderMap) -> Option<&Admin> {
        bearer(headers).and_then(|token| self.admins.holder(token))
    }

    /// The booking, if the request may touch it: by the booking's own token, which is `given` in the body or else in the header, or
    /// by that of an admin who may sell, or who may read if no more is asked. `asked` is the id as it was asked for: an absent
    /// booking and one that is not the caller's look alike.
    pub(crate) fn may_touch(
        &self,
        request: &HttpRequest,
        given: Option<&str>,
        id: Option<BookingId>,
        asked: &dyn Display,
    ) -> Result<BookingId, Problem> {
        let id = id.ok_or_else(|| no_such_booking(asked));
        let Rule::Guarded { tokens } = &self.rule else { return id };
        let token = given.or_else(|| bearer(request.headers())).ok_or_else(|| unauthorized("a booking"))?;
        if id.as_ref().is_ok_and(|id| tokens.verifies(*id, token)) {
            return id;
        }
        let scope = if request.method().is_safe() { Scope::Read } else { Scope::Sell };
        match self.admin(request.headers()) {
            None => Err(no_such_booking(asked)),
            Some(admin) if admin.may(scope) || admin.may(Scope::Sell) => id,
            Some(_) => Err(insufficient(scope)),
        }
    }

    /// Whether the request may use an admin route that needs this scope; without one, whether it is an admin's at all.
    pub(crate) fn may_administrate(&self, headers: &HeaderMap, scope: Option<Scope>) -> Result<(), Problem> {
        if let Rule::Open { .. } = self.rule {
            return Ok(());
        }
        if bearer(headers).is_none() {
            return Err(unauthorized("the admin routes"));
        }
        match (self.admin(headers), scope) {
            (None, _) => Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", "This token may not use the admin routes.")),
            (Some(admin), Some(scope)) if !admin.may(scope) => Err(insufficient(scope)),
            (Some(_), _) => Ok(()),
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn unauthorized(what: &str) -> Problem {
    let detail = format!("For {what} a token is needed, as Authorization: Bearer.");
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

/// As RFC 6750 has it.
fn insufficient(scope: Scope) -> Problem {
    let word = scope.word();
    let problem = Problem::new(StatusCode::FORBIDDEN, "insufficient_scope", format!("This token lacks the scope {word}."));
    let problem = problem.with("scope", word);
    match HeaderValue::try_from(format!("Bearer error=\"insufficient_scope\", scope=\"{word}\"")) {
        Ok(challenge) => problem.with_header(header::WWW_AUTHENTICATE, challenge),
        Err(_) => problem,
    }
}
