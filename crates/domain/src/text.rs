//! Free text that people type: names.

use thiserror::Error;

/// Longest name, in characters.
pub(crate) const NAME_CHARS_MAX: usize = 200;

/// Why a text can't be a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidText {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// Over the limit.
    #[error("must be at most {NAME_CHARS_MAX} characters long")]
    TooLong,
    /// Control characters, NUL among them.
    #[error("must not contain control characters")]
    Control,
}

/// The text without white space around it, if it can be a name.
pub(crate) fn name(text: &str) -> Result<String, InvalidText> {
    let text = text.trim();
    if text.is_empty() {
        Err(InvalidText::Empty)
    } else if text.chars().count() > NAME_CHARS_MAX {
        Err(InvalidText::TooLong)
    } else if text.chars().any(char::is_control) {
        Err(InvalidText::Control)
    } else {
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_bounded_and_printable() {
        assert_eq!(name("  Ada 🎭 "), Ok("Ada 🎭".to_owned()));
        assert_eq!(name(" \t\n"), Err(InvalidText::Empty));
        assert_eq!(name("a\0b"), Err(InvalidText::Control));
        assert!(name(&"é".repeat(NAME_CHARS_MAX)).is_ok());
        assert_eq!(name(&"é".repeat(NAME_CHARS_MAX + 1)), Err(InvalidText::TooLong));
    }
}
