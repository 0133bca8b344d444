//! The messages that a PostgreSQL client sends, followed just closely enough to see a commit: a COMMIT, or a statement
//! that makes bookings, which may commit by itself.

use std::collections::HashSet;

/// Protocol 3.0: the first message that names it is the last one without a type.
const START_UP: [u8; 4] = 196_608_u32.to_be_bytes();
/// As much of a message as is looked at: statements are shorter.
const LOOK_AT_MAX: usize = 16 * 1024;
/// What a statement that makes bookings says.
const MAKES_BOOKINGS: &[u8] = b"INSERT INTO bookings";

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
    /// The prepared statements that make bookings, by name.
    making: HashSet<Vec<u8>>,
}

impl Messages {
    /// Takes in what the client has sent; returns whether a commit ends in it.
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

    /// The message has come to its end: whether it commits.
    fn end(&mut self) -> bool {
        let kind = self.head.first().filter(|_| self.started);
        let mut texts = self.body.split(|byte| *byte == 0);
        let (first, second) = (texts.next().unwrap_or_default(), texts.next().unwrap_or_default());
        let commit = match kind {
            Some(b'Q') => first == b"COMMIT",
            // Parse: the statement's name, its text.
            Some(b'P') => {
                if second.windows(MAKES_BOOKINGS.len()).any(|words| words == MAKES_BOOKINGS) {
                    self.making.insert(first.to_vec());
                }
                false
            }
            // Bind: the portal's name, the statement's.
            Some(b'B') => self.making.contains(second),
            _ => false,
        };
        self.started |= self.body.starts_with(&START_UP);
        self.head.clear();
        self.body.clear();
        self.rest = None;
        commit
    }
}
