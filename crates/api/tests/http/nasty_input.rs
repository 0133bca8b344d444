//! Every parser that a client can reach, shown the inputs of `corpus/` and their mutants, through the whole server.
//!
//! Whatever comes: no failure of ours, no panic, every refusal well-formed, and a refused request has changed nothing.
//! `ROWLOCK_FUZZ_SECONDS=600 cargo test -p api --test http nasty` looks for new failures for ten minutes a test.

mod addresses;
mod bodies;
mod forwarded;
mod raw;
mod requests;
mod times;
mod tokens;

use std::cell::RefCell;
use std::path::Path;

use corpus::Corpus;
use serde_json::{Value, json};

use crate::support::{Data, Kind, Server};
use raw::{Reply, get, post};

/// Mutants of each kind in a usual run, which takes a few seconds.
const CASES: u32 = 300;

fn corpus(name: &str) -> Corpus {
    Corpus::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name)).unwrap()
}

/// A server whose holds outlive the test, with a show of 40 seats, and what its store shows.
struct House {
    server: Server,
    data: Data,
    seen: RefCell<String>,
    /// How long the log was when it opened: a store is not ready at once.
    log_before: usize,
}

impl House {
    async fn open(kind: Kind) -> Self {
        let data = Data::fresh(kind);
        let server = Server::start(&data, &[("HOLD_SECONDS", "86400"), ("RUST_LOG", "info,access=warn,actix_http=off")]).await;
        server.client().await.show(40).await;
        let log_before = server.log().len();
        let house = Self { server, data, seen: RefCell::default(), log_before };
        *house.seen.borrow_mut() = house.look();
        house
    }

    fn port(&self) -> u16 {
        self.server.port
    }

    /// All that the interface shows of the store.
    fn look(&self) -> String {
        ["/shows", "/admin/bookings", "/shows/1/seats"].map(|path| get(self.port(), path).expect(200).to_string()).join("\n")
    }

    /// After a request: whether the store is as it was; what it is now is what the next request is compared with.
    fn is_unchanged(&self) -> bool {
        let now = self.look();
        let before = self.seen.replace(now);
        before == *self.seen.borrow()
    }

    /// The server is well, and so are its books.
    async fn close(self) {
        assert_eq!(get(self.port(), "/readyz").expect(200), json!({"status": "ready"}));
        let log = self.server.log().split_off(self.log_before);
        assert!(!log.contains("panicked") && !log.contains("request failed"), "{log}");
        self.data.verify().await;
    }
}

/// A well-formed answer: JSON if it is a success, a problem if not.
fn judge(reply: &Reply) {
    assert!(reply.status < 500, "{reply:?}");
    if reply.status < 400 {
        return;
    }
    assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{reply:?}");
    assert!(reply.header("x-request-id").is_some_and(|id| !id.is_empty()), "{reply:?}");
    let problem: Value = serde_json::from_slice(&reply.body).unwrap_or_else(|error| panic!("{error}: {reply:?}"));
    assert_eq!(problem["status"], reply.status, "{reply:?}");
    assert!(problem["code"].as_str().is_some_and(|code| CODES.contains(&code)), "{reply:?}");
    for member in ["type", "title", "detail", "error"] {
        assert!(problem[member].as_str().is_some_and(|text| text.len() > 3), "{member}: {reply:?}");
    }
    assert!(problem["retryable"].is_boolean(), "{reply:?}");
}

/// The codes of refusals.
const CODES: &[&str] = &[
    "invalid_request",
    "invalid_json",
    "invalid_id",
    "invalid_query",
    "unreadable_body",
    "no_seats",
    "too_many_seats",
    "duplicate_seats",
    "not_json",
    "body_too_large",
    "too_slow",
    "cors_refused",
    "unauthorized",
    "forbidden",
    "insufficient_scope",
    "rate_limited",
    "unknown_route",
    "method_not_allowed",
    "no_such_show",
    "no_such_booking",
    "seats_not_free",
    "booking_not_pending",
    "payment_used",
];
