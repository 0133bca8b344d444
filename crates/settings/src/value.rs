//! A setting's value before it is understood.

use std::fmt;

use config::ValueKind;

/// What stands in the environment or the file.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text: everything in the environment, strings in the file.
    Text(String),
    /// A number in the file, in its own notation.
    Number(String),
    /// `true` or `false` in the file.
    Flag(bool),
    /// A list of texts in the file.
    List(Vec<String>),
    /// A table, or a list of something else, in the file: no setting has such a value.
    Other,
}

impl Value {
    /// The text; nothing else in the file passes for it.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(_) | Self::Flag(_) | Self::List(_) | Self::Other => None,
        }
    }

    /// What a number can be read from.
    pub fn number(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text.trim()),
            Self::Flag(_) | Self::List(_) | Self::Other => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Number(text) => formatter.write_str(text),
            Self::Flag(flag) => write!(formatter, "{flag}"),
            Self::List(items) => formatter.write_str(&items.join(",")),
            Self::Other => formatter.write_str("(a table)"),
        }
    }
}

impl From<config::Value> for Value {
    fn from(value: config::Value) -> Self {
        match value.kind {
            ValueKind::String(text) => Self::Text(text),
            ValueKind::Boolean(flag) => Self::Flag(flag),
            ValueKind::I64(number) => Self::Number(number.to_string()),
            ValueKind::I128(number) => Self::Number(number.to_string()),
            ValueKind::U64(number) => Self::Number(number.to_string()),
            ValueKind::U128(number) => Self::Number(number.to_string()),
            ValueKind::Float(number) => Self::Number(number.to_string()),
            ValueKind::Array(items) => texts(items).map_or(Self::Other, Self::List),
            ValueKind::Table(_) | ValueKind::Nil => Self::Other,
        }
    }
}

/// The items, if all are text.
fn texts(items: Vec<config::Value>) -> Option<Vec<String>> {
    let text = |item: config::Value| match item.kind {
        ValueKind::String(text) => Some(text),
        _ => None,
    };
    items.into_iter().map(text).collect()
}
