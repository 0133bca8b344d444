//! Damage.

use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::sample::{Index, select};

/// Longest piece that is cut, repeated or taken from elsewhere.
const PIECE_MAX: usize = 40;

/// A mutant grows to this size at most, or to that of its input.
const BYTES_MAX: usize = 256 * 1024;

/// What parsers stumble over.
const TOKENS: &[&[u8]] = &[
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xae",
    b"\xc2\x85",
    b"\\u0000",
    b"\\ud800",
    b"\\udfff",
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"=",
    b";",
    b"%",
    b"%00",
    b"%ff",
    b"%2f",
    b"..",
    b"\r\n",
    b"\n",
    b"\t",
    b" ",
    b"-",
    b"+",
    b".",
    b"0",
    b"-0",
    b"1e999",
    b"1.0",
    b"9223372036854775807",
    b"9223372036854775808",
    b"-9223372036854775809",
    b"18446744073709551616",
    b"null",
    b"true",
    b"NaN",
];

/// One damage; positions are chosen when it is known how long the input is.
#[derive(Clone, Debug)]
pub(crate) enum Mutation {
    Flip { at: Index, bit: u8 },
    Overwrite { at: Index, byte: u8 },
    Insert { at: Index, token: &'static [u8] },
    Cut { at: Index, length: usize },
    Truncate { at: Index },
    Repeat { at: Index, length: usize, times: usize },
    Splice { at: Index, other: Index, from: Index, length: usize },
}

impl Mutation {
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        let at = any::<Index>;
        let length = || 1..=PIECE_MAX;
        prop_oneof![
            3 => (at(), 0..8_u8).prop_map(|(at, bit)| Self::Flip { at, bit }),
            2 => (at(), any::<u8>()).prop_map(|(at, byte)| Self::Overwrite { at, byte }),
            4 => (at(), select(TOKENS)).prop_map(|(at, token)| Self::Insert { at, token }),
            2 => (at(), length()).prop_map(|(at, length)| Self::Cut { at, length }),
            1 => at().prop_map(|at| Self::Truncate { at }),
            1 => (at(), length(), 1..400_usize).prop_map(|(at, length, times)| Self::Repeat { at, length, times }),
            3 => (at(), at(), at(), length()).prop_map(|(at, other, from, length)| Self::Splice { at, other, from, length }),
        ]
    }

    pub(crate) fn apply(&self, input: &mut Vec<u8>, inputs: &[Vec<u8>]) {
        // One place more than there are bytes, so that there always is one.
        let place = |at: &Index| at.index(input.len() + 1);
        match self {
            Self::Flip { at, bit } => {
                let at = place(at);
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << bit;
                }
            }
            Self::Overwrite { at, byte } => {
                let at = place(at);
                if let Some(there) = input.get_mut(at) {
                    *there = *byte;
                }
            }
            Self::Insert { at, token } => {
                let at = place(at);
                input.splice(at..at, token.iter().copied());
            }
            Self::Cut { at, length } => {
                let at = place(at);
                input.drain(at..(at + length).min(input.len()));
            }
            Self::Truncate { at } => input.truncate(place(at)),
            Self::Repeat { at, length, times } => {
                let at = place(at);
                let piece = input[at..(at + length).min(input.len())].repeat(*times);
                if input.len() + piece.len() <= BYTES_MAX {
                    input.splice(at..at, piece);
                }
            }
            Self::Splice { at, other, from, length } => {
                let at = place(at);
                let other = &inputs[other.index(inputs.len())];
                let from = from.index(other.len() + 1);
                let piece = other[from..(from + length).min(other.len())].to_vec();
                input.splice(at..at, piece);
            }
        }
    }
}
