//! `X-Forwarded-For`: whatever stands there, a client behind a proxy stays who it is.

use super::raw::{first_reply, send};
use super::{CASES, corpus, judge};
use crate::support::{Data, Kind, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forwarded_address_is_nasty() {
    let data = Data::fresh(Kind::Sqlite);
    let server = Server::start(&data, &[("TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8"), ("RATE_LIMIT_READS", "1/h")]).await;
    let ask = |sent: &[u8]| {
        let head = b"GET /shows HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Forwarded-For: ";
        first_reply(&send(server.port, &[head, sent, b", 203.0.113.9, 10.2.2.2\r\n\r\n"].concat()))
    };
    assert_eq!(ask(b"").unwrap().status, 200);
    corpus("forwarded_for").check(CASES, |sent| {
        // With the end of a line in it, it would be another request.
        let Some(reply) = ask(sent).filter(|_| !sent.contains(&b'\r') && !sent.contains(&b'\n')) else { return };
        // What is no HTTP any more is refused without a body.
        if reply.body.is_empty() {
            assert_eq!(reply.status, 400, "{reply:?}");
        } else {
            judge(&reply);
            assert_eq!(reply.status, 429, "{reply:?}");
        }
    });
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
