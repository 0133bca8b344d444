//! Who asks for something, and how a request that is made twice is known again.

use std::borrow::Cow;
use std::fmt;

use chrono::TimeDelta;
use thiserror::Error;

use crate::command::Command;

/// A command with all that belongs to its asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is wished.
    pub command: Command,
    /// Who wishes it: kept with every change.
    pub by: Actor,
    /// What makes it known again, if the caller wants that.
    pub idempotency: Option<Idempotency>,
}

impl Request {
    /// A request that is not known again.
    pub const fn new(command: Command, by: Actor) -> Self {
        Self { command, by, idempotency: None }
    }
}

impl From<Command> for Request {
    /// A customer's, not known again.
    fn from(command: Command) -> Self {
        Self::new(command, Actor::Customer)
    }
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// Whoever has the booking.
    Customer,
    /// The holder of an admin token, by the token's name.
    Admin(ActorName),
    /// Rowlock itself: a hold that ran out.
    System,
}

impl Actor {
    const ADMIN: &str = "admin:";

    /// Its text: [`Self::parse`] reads it.
    pub fn to_text(&self) -> Cow<'static, str> {
        match self {
            Self::Customer => Cow::Borrowed("customer"),
            Self::System => Cow::Borrowed("system"),
            Self::Admin(name) => Cow::Owned(format!("{}{}", Self::ADMIN, name.0)),
        }
    }

    /// The actor whose text this is.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "customer" => Some(Self::Customer),
            "system" => Some(Self::System),
            _ => text.strip_prefix(Self::ADMIN).and_then(ActorName::new).map(Self::Admin),
        }
    }

    /// Whether it acts for the house.
    pub const fn is_house(&self) -> bool {
        match self {
            Self::Admin(_) | Self::System => true,
            Self::Customer => false,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

/// The name of an admin token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ActorName(String);

impl ActorName {
    /// Longest name, in characters.
    pub const CHARS_MAX: usize = 64;

    /// A name of 1 to [`Self::CHARS_MAX`] visible ASCII characters; `None` for any other.
    pub fn new(name: &str) -> Option<Self> {
        is_visible(name, Self::CHARS_MAX).then(|| Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What makes a request known again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The caller's name for the request.
    pub key: IdempotencyKey,
    /// What was asked for, so that another request under the same key is told from a repeat.
    pub fingerprint: Fingerprint,
    /// For how long it is known again, from the instant of the decision.
    pub keep_for: TimeDelta,
}

/// A caller's name for a request: whatever comes under it has one effect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(String);

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be 1 to {} visible ASCII characters", IdempotencyKey::CHARS_MAX)]
pub struct InvalidKey;

impl IdempotencyKey {
    /// Longest key, in characters.
    pub const CHARS_MAX: usize = 255;

    /// A key of 1 to [`Self::CHARS_MAX`] visible ASCII characters.
    ///
    /// # Errors
    /// [`InvalidKey`].
    pub fn new(key: &str) -> Result<Self, InvalidKey> {
        if is_visible(key, Self::CHARS_MAX) { Ok(Self(key.to_owned())) } else { Err(InvalidKey) }
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A digest of what a request asks for: 32 bytes that differ where requests do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

fn is_visible(text: &str, chars_max: usize) -> bool {
    (1..=chars_max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_and_bounded() {
        assert!(IdempotencyKey::new("8e03978e-40d5-43dd-bc93-6894a57f9324").is_ok());
        assert!(IdempotencyKey::new(&"k".repeat(255)).is_ok());
        for bad in ["", " ", "a b", "a\tb", "a\0", "é", &"k".repeat(256)] {
            assert_eq!(IdempotencyKey::new(bad), Err(InvalidKey), "{bad:?}");
        }
    }

    #[test]
    fn an_actor_is_read_as_it_is_written() {
        let admin = Actor::Admin(ActorName::new("box-office").unwrap());
        assert_eq!(admin.to_string(), "admin:box-office");
        for actor in [Actor::Customer, Actor::System, admin] {
            assert_eq!(Actor::parse(&actor.to_string()), Some(actor));
        }
        for bad in ["", "admin", "admin:", "admin:a b", "someone"] {
            assert_eq!(Actor::parse(bad), None, "{bad:?}");
        }
    }
}
