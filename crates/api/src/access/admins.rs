//! Admins: a name, what it may do, and the SHA-256 of its token. The tokens themselves are not kept.

use std::array;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Longest name of an admin. That of a token or of its hash is longer, so that neither passes for a name.
const NAME_CHARS_MAX: usize = 24;

/// What an admin may do. No scope includes another one: whoever sets up shows need not see who has booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// See everyone's bookings.
    Read,
    /// Act on everyone's bookings, as a box office does.
    Sell,
    /// Set up shows.
    Manage,
}

impl Scope {
    const ALL: [Self; 3] = [Self::Read, Self::Sell, Self::Manage];

    /// As it is written in settings and answers.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Sell => "sell",
            Self::Manage => "manage",
        }
    }
}

/// One who may do more than a customer. Not to be printed, since it holds what could be tried against guesses.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Admin {
    pub(super) name: Arc<str>,
    scopes: Vec<Scope>,
    digest: [u8; 32],
}

impl Admin {
    /// The one whose token itself is a setting, with every scope.
    pub(crate) fn of_token(token: &str) -> Self {
        Self { name: "admin".into(), scopes: Scope::ALL.to_vec(), digest: digest(token) }
    }

    /// `name:scopes:hash`, such as `box-office:read+sell:` and 64 hexadecimal digits; or what it should have.
    pub(crate) fn parse(entry: &str) -> Result<Self, &'static str> {
        let mut parts = entry.split(':').map(str::trim);
        let (Some(name), Some(scopes), Some(hash), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err("three parts, as in name:scopes:hash");
        };
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        if !(1..=NAME_CHARS_MAX).contains(&name.len()) || !name.bytes().all(is_name) {
            return Err("a name of 1 to 24 lower-case letters, digits, - and _");
        }
        let scope = |word: &str| Scope::ALL.into_iter().find(|scope| scope.word() == word.trim());
        let scopes = scopes.split('+').map(scope).collect::<Option<_>>();
        let scopes = scopes.ok_or("scopes from read, sell and manage, joined by +")?;
        let digest = from_hex(hash).ok_or("the SHA-256 of a token, as 64 hexadecimal digits")?;
        Ok(Self { name: name.into(), scopes, digest })
    }

    pub(super) fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}

/// All of them, each with a name and a token of its own.
pub(crate) struct Admins(Vec<Admin>);

impl Admins {
    /// Or what is expected of them instead.
    pub(crate) fn new(admins: Vec<Admin>) -> Result<Self, &'static str> {
        for (i, admin) in admins.iter().enumerate() {
            if admins[..i].iter().any(|other| other.name == admin.name) {
                return Err("names that differ, also from that of ADMIN_TOKEN, which is admin");
            }
            if admins[..i].iter().any(|other| other.digest == admin.digest) {
                return Err("tokens that differ, also from ADMIN_TOKEN");
            }
        }
        Ok(Self(admins))
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose token this is. Every one of them is compared, and hashes are, so that the time says nothing about a token.
    pub(crate) fn holder(&self, token: &str) -> Option<&Admin> {
        if self.is_empty() {
            return None;
        }
        let digest = digest(token);
        self.0.iter().fold(None, |found, admin| if admin.digest.ct_eq(&digest).into() { Some(admin) } else { found })
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16)?.try_into().ok()).collect::<Option<_>>()?;
    (digits.len() == 64).then(|| array::from_fn(|i| digits[2 * i] << 4 | digits[2 * i + 1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of `abc`, by FIPS 180-2.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn parsed(entry: &str) -> Admin {
        Admin::parse(entry).unwrap_or_else(|expected| panic!("{entry}: {expected}"))
    }

    #[test]
    fn an_admin_is_a_name_scopes_and_the_hash_of_a_token() {
        let admins = Admins::new(vec![
            parsed(&format!("deploy:manage:{}", "0".repeat(64))),
            parsed(&format!(" box-office_2 : read + sell : {} ", ABC.to_uppercase())),
        ]);
        let admins = admins.unwrap_or_else(|expected| panic!("{expected}"));
        let holder = admins.holder("abc").unwrap();
        assert_eq!(&*holder.name, "box-office_2");
        assert_eq!(Scope::ALL.map(|scope| holder.may(scope)), [true, true, false]);
        for other in ["", "ab", "abcd", ABC, "ABC"] {
            assert!(admins.holder(other).is_none(), "{other}");
        }
        let of_token = Admins::new(vec![Admin::of_token("abc")]).ok().unwrap();
        let all = of_token.holder("abc").unwrap();
        assert!(&*all.name == "admin" && Scope::ALL.into_iter().all(|scope| all.may(scope)));
    }

    #[test]
    fn anything_else_is_refused_with_what_it_should_have() {
        let (long, cut) = ("n".repeat(25), &ABC[1..]);
        for (entry, expected) in [
            (String::new(), "three parts"),
            (ABC.to_owned(), "three parts"),
            (format!("x:{ABC}"), "three parts"),
            (format!("x:read:{ABC}:"), "three parts"),
            (format!(":read:{ABC}"), "a name"),
            (format!("Box:read:{ABC}"), "a name"),
            (format!("box office:read:{ABC}"), "a name"),
            (format!("theatre-é:read:{ABC}"), "a name"),
            (format!("{long}:read:{ABC}"), "a name"),
            (format!("{ABC}:read:{ABC}"), "a name"),
            (format!("x::{ABC}"), "scopes"),
            (format!("x:read+:{ABC}"), "scopes"),
            (format!("x:read sell:{ABC}"), "scopes"),
            (format!("x:Read:{ABC}"), "scopes"),
            (format!("x:admin:{ABC}"), "scopes"),
            (format!("x:read:{cut}"), "the SHA-256"),
            (format!("x:read:{ABC}0"), "the SHA-256"),
            (format!("x:read:+{cut}"), "the SHA-256"),
            (format!("x:read:g{cut}"), "the SHA-256"),
            (format!("x:read:é{}", &ABC[2..]), "the SHA-256"),
        ] {
            let refusal = Admin::parse(&entry).err().unwrap_or_else(|| panic!("{entry} is accepted"));
            assert!(refusal.starts_with(expected), "{entry}: {refusal}");
        }
    }

    #[test]
    fn names_and_tokens_differ() {
        let abc = || parsed(&format!("deploy:read:{ABC}"));
        let refusal = |admins| Admins::new(admins).err().unwrap_or_default();
        assert!(refusal(vec![abc(), parsed(&format!("deploy:sell:{}", "0".repeat(64)))]).starts_with("names"));
        assert!(refusal(vec![abc(), parsed(&format!("other:read:{ABC}"))]).starts_with("tokens"));
        assert!(refusal(vec![parsed(&format!("admin:read:{ABC}")), Admin::of_token("xyz")]).starts_with("names"));
        assert!(refusal(vec![abc(), Admin::of_token("abc")]).starts_with("tokens"));
    }
}
