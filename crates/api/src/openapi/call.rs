//! A call: what a route is registered with.

use super::describe::Description;
use crate::access::Scope;

/// What descriptions depend on.
pub(crate) struct House {
    pub(crate) seats_per_booking_max: usize,
    /// Whether everyone has to prove who they are.
    pub(crate) guarded: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// `HEAD` is answered too.
    Get,
    Post,
}

impl Verb {
    /// The member of a path in the document.
    pub(crate) const fn member(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
        }
    }
}

/// An address with its one method and its description.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    pub(crate) verb: Verb,
    pub(crate) path: &'static str,
    /// What an admin needs for it, if it is for admins only.
    pub(crate) scope: Option<Scope>,
    pub(super) describe: fn(&House) -> Description,
}

impl Call {
    pub(crate) const fn get(path: &'static str, describe: fn(&House) -> Description) -> Self {
        Self { verb: Verb::Get, path, scope: None, describe }
    }

    pub(crate) const fn post(path: &'static str, describe: fn(&House) -> Description) -> Self {
        Self { verb: Verb::Post, path, scope: None, describe }
    }

    /// For admins with this scope only.
    pub(crate) const fn needing(self, scope: Scope) -> Self {
        Self { scope: Some(scope), ..self }
    }

    /// What `Allow` says of its address.
    pub(crate) const fn allowed(self) -> &'static str {
        match self.verb {
            Verb::Get => "GET, HEAD",
            Verb::Post => "POST",
        }
    }
}
