//! The messages that a PostgreSQL client sends, followed just closely enough to see a COMMIT.

/// Protocol 3.0: the first message that names it is the last one without a type.
const START_UP: [u8; 4] = 196_608_u32.to_be_bytes();
/// As much of a message as is looked at.
const LOOK_AT_MAX: usize = 8;

/// Where in the stream of messages a client is.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// Messages have a type from the start-up message on.
    started: bool,
    /// Type, if there is one, and length of the message at hand, as far as they have come.
    head: Vec<u8>,
    /// The beginning of its body.
    body: Vec<u8>,
    /// How much of the body is still to come; `None` while the head is incomplete.
    rest: Option<usize>,
}

impl Messages {
    /// Takes in what the client has sent; returns whether a simple query `COMMIT` ends in it.
    pub(super) fn hold_commit(&mut self, mut bytes: &[u8]) -> bool {
        let mut commit = false;
        while !bytes.is_empty() {
            bytes = match self.rest {
                None => self.take_head(bytes),
                Some(rest) => self.take_body(rest, bytes),
            };
            if self.rest == Some(0) {
                commit |= self.end();
            }
        }
        commit
    }

    fn take_head<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let wanted = if self.started { 5 } else { 4 };
        let (taken, others) = bytes.split_at(bytes.len().min(wanted - self.head.len()));
        self.head.extend_from_slice(taken);
        if let Some(length) = self.head[wanted - 4..].first_chunk().filter(|_| self.head.len() == wanted) {
            // It counts itself.
            self.rest = Some((u32::from_be_bytes(*length) as usize).saturating_sub(4));
        }
        others
    }

    fn take_body<'a>(&mut self, rest: usize, bytes: &'a [u8]) -> &'a [u8] {
        let (taken, others) = bytes.split_at(bytes.len().min(rest));
        let room = LOOK_AT_MAX - self.body.len();
        self.body.extend_from_slice(&taken[..taken.len().min(room)]);
        self.rest = Some(rest - taken.len());
        others
    }

    /// The message has come to its end: whether it is a COMMIT.
    fn end(&mut self) -> bool {
        let commit = self.started && self.head.first() == Some(&b'Q') && self.body == b"COMMIT\0";
        self.started |= self.body.starts_with(&START_UP);
        self.head.clear();
        self.body.clear();
        self.rest = None;
        commit
    }
}
