//! The document as a page for people. Its style is in it, nothing else is loaded, and there is no script.

mod operation;
mod words;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::call::Call;
use super::problems::KINDS;
use operation::Operation;
use words::{kind, prose, text};

const STYLE: &str = include_str!("page.css");

/// Lets a browser take the style, which is known by its hash, and nothing else from anywhere.
pub(super) fn policy() -> String {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
}

/// The page of this document, with its calls in the order of the table of routes, group by group.
pub(super) fn write(calls: &[Call], document: &Value) -> Markup {
    let operations: Vec<Operation> = calls.iter().map(|call| Operation::of(*call, document)).collect();
    let mut groups: Vec<&str> = Vec::new();
    for group in operations.iter().map(|operation| operation.group) {
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Rowlock: the interface" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#calls" { "To the calls" }
                header {
                    h1 { "Rowlock " small { (document["info"]["version"].as_str().unwrap_or_default()) } }
                    @for paragraph in text(&document["info"]["description"]).split("\n\n") { p { (prose(paragraph)) } }
                    p { "For programs: " a href="openapi.json" { "openapi.json" } " (OpenAPI 3.1)." }
                }
                nav aria-label="Calls" {
                    @for group in &groups {
                        h2 { (group) }
                        ul { @for operation in operations.iter().filter(|operation| operation.group == *group) {
                            li { a href={ "#" (operation.id) } { (operation.summary()) } }
                        } }
                    }
                    h2 { "Reference" }
                    ul { li { a href="#schemas" { "Schemas" } } li { a href="#problems" { "Problems" } } }
                }
                main id="calls" {
                    @for group in &groups {
                        h2 { (group) }
                        @for operation in operations.iter().filter(|operation| operation.group == *group) { (operation.section()) }
                    }
                    (schemas(&document["components"]["schemas"]))
                    (problems())
                }
            }
        }
    }
}

fn schemas(schemas: &Value) -> Markup {
    html! {
        h2 id="schemas" { "Schemas" }
        @for (name, schema) in schemas.as_object().into_iter().flatten() {
            section id=(name) aria-labelledby={ (name) "-title" } {
                h3 id={ (name) "-title" } { (name) }
                p { (prose(text(&schema["description"]))) }
                table {
                    thead { tr { th { "Member" } th { "Type" } th { "Meaning" } } }
                    tbody { @for (member, property) in schema["properties"].as_object().into_iter().flatten() {
                        tr {
                            td { code { (member) } @if !is_required(schema, member) { br; small { "optional" } } }
                            td { (kind(property)) }
                            td { (prose(text(&property["description"]))) }
                        }
                    } }
                }
            }
        }
    }
}

fn is_required(schema: &Value, member: &str) -> bool {
    schema["required"].as_array().is_some_and(|required| required.iter().any(|name| name == member))
}

fn problems() -> Markup {
    html! {
        h2 id="problems" { "Problems" }
        table {
            thead { tr { th { "Status" } th { "Code" } th { "Meaning" } } }
            tbody { @for problem in &KINDS {
                tr { td { (problem.status) } td { code { (problem.code) } } td { (prose(problem.means)) } }
            } }
        }
    }
}
