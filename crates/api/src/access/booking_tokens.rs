//! The token of a booking: an HMAC-SHA-256 of its id, so that nothing is stored and nothing is guessable.

use domain::BookingId;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Makes and checks booking tokens.
pub(crate) struct BookingTokens(Hmac<Sha256>);

impl BookingTokens {
    pub(crate) fn new(secret: &[u8]) -> Option<Self> {
        Hmac::new_from_slice(secret).ok().map(Self)
    }

    fn mac(&self, id: BookingId) -> Hmac<Sha256> {
        self.0.clone().chain_update(b"booking:").chain_update(id.to_string())
    }

    pub(super) fn token(&self, id: BookingId) -> String {
        let mut token = String::with_capacity(64);
        for byte in self.mac(id).finalize().into_bytes() {
            for digit in [byte >> 4, byte & 0xf] {
                token.extend(char::from_digit(digit.into(), 16));
            }
        }
        token
    }

    pub(super) fn verifies(&self, id: BookingId, token: &str) -> bool {
        self.token(id).as_bytes().ct_eq(token.as_bytes()).into()
    }
}
