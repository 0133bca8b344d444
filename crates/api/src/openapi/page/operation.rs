//! An operation on the page.

use maud::{Markup, html};
use serde_json::Value;

use super::words::{kind, prose, text};
use crate::openapi::call::Call;

/// An operation, and where it is.
pub(super) struct Operation<'a> {
    verb: String,
    path: &'a str,
    pub(super) id: &'a str,
    pub(super) group: &'a str,
    object: &'a Value,
}

impl<'a> Operation<'a> {
    pub(super) fn of(call: Call, document: &'a Value) -> Self {
        let object = &document["paths"][call.path][call.verb.member()];
        let verb = call.verb.member().to_uppercase();
        Self { verb, path: call.path, id: text(&object["operationId"]), group: text(&object["tags"][0]), object }
    }

    pub(super) fn summary(&self) -> &'a str {
        text(&self.object["summary"])
    }

    pub(super) fn section(&self) -> Markup {
        let body = &self.object["requestBody"]["content"]["application/json"];
        html! {
            section id=(self.id) aria-labelledby={ (self.id) "-title" } {
                h3 id={ (self.id) "-title" } { (self.summary()) }
                p.address { b { (self.verb) } " " code { (self.path) } }
                p { (prose(text(&self.object["description"]))) @if let Some(token) = self.token() { " Guarded: " (token) "." } }
                (self.parameters())
                @if !body.is_null() { p { "Body: " (kind(&body["schema"])) } }
                pre tabindex="0" { code { (self.curl(&body["example"])) } }
                (self.responses())
            }
        }
    }

    fn token(&self) -> Option<&'static str> {
        let schemes = self.object["security"].as_array()?;
        let asks = |scheme: &str| schemes.iter().any(|alternative| alternative.get(scheme).is_some());
        match (asks("bookingToken"), asks("adminToken")) {
            (true, _) => Some("with the booking's token, or an admin's"),
            (false, true) => Some("with an admin's token"),
            (false, false) => None,
        }
    }

    fn parameters(&self) -> Markup {
        let Some(parameters) = self.object["parameters"].as_array() else { return Markup::default() };
        html! {
            table {
                thead { tr { th { "Parameter" } th { "Type" } th { "Meaning" } } }
                tbody { @for parameter in parameters {
                    tr {
                        td { code { (text(&parameter["name"])) } br; small { "in " (text(&parameter["in"])) } }
                        td { (kind(&parameter["schema"])) }
                        td { (prose(text(&parameter["description"]))) }
                    }
                } }
            }
        }
    }

    /// A line that works as it stands.
    fn curl(&self, body: &Value) -> String {
        let path = self.path.replace("{id}", "1");
        let token = match self.object["security"][0].as_object().and_then(|schemes| schemes.keys().next()).map(String::as_str) {
            Some("adminToken") => " -H \"Authorization: Bearer $ADMIN_TOKEN\"",
            Some(_) => " -H \"Authorization: Bearer $BOOKING_TOKEN\"",
            None => "",
        };
        match body {
            Value::Null => format!("curl localhost:4000{path}{token}"),
            body => format!("curl localhost:4000{path}{token} -H 'Content-Type: application/json' \\\n  -d '{body}'"),
        }
    }

    fn responses(&self) -> Markup {
        html! { @for (status, response) in self.object["responses"].as_object().into_iter().flatten() {
            @let success = status.starts_with('2');
            details open[success] {
                summary { b { (status) } " " @if success { (text(&response["description"])) } @else { (codes(response)) } }
                @if !success { ul { @for line in text(&response["description"]).lines() { li { (prose(line)) } } } }
                @for (media, content) in response["content"].as_object().into_iter().flatten() {
                    p { code { (media) } @if success { ": " (kind(&content["schema"])) } @else { ": " a href="#Problem" { "Problem" } } }
                    @if !content["example"].is_null() {
                        pre tabindex="0" { code { (serde_json::to_string_pretty(&content["example"]).unwrap_or_default()) } }
                    }
                }
                @let headers: Vec<&String> = response["headers"].as_object().into_iter().flatten().map(|(name, _)| name).collect();
                p { "Headers: " @for (i, name) in headers.iter().enumerate() { @if i > 0 { ", " } code { (name) } } }
            }
        } }
    }
}

/// The codes that a refusal may have.
fn codes(response: &Value) -> Markup {
    let codes = &response["content"]["application/problem+json"]["schema"]["properties"]["code"]["enum"];
    html! { @for code in codes.as_array().into_iter().flatten() { code { (text(code)) } " " } }
}
