//! The description at `/openapi.json` and `/docs` is true, whole, and needs nothing from elsewhere.

mod answers;
mod document;
mod sources;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use loadgen::client::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Client, Data, Kind, Server};
use document::Document;

async fn open() -> (Data, Server, Client, Document) {
    let data = Data::fresh(Kind::Sqlite);
    let server = Server::start(&data, &[]).await;
    let mut client = server.client().await;
    let document = Document::read(&mut client).await;
    (data, server, client, document)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_address_takes_what_is_described_and_nothing_else() {
    let (_data, _server, mut client, document) = open().await;
    for (path, item) in document.paths() {
        let is_read = item.get("get").is_some();
        let allowed = if is_read { "GET, HEAD" } else { "POST" };
        for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
            let reply = client.call(method.clone(), &path.replace("{id}", "1"), None, &[]).await;
            assert_ne!(reply.body["code"], "unknown_route", "{path}");
            if allowed.split(", ").any(|name| name == method.as_str()) {
                assert_ne!(reply.status, 405, "{method} {path}");
            } else {
                assert_eq!((reply.status, &reply.headers["allow"]), (405, &allowed.parse().unwrap()), "{method} {path}");
                if method != Method::HEAD {
                    document.assert_valid(document.schema("Problem"), &reply.body);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_has_words_and_examples_that_are_valid() {
    let (_data, _server, _client, document) = open().await;
    let mut ids = Vec::new();
    for operation in document.operations() {
        let object = &operation.object;
        ids.push(operation.id.clone());
        let said = |value: &Value| value.as_str().is_some_and(|words| words.len() > 2);
        assert!(said(&object["summary"]) && said(&object["description"]) && said(&object["tags"][0]), "{}", operation.id);
        for parameter in object["parameters"].as_array().into_iter().flatten() {
            assert!(said(&parameter["description"]), "{} {parameter}", operation.id);
        }
        assert_eq!(object["responses"].as_object().unwrap().keys().filter(|status| status.starts_with('2')).count(), 1);
        for (status, response) in object["responses"].as_object().unwrap() {
            assert!(said(&response["description"]), "{} {status}", operation.id);
            for content in response["content"].as_object().unwrap().values() {
                assert!(content["schema"].as_object().is_some_and(|schema| !schema.is_empty()), "{} {status}", operation.id);
                content.get("example").inspect(|example| document.assert_valid(&content["schema"], example));
            }
        }
        if let Some(body) = operation.body() {
            document.assert_valid(&body["schema"], &body["example"]);
        }
        let links = object["responses"].as_object().unwrap().values().filter_map(|response| response["links"].as_object());
        for (name, link) in links.flatten() {
            assert!(document.operations().iter().any(|operation| link["operationId"] == *operation.id), "{name}");
        }
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "each operation has an id of its own");
}

/// Each example, after a show and a booking have been made by theirs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_examples_work_on_a_fresh_server() {
    let (_data, _server, _client, document) = open().await;
    let (first, others): (Vec<_>, Vec<_>) =
        document.operations().into_iter().partition(|operation| ["createShow", "book"].contains(&operation.id.as_str()));
    assert_eq!((first.len(), first[0].id.as_str()), (2, "createShow"));
    for operation in others {
        let data = Data::fresh(Kind::Sqlite);
        let server = Server::start(&data, &[]).await;
        let mut client = server.client().await;
        // The house wants the very seats that the example of a booking takes.
        let before = if operation.id == "blockSeats" { &first[..1] } else { &first[..] };
        for operation in before.iter().chain([&operation]) {
            let body = operation.body().map(|body| body["example"].to_string());
            let path = operation.path.replace("{id}", "1");
            let reply = client.call(operation.method.clone(), &path, body.as_deref().map(str::as_bytes), &[]).await;
            let (status, example) = operation.success();
            assert_eq!(reply.status, status, "{} {reply:?}", operation.id);
            if let Some(example) = example {
                assert_eq!(timeless(&reply.body), timeless(example), "{}", operation.id);
            }
        }
    }
}

/// The same with every instant and every length of time replaced.
fn timeless(value: &Value) -> Value {
    match value {
        Value::String(text) if chrono::DateTime::parse_from_rfc3339(text).is_ok() && !text.contains("T19:00") => {
            "an instant".into()
        }
        Value::Number(number) if number.is_f64() => "a length of time".into(),
        Value::Array(items) => items.iter().map(timeless).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), timeless(value))).collect(),
        other => other.clone(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_shows_every_call_and_loads_nothing() {
    let (_data, _server, mut client, document) = open().await;
    let answer = client.0.get("/docs").await.unwrap();
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    let page = answer.text();
    for operation in document.operations() {
        assert!(page.contains(&format!("<section id=\"{}\"", operation.id)), "{}", operation.id);
    }
    for target in page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        let is_here = target.strip_prefix('#').is_some_and(|id| page.contains(&format!(" id=\"{id}\"")));
        assert!(is_here || target == "openapi.json", "{target} leads nowhere, or elsewhere");
    }
    for foreign in ["<script", "<link", "<img", "<iframe", " src=", "url(", "@import", " style=", "://"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    let hash = STANDARD.encode(Sha256::digest(style));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with(&format!("default-src 'none'; style-src 'sha256-{hash}';")), "{policy}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_description_needs_no_token_and_no_store() {
    let guarded =
        [("ACCESS", "guarded"), ("ADMIN_TOKEN", "the-admin-s-own-token"), ("BOOKING_SECRET", "a secret that nobody can guess")];
    // Nothing listens there.
    let server = Server::start_unready(&Data::Postgres("postgres://nobody@127.0.0.1:1/none".to_owned()), &guarded);
    let mut client = server.client().await;
    assert_eq!(client.0.get("/docs").await.unwrap().status, 200);
    let document = Document::read(&mut client).await;
    for (method, path) in [(Method::GET, "/shows"), (Method::GET, "/readyz")] {
        let reply = client.call(method.clone(), path, None, &[]).await;
        assert_eq!(reply.status, 503);
        document.check(&method, path, &reply);
    }
    let security = |id: &str| document.operations().into_iter().find(|one| one.id == id).unwrap().object["security"].clone();
    assert_eq!(security("createShow"), json!([{"adminToken": []}]));
    assert_eq!(security("booking"), json!([{"bookingToken": []}, {"adminToken": []}]));
    assert_eq!(security("shows"), json!([]));
}
