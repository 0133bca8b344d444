//! Chaos' customers against a server that answers when it likes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::scripted::{Reaction, Scripted};
use loadgen::chaos::history::{Answer, Call, NotDone, Operation, Unknown};
use loadgen::chaos::workload::{self, Options};
use tokio::sync::watch;

#[tokio::test]
async fn an_answer_that_does_not_come_is_recorded_as_unknown_and_the_customer_goes_on() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let server = Scripted::start(move |request| {
        count.fetch_add(1, Ordering::SeqCst);
        match request.call.as_str() {
            "POST /admin/shows" => Reaction::Answer(201, r#"{"showId":5}"#.into()),
            "POST /book" => Reaction::HangUp,
            "GET /shows/5/seats" => Reaction::Silence,
            _ => Reaction::AnswerAndHangUp(503, "busy".into()),
        }
    });
    let options = Options { customers: 4, shows: 1, rate: 400.0, time_limit_seconds: 0.2, ..Options::default() };
    let servers = [server.url.clone()];
    let (stop, stopped) = watch::channel(false);
    let (history, ()) = tokio::join!(workload::run(&servers, &options, stopped), async {
        while calls.load(Ordering::SeqCst) < 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stop.send_replace(true);
    });
    let history = history.unwrap();
    for Operation { call, answer, .. } in &history.operations {
        let expected = match (call, answer) {
            // A busy machine may be slow. Any call can be the first on a connection that the server has just closed: what is found closed
            // is not used, what closes meanwhile is lost.
            (_, Answer::Unknown(Unknown::TimedOut | Unknown::Lost) | Answer::NotDone(NotDone::NotSent))
            // Some customers don't wait.
            | (Call::Hold { .. }, Answer::Unknown(Unknown::HungUp)) => true,
            (Call::Hold { .. } | Call::SeatMap { .. }, _) => false,
            (_, answer) => matches!(answer, Answer::Unknown(Unknown::Unforeseen(_))),
        };
        assert!(expected, "{call:?} {answer:?}");
    }
    for seen in [("hold", "connection lost"), ("seat map", "timed out"), ("list", "unforeseen")] {
        assert!(history.counts().contains_key(&seen), "no {seen:?} in {:?}", history.counts());
    }
}
