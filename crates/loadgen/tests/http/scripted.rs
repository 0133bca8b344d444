//! A scripted HTTP server, one thread a connection, that can do what a good server never does.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use loadgen::client::BaseUrl;

/// A request, as it arrived.
pub(crate) struct Arrived {
    /// Which connection it came on, from 0.
    pub(crate) connection: usize,
    /// Method and path.
    pub(crate) call: String,
    /// All header lines.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: String,
}

/// What the server does about it.
pub(crate) enum Reaction {
    /// Answers, and keeps the connection.
    Answer(u16, String),
    /// Sends these bytes, and keeps the connection.
    Raw(Vec<u8>),
    /// Answers, and hangs up without a word.
    AnswerAndHangUp(u16, String),
    /// Hangs up.
    HangUp,
    /// Says nothing, and keeps the connection.
    Silence,
}

/// A server. It serves until the test's process ends.
pub(crate) struct Scripted {
    pub(crate) url: BaseUrl,
    connections: Arc<AtomicUsize>,
}

impl Scripted {
    /// Serves by this script.
    pub(crate) fn start(script: impl Fn(&Arrived) -> Reaction + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = BaseUrl::loopback(listener.local_addr().unwrap().port());
        let (connections, script) = (Arc::new(AtomicUsize::new(0)), Arc::new(script));
        let counter = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (script, number) = (Arc::clone(&script), counter.fetch_add(1, Ordering::SeqCst));
                thread::spawn(move || serve(&stream, number, &*script));
            }
        });
        Self { url, connections }
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn serve(mut stream: &TcpStream, connection: usize, script: &dyn Fn(&Arrived) -> Reaction) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream);
    while let Some((call, head, body)) = read_request(&mut reader) {
        let written = match script(&Arrived { connection, call, head, body }) {
            Reaction::Answer(status, body) => stream.write_all(answer(status, &body).as_bytes()),
            Reaction::Raw(bytes) => stream.write_all(&bytes),
            Reaction::AnswerAndHangUp(status, body) => {
                let _ = stream.write_all(answer(status, &body).as_bytes());
                return;
            }
            Reaction::HangUp => return,
            Reaction::Silence => Ok(()),
        };
        if written.is_err() {
            return;
        }
    }
}

fn read_request(reader: &mut impl BufRead) -> Option<(String, String, String)> {
    let (mut head, mut line, mut length) = (String::new(), String::new(), 0);
    loop {
        line.clear();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let call = head.split(' ').take(2).collect::<Vec<_>>().join(" ");
    Some((call, head, String::from_utf8(body).ok()?))
}

fn answer(status: u16, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} Whatever\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
}
