//! The description of the interface: OpenAPI 3.1 at `/openapi.json`, and the same for people at `/docs`.
//!
//! A route is registered with its [`Call`], so that none is served that is not described. Answers' schemas are derived from the
//! structs that are sent; what a request takes stands in the module named like its handler's.

pub(crate) mod admin;
pub(crate) mod bookings;
mod call;
mod describe;
mod document;
pub(crate) mod editing;
pub(crate) mod health;
pub(crate) mod lists;
mod page;
mod problems;
pub(crate) mod shows;

pub(crate) use call::{Call, House, Verb};

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Bytes, Data};

use describe::Description;

/// Where the document is, and where the page: both can be read whatever becomes of the store.
pub(crate) const DOCUMENT_PATH: &str = "/openapi.json";
pub(crate) const PAGE_PATH: &str = "/docs";

pub(crate) const DOCUMENT: Call = Call::get(DOCUMENT_PATH, |_| {
    Description::of("document", "Description", "This description", "OpenAPI 3.1, made by the program that answers.").answers_with(
        200,
        "The document.",
        "application/json",
        serde_json::json!({"type": "object", "required": ["openapi"]}),
    )
});

pub(crate) const PAGE: Call = Call::get(PAGE_PATH, |_| {
    Description::of("page", "Description", "This page", "The same for people: plain HTML without a script, all of it from here.")
        .answers_with(200, "The page.", "text/html", serde_json::json!({"type": "string"}))
        .answers_header("Content-Security-Policy", "Nothing but the page's own style is loaded, from nowhere.")
});

/// Both, written once at start.
pub(crate) struct Documentation {
    document: Bytes,
    page: Bytes,
    policy: String,
}

impl Documentation {
    pub(crate) fn new(calls: &[Call], house: &House) -> Self {
        let document = document::write(calls, house);
        Self {
            page: Bytes::from(page::write(calls, &document).into_string()),
            policy: page::policy(),
            document: Bytes::from(document.to_string()),
        }
    }
}

/// `GET /openapi.json`
pub(crate) async fn document(documentation: Data<Documentation>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(documentation.document.clone())
}

/// `GET /docs`
pub(crate) async fn page(documentation: Data<Documentation>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, documentation.policy.as_str()))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(documentation.page.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_that_a_call_names_is_one_that_there_is() {
        let house = House { seats_per_booking_max: 50, guarded: false };
        for call in crate::routes::calls() {
            for (status, code) in (call.describe)(&house).refusals {
                assert!(problems::find_with(status, code).is_some(), "{} {code}", call.path);
            }
        }
    }
}
