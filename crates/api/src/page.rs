//! Pages of the lists, newest first: `?limit=…&before=…`, and a `Link` to the next one.

use std::num::NonZeroU32;

use actix_web::HttpResponse;
use actix_web::http::header;
use domain::Page;
use serde::Serialize;

use crate::problem::Problem;

/// Rows in an answer that asks for no limit, and the most it can ask for.
pub(crate) const LIMIT_MAX: u32 = 10_000;

/// The query of a list.
pub(crate) struct PageQuery {
    pub(crate) page: Page,
    path: &'static str,
    /// Other parameters, to be kept in the link.
    filters: String,
}

impl PageQuery {
    /// The page that these parameters ask for.
    pub(crate) fn new(path: &'static str, limit: Option<&str>, before: Option<&str>) -> Result<Self, Problem> {
        let limit = match limit.filter(|text| !text.is_empty()) {
            None => NonZeroU32::new(LIMIT_MAX),
            Some(text) => text.parse().ok().filter(|limit: &NonZeroU32| limit.get() <= LIMIT_MAX),
        };
        let Some(limit) = limit else {
            let detail = format!("limit must be a number from 1 to {LIMIT_MAX}.");
            return Err(Problem::bad_request("invalid_query", detail));
        };
        let before = before.filter(|text| !text.is_empty());
        let before_id = before.and_then(|text| text.parse().ok()).filter(|id: &i64| *id > 0);
        if before.is_some() && before_id.is_none() {
            return Err(Problem::bad_request("invalid_query", "before must be an id."));
        }
        Ok(Self { page: Page { limit, before: before_id }, path, filters: String::new() })
    }

    /// With this parameter too. Its value must be one that can stand in an address as it is.
    pub(crate) fn filtered(mut self, name: &'static str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.filters.push('&');
            self.filters.push_str(name);
            self.filters.push('=');
            self.filters.push_str(value);
        }
        self
    }

    /// The rows, with a link to the next page if this one is full.
    pub(crate) fn respond<T: Serialize>(&self, rows: &[T], last_id: Option<i64>) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        let limit = self.page.limit;
        let is_full = rows.len() >= usize::try_from(limit.get()).unwrap_or(usize::MAX);
        if let (true, Some(last_id)) = (is_full, last_id) {
            let link = format!("<{}?limit={limit}&before={last_id}{}>; rel=\"next\"", self.path, self.filters);
            response.insert_header((header::LINK, link));
        }
        response.json(rows)
    }
}
