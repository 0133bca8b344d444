//! Pages of lists: `?limit=…` and where the page before ended, and a `Link` to the next one.

use std::fmt::{Display, Write};
use std::num::NonZeroU32;

use actix_web::http::header;
use actix_web::{HttpResponse, HttpResponseBuilder};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::problem::Problem;

/// Rows in an answer that asks for no limit, and the most it can ask for.
pub(crate) const LIMIT_MAX: u32 = 10_000;

/// What can't stand in a query as it is.
const NOT_IN_A_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

/// A page of a list, and how its link goes on.
pub(crate) struct Paging {
    pub(crate) limit: NonZeroU32,
    /// The parameter that says where the page begins.
    cursor: &'static str,
    path: String,
    /// Other parameters, to be kept in the link.
    filters: String,
}

impl Paging {
    /// Newest first: a page begins `before` a row.
    pub(crate) fn backwards(path: &str, limit: Option<&str>) -> Result<Self, Problem> {
        Self::new(path, "before", limit, LIMIT_MAX)
    }

    /// A page begins `after` a row.
    pub(crate) fn forwards(path: &str, limit: Option<&str>, limit_max: u32) -> Result<Self, Problem> {
        Self::new(path, "after", limit, limit_max)
    }

    fn new(path: &str, cursor: &'static str, limit: Option<&str>, limit_max: u32) -> Result<Self, Problem> {
        let limit = match given(limit) {
            None => NonZeroU32::new(limit_max),
            Some(text) => text.parse().ok().filter(|limit: &NonZeroU32| limit.get() <= limit_max),
        };
        let limit = limit.ok_or_else(|| invalid_query(format!("limit must be a number from 1 to {limit_max}.")))?;
        Ok(Self { limit, cursor, path: path.to_owned(), filters: String::new() })
    }

    /// With this parameter too.
    pub(crate) fn filtered(mut self, name: &str, value: Option<impl Display>) -> Self {
        if let Some(value) = value {
            self.filters.push('&');
            self.filters.push_str(name);
            self.filters.push('=');
            self.filters.extend(utf8_percent_encode(&value.to_string(), NOT_IN_A_QUERY));
        }
        self
    }

    /// The rows, with a link to the next page if this one is full; `last` names the last row of it.
    pub(crate) fn respond<T: Serialize>(&self, rows: &[T], last: Option<impl Display>) -> HttpResponse {
        self.responding(rows.len(), last).json(rows)
    }

    /// The answer to come, with the link that is due after so many rows.
    pub(crate) fn responding(&self, rows: usize, last: Option<impl Display>) -> HttpResponseBuilder {
        let mut response = HttpResponse::Ok();
        let Self { limit, cursor, path, filters } = self;
        let is_full = rows >= usize::try_from(limit.get()).unwrap_or(usize::MAX);
        if let (true, Some(last)) = (is_full, last) {
            let last = last.to_string();
            let last = utf8_percent_encode(&last, NOT_IN_A_QUERY);
            let mut link = String::with_capacity(path.len() + filters.len() + 64);
            // Writing to a text never fails.
            let _ = write!(link, "<{path}?limit={limit}&{cursor}={last}{filters}>; rel=\"next\"");
            response.insert_header((header::LINK, link));
        }
        response
    }
}

/// A parameter's value, if there is one: empty it is as if missing.
pub(crate) fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// What rows are counted by, such as an id, in a query.
pub(crate) fn number(name: &str, text: Option<&str>) -> Result<Option<i64>, Problem> {
    let read = |text: &str| {
        let number = text.parse().ok().filter(|number: &i64| *number > 0);
        number.ok_or_else(|| invalid_query(format!("{name} must be a number from 1 to {}.", i64::MAX)))
    };
    given(text).map(read).transpose()
}

/// A query that can't be understood.
pub(crate) fn invalid_query(detail: impl Into<String>) -> Problem {
    Problem::bad_request("invalid_query", detail)
}
