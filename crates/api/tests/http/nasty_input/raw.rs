//! A client that sends any bytes, as an attacker's does.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// No answer for so long is none.
const PATIENCE: Duration = Duration::from_mins(1);

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    head: String,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// A header's value, whose name is given in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The body, if the status is this one.
    pub(super) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Sends these bytes and no more: all that comes back until the server hangs up.
pub(super) fn send(port: u16, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // A server that has read enough hangs up: what it has said counts, not that we could not go on.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answers = Vec::new();
    let mut piece = [0; 16 * 1024];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return answers,
            Ok(length) => answers.extend_from_slice(&piece[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return answers,
            Err(error) => panic!("no answer within {PATIENCE:?}: {error}, after {:?}", String::from_utf8_lossy(&answers)),
        }
    }
}

/// The first answer among these bytes, unless it only says to go on; `None` if the server said nothing.
pub(super) fn first_reply(bytes: &[u8]) -> Option<Reply> {
    if bytes.is_empty() {
        return None;
    }
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let (head, rest) = (String::from_utf8_lossy(&bytes[..end]).into_owned(), &bytes[end + 4..]);
    let status: u16 = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{head}"));
    if status < 200 {
        return first_reply(rest);
    }
    let mut reply = Reply { status, head, body: Vec::new() };
    reply.body = match reply.header("content-length") {
        // The answer to a HEAD says how long a body would be; what stands there instead is the next answer.
        _ if rest.starts_with(b"HTTP/1.") => Vec::new(),
        Some(length) => rest[..rest.len().min(length.parse().unwrap())].to_vec(),
        None => rest.to_vec(),
    };
    Some(reply)
}

pub(super) fn get(port: u16, path: &str) -> Reply {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    first_reply(&send(port, request.as_bytes())).unwrap()
}

/// Posts this as JSON, with these further header lines.
pub(super) fn post(port: u16, path: &str, headers: &str, body: &[u8]) -> Reply {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    first_reply(&send(port, &[head.as_bytes(), body].concat())).unwrap()
}
