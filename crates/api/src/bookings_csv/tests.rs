//! Who gets CSV, what its texts look like, and what becomes of it when the store is lost half-way.

use std::sync::atomic::{AtomicU32, Ordering};

use actix_web::test::TestRequest;
use actix_web::{App, HttpServer};
use async_trait::async_trait;
use domain::{
    BookingDetails, BookingId, BookingState, Deadline, LiveHold, Outcome, Refund, RefundKey, Request, SeatNumber, ShowId, Sweep,
    Timestamp, Transition, UserName,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

#[test]
fn csv_is_sent_to_who_would_rather_have_it() {
    let wants = |accept: &str| is_wanted(&TestRequest::get().insert_header(("accept", accept)).to_http_request());
    for accept in ["text/csv", "TEXT/CSV", "text/csv; header=present", "text/csv, */*;q=0.1", "application/json;q=0.5,text/csv"] {
        assert!(wants(accept), "{accept}");
    }
    for accept in [
        "",
        "*/*",
        "application/json",
        "application/json, text/csv;q=0.5",
        "text/csv;q=0",
        "text/csv;q=0, */*",
        "text/html",
        "text/*",
        "x",
    ] {
        assert!(!wants(accept), "{accept}");
    }
    assert!(!is_wanted(&TestRequest::get().to_http_request()));
}

#[test]
fn nothing_is_calculated() {
    for text in ["=1+1", "+1", "-1", "@SUM(A1)"] {
        assert_eq!(no_formula(text.to_owned()), format!("'{text}"));
    }
    for text in ["", "Ada", "a=1", "'=1"] {
        assert_eq!(no_formula(text.to_owned()), text);
    }
}

/// Full pages, so many of them; then it is lost.
struct LostAfter {
    pages: AtomicU32,
}

#[async_trait]
impl BookingRepository for LostAfter {
    async fn list(&self, _: &BookingFilter, page: Page) -> Result<Vec<Booking>, StoreError> {
        if self.pages.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |pages| pages.checked_sub(1)).is_err() {
            return Err(StoreError::Unavailable("lost".to_owned()));
        }
        let last = page.before.unwrap_or(1_000_000);
        let first = last - i64::from(page.limit.get());
        Ok((first..last).rev().filter_map(BookingId::new).map(booking).collect())
    }

    async fn execute(&self, _: &[Request]) -> Result<Vec<Outcome>, StoreError> {
        unreachable!("bookings are only listed")
    }

    async fn expire_due(&self, _: NonZeroU32) -> Result<Sweep, StoreError> {
        unreachable!("bookings are only listed")
    }

    async fn find(&self, _: BookingId) -> Result<Option<BookingDetails>, StoreError> {
        unreachable!("bookings are only listed")
    }

    async fn history(&self, _: BookingId) -> Result<Option<Vec<Transition>>, StoreError> {
        unreachable!("bookings are only listed")
    }

    async fn forget_keys(&self, _: NonZeroU32) -> Result<u32, StoreError> {
        unreachable!("bookings are only listed")
    }

    async fn live_holds(&self, _: Option<ShowId>, _: Option<BookingId>, _: NonZeroU32) -> Result<Vec<LiveHold>, StoreError> {
        unreachable!("bookings are only listed")
    }

    async fn refunds(&self, _: Option<&RefundKey>, _: NonZeroU32) -> Result<Vec<Refund>, StoreError> {
        unreachable!("bookings are only listed")
    }
}

fn booking(id: BookingId) -> Booking {
    Booking {
        id,
        show_id: ShowId::new(1).unwrap(),
        user_name: UserName::new("Ada").unwrap(),
        customer: None,
        blocked_for: None,
        payment: None,
        seats: vec![SeatNumber::new(1).unwrap()],
        deadline: Deadline::at(Timestamp::default()),
        state: BookingState::Pending,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
    }
}

/// All that a server sends whose store is lost after so many pages, of a list of so many rows at most.
async fn sent(pages: u32, limit: Option<u32>) -> String {
    let list = move || async move {
        let store = Arc::new(LostAfter { pages: AtomicU32::new(pages) });
        respond(Pages::new(store, BookingFilter::default(), None, limit.and_then(NonZeroU32::new)), false).await
    };
    let server = HttpServer::new(move || App::new().service(actix_web::Resource::new("/").to(list))).workers(1).disable_signals();
    let server = server.bind(("127.0.0.1", 0)).unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    // An end is an end, whether by FIN or by RST.
    let _ = stream.read_to_string(&mut text).await;
    handle.stop(false).await;
    running.await.unwrap().unwrap();
    text
}

/// What ends a body that is whole.
const LAST_CHUNK: &str = "\r\n0\r\n\r\n";

#[actix_web::test]
async fn a_list_that_is_cut_short_does_not_look_whole() {
    let whole = sent(2, Some(2_000)).await;
    assert!(whole.starts_with("HTTP/1.1 200 OK\r\n") && whole.ends_with(LAST_CHUNK), "{}", &whole[..100]);
    assert_eq!(whole.matches(",Ada,").count(), 2_000);
    let cut = sent(2, None).await;
    assert!(cut.starts_with("HTTP/1.1 200 OK\r\n") && !cut.ends_with(LAST_CHUNK), "{}", &cut[cut.len() - 100..]);
    // What is known to be lost before anything has been sent is said as usual.
    let lost = sent(0, None).await;
    assert!(lost.starts_with("HTTP/1.1 503 "), "{lost}");
}
