//! Schemas and texts of the document, for people.

use maud::{Markup, html};
use serde_json::Value;

/// What a value is, in a few words.
pub(super) fn kind(schema: &Value) -> Markup {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return html! { a href={ "#" (name) } { (name) } };
    }
    if !schema["allOf"].is_null() {
        return kind(&schema["allOf"][0]);
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect(),
        one => vec![text(one)],
    };
    html! {
        @if let Some(words) = schema["enum"].as_array() {
            @for (i, word) in words.iter().enumerate() { @if i > 0 { ", " } code { (word) } }
        } @else if !schema["const"].is_null() {
            code { (schema["const"]) }
        } @else if schema["type"] == "array" {
            "array of " (kind(&schema["items"]))
        } @else {
            (types.join(" or "))
            @if let Some(format) = schema["format"].as_str() { ", " (format) }
        }
        (bounds(schema))
    }
}

/// The limits that are worth a word.
fn bounds(schema: &Value) -> Markup {
    let limit = |name: &str| schema[name].as_i64().filter(|limit| *limit != i64::MAX);
    html! {
        @for (name, word) in [("minimum", "from"), ("maximum", "to"), ("minItems", "at least"), ("maxItems", "at most")] {
            @if let Some(limit) = limit(name) { ", " (word) " " (limit) }
        }
        @if let Some(limit) = limit("maxLength") { ", at most " (limit) " characters" }
    }
}

/// Plain text, in which words between backticks are code.
pub(super) fn prose(text: &str) -> Markup {
    html! { @for (i, part) in text.split('`').enumerate() {
        @if i % 2 == 1 { code { (part) } } @else { (part) }
    } }
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
