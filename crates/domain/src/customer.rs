//! Who buys, as far as limits are concerned.

use std::fmt;

use thiserror::Error;

/// What tells one customer from another when seats are counted: a name that the caller gives, or an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerId(String);

/// Why a text is no customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be 1 to {} visible ASCII characters", CustomerId::CHARS_MAX)]
pub struct InvalidCustomer;

impl CustomerId {
    /// Longest one, in characters.
    pub const CHARS_MAX: usize = 128;

    /// A customer of 1 to [`Self::CHARS_MAX`] visible ASCII characters.
    ///
    /// # Errors
    /// [`InvalidCustomer`].
    pub fn new(id: &str) -> Result<Self, InvalidCustomer> {
        let is_visible = (1..=Self::CHARS_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        if is_visible { Ok(Self(id.to_owned())) } else { Err(InvalidCustomer) }
    }

    /// What tells it from others.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_is_visible_and_bounded() {
        assert!(CustomerId::new("loyalty:12345").is_ok());
        assert!(CustomerId::new(&"c".repeat(128)).is_ok());
        for bad in ["", " ", "a b", "a\0", "é", &"c".repeat(129)] {
            assert_eq!(CustomerId::new(bad), Err(InvalidCustomer), "{bad:?}");
        }
    }
}
