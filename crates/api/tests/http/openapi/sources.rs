//! What the description is compared with, since nothing derives it: bodies as they are read, problems as they are made.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::open;

/// Every source of the crate, as one text.
fn sources() -> String {
    fn read(folder: &Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                read(&entry, text);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&std::fs::read_to_string(entry).unwrap());
            }
        }
    }
    let mut text = String::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
    text
}

/// The first text among the arguments of each call of this function, unless it is made up at run time.
fn first_texts<'a>(sources: &'a str, function: &str) -> Vec<&'a str> {
    let calls = sources.split(function).skip(1);
    let before_the_end = calls.filter_map(|rest| rest.split([';', '{']).next()?.split('"').nth(1));
    before_the_end.filter(|text| text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')).collect()
}

#[test]
fn no_route_is_registered_without_its_description() {
    let sources = sources();
    assert_eq!(sources.matches("web::resource(").count(), 1, "a route is registered by `resource` of routes.rs, with its call");
    assert!(!sources.contains(".route(\"") && !sources.contains("#[get(") && !sources.contains("#[post("));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_problem_that_is_made_is_described() {
    let (_data, _server, _client, document) = open().await;
    let sources = sources();
    let functions = ["Problem::new(", "Self::new(Status", "bad_request(", "unavailable(", "conflict("];
    let made: BTreeSet<&str> = functions.iter().flat_map(|function| first_texts(&sources, function)).collect();
    let codes = document.schema("Problem")["properties"]["code"]["enum"].as_array().unwrap();
    let described: BTreeSet<&str> = codes.iter().map(|code| code.as_str().unwrap()).collect();
    assert_eq!(made, described);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_member_that_is_read_is_described() {
    let (_data, _server, _client, document) = open().await;
    let sources = sources();
    let mut read: BTreeSet<&str> = BTreeSet::new();
    for call in sources.split("body.").skip(1) {
        let (reader, arguments) = call.split_once('(').unwrap_or_default();
        let is_name = reader.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if is_name && !["mistake", "serialize_entry"].contains(&reader) {
            read.extend(arguments.strip_prefix('"').and_then(|rest| rest.split('"').next()));
        }
    }
    // Or it is handed on to one of ours.
    read.extend(sources.split("(body, \"").skip(1).filter_map(|rest| rest.split('"').next()));
    let mut described = BTreeSet::new();
    let operations = document.operations();
    for body in operations.iter().filter_map(|operation| operation.body()) {
        described.extend(document.members(body).0);
    }
    assert_eq!(read, described);
}

/// What a body must have, and of which kind: without a member, and with one that is something else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_are_read_as_they_are_described() {
    let (_data, _server, mut client, document) = open().await;
    client.show(9).await;
    let named = |problem: &Value| -> Vec<String> {
        let mistakes = problem["mistakes"].as_array().unwrap();
        mistakes.iter().map(|mistake| mistake["member"].as_str().unwrap().to_owned()).collect()
    };
    for operation in document.operations() {
        let Some(body) = operation.body() else { continue };
        let (members, mut required) = document.members(body);
        if members.is_empty() {
            continue;
        }
        let path = operation.path.replace("{id}", "1");
        if !required.is_empty() {
            let mut missing = named(&client.post(&path, json!({})).await.problem(400, "invalid_request"));
            missing.sort_unstable();
            required.sort_unstable();
            assert_eq!(missing, required, "{}", operation.id);
        }
        for member in members {
            let mut wrong = body["example"].clone();
            wrong[member] = json!({});
            let problem = client.post(&path, wrong).await.problem(400, "invalid_request");
            assert_eq!(named(&problem), [member], "{}", operation.id);
        }
    }
}
