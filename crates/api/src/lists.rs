//! Lists for those who run a house, below `/admin`.

use actix_web::http::{Method, header};
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use domain::Page;

use crate::app::App;
use crate::booking_filter::{BookingsQuery, keep_in_link};
use crate::bookings_csv::{self, Pages};
use crate::page::{self, Paging, given};
use crate::problem::Problem;
use crate::resources::BookingResource;

/// `GET /admin/bookings`
pub(crate) async fn bookings(app: Data<App>, request: HttpRequest, query: Query<BookingsQuery>) -> Result<HttpResponse, Problem> {
    let filter = query.filter(app.time_zone)?;
    let paging = keep_in_link(Paging::backwards("/admin/bookings", query.limit.as_deref())?, &filter);
    let before = page::id("before", query.before.as_deref())?;
    let mut response = if bookings_csv::is_wanted(&request) {
        let limit = given(query.limit.as_deref()).map(|_| paging.limit);
        let pages = Pages::new(app.bookings.clone(), filter, before, limit);
        bookings_csv::respond(pages, request.method() == Method::HEAD).await?
    } else {
        let bookings = app.bookings.list(&filter, Page { limit: paging.limit, before }).await?;
        let last = bookings.last().map(|booking| booking.id);
        let bookings: Vec<BookingResource> = bookings.into_iter().map(BookingResource::from).collect();
        paging.respond(&bookings, last)
    };
    response.headers_mut().append(header::VARY, header::HeaderValue::from_static("Accept"));
    Ok(response)
}
