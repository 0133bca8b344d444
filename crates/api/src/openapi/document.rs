//! The document, put together from what is said of the calls.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::call::{Call, House};
use super::describe::Description;
use super::problems;

/// What belongs to no single call.
const TEXT: &str = "Sells numbered seats: a hold takes all its seats or none, lives for a short time, and is confirmed when the \
    payment is in. Bodies and the answers to actions are camelCase, resources snake_case; instants are RFC 3339 in UTC. Members \
    may be added to any answer, and unknown members of a body are ignored.\n\n\
    Each address that takes GET takes HEAD. Any other method is answered with 405 `method_not_allowed` and `Allow`, any other address \
    with 404 `unknown_route`, and a preflight of a page that may not call with 400 `cors_refused`. Each answer carries \
    `X-Request-Id`: the client's own, if it sent a decent one. A failure is `application/problem+json`.\n\n\
    Where there is a rate limit, every answer but those about health says how the client stands, in `RateLimit` and \
    `RateLimit-Policy`.";

/// The document of these calls.
pub(super) fn write(calls: &[Call], house: &House) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.for_serialize().into_generator();
    let mut bodies = Map::new();
    let mut paths: BTreeMap<&str, Value> = BTreeMap::new();
    for call in calls {
        let description = (call.describe)(house);
        let operation = operation(call, &description, house, &mut generator);
        if let Some(body) = description.body {
            bodies.insert(body.name.to_owned(), body.schema);
        }
        paths.entry(call.path).or_insert_with(|| json!({}))[call.verb.member()] = operation;
    }
    let mut schemas = generator.take_definitions(true);
    schemas.append(&mut bodies);
    schemas.insert("Problem".to_owned(), problems::schema());
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Rowlock",
            "version": env!("CARGO_PKG_VERSION"),
            "description": TEXT,
            "license": {"name": "MIT or Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The server that this was read from."}],
        "paths": paths,
        "components": components(&schemas),
    })
}

fn components(schemas: &Map<String, Value>) -> Value {
    let booking_token = "The `bookingToken` that `POST /book` answered, for that booking.";
    json!({
        "schemas": schemas,
        "securitySchemes": {
            "adminToken": {"type": "http", "scheme": "bearer", "description": "An admin's: `ADMIN_TOKEN`, or one of `ADMIN_TOKENS`."},
            "bookingToken": {"type": "http", "scheme": "bearer", "description": booking_token},
        },
        "headers": {
            "XRequestId": header("What the request is called in the log."),
            "RetryAfter": header("Seconds to wait before the next try."),
            "WwwAuthenticate": header("`Bearer`: the kind of token that is needed."),
            "Allow": header("The methods that the address takes."),
            "RateLimit": header("What is left: `\"reads\";r=19;t=0`, with the seconds until there is one more."),
            "RateLimitPolicy": header("The limit: `\"reads\";q=40;w=2`, so many within so many seconds."),
        },
        // Of any address, so of no call.
        "responses": {"MethodNotAllowed": of_any("method_not_allowed"), "UnknownRoute": of_any("unknown_route")},
    })
}

fn of_any(code: &str) -> Value {
    problems::find(code).map(|kind| refusal(kind.status, &[kind])).unwrap_or_default()
}

fn header(says: &str) -> Value {
    json!({"description": says, "required": true, "schema": {"type": "string"}})
}

fn operation(call: &Call, description: &Description, house: &House, generator: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "operationId": description.id,
        "tags": [description.group],
        "summary": description.summary,
        "description": call.scope.map_or_else(|| description.text.to_owned(), |scope| {
            format!("{} For admins with the scope `{}`.", description.text, scope.word())
        }),
        "security": security(call, description, house),
        "responses": responses(call, description, generator),
    });
    if !description.parameters.is_empty() {
        operation["parameters"] = description.parameters.clone().into();
    }
    if let Some(body) = &description.body {
        let schema = json!({"$ref": format!("#/components/schemas/{}", body.name)});
        let content = json!({"application/json": {"schema": schema, "example": body.example}});
        operation["requestBody"] = json!({"required": true, "content": content});
    }
    operation
}

/// An open server asks for no token, but does not mind one.
fn security(call: &Call, description: &Description, house: &House) -> Value {
    let (admin, booker) = (json!({"adminToken": []}), json!({"bookingToken": []}));
    // Where there is a body, the booking's token may be in it instead.
    let may_be_in_the_body = description.is_for_booker && description.body.is_some();
    let mut schemes = Vec::new();
    if (!house.guarded || may_be_in_the_body) && (call.scope.is_some() || description.is_for_booker) {
        schemes.push(json!({}));
    }
    if description.is_for_booker {
        schemes.push(booker);
    }
    if call.scope.is_some() || description.is_for_booker {
        schemes.push(admin);
    }
    schemes.into()
}

fn responses(call: &Call, description: &Description, generator: &mut SchemaGenerator) -> Value {
    let answer = &description.answer;
    let mut media = json!({"schema": (answer.schema)(generator)});
    if let Some(example) = &answer.example {
        media["example"] = example.clone();
    }
    let mut success = json!({"description": answer.says, "headers": answer.headers, "content": {answer.media: media}});
    success["headers"]["X-Request-Id"] = request_id();
    if let Some((media, schema)) = &answer.other_media {
        success["content"][*media] = json!({ "schema": schema });
    }
    if !answer.links.is_empty() {
        success["links"] = answer.links.clone().into();
    }
    let mut responses = json!({answer.status.to_string(): success});
    let mut statuses: BTreeMap<u16, Vec<&problems::Kind>> = BTreeMap::new();
    let of_admins = ["unauthorized", "forbidden", "insufficient_scope"].iter().filter(|_| call.scope.is_some());
    let of_limits = ["rate_limited"].iter().filter(|_| !description.is_unlimited);
    let of_all = of_admins.chain(of_limits).filter_map(|code| problems::find(code));
    let own = description.refusals.iter().filter_map(|(status, code)| problems::find_with(*status, code));
    for kind in own.chain(of_all) {
        statuses.entry(kind.status).or_default().push(kind);
    }
    for (status, kinds) in statuses {
        responses[status.to_string()] = refusal(status, &kinds);
    }
    responses
}

fn refusal(status: u16, kinds: &[&problems::Kind]) -> Value {
    let codes: Vec<&str> = kinds.iter().map(|kind| kind.code).collect();
    let meanings: Vec<String> = kinds.iter().map(|kind| format!("`{}`: {}", kind.code, kind.means)).collect();
    let schema = json!({
        "allOf": [{"$ref": "#/components/schemas/Problem"}],
        "properties": {"status": {"const": status}, "code": {"enum": codes}},
    });
    let mut headers = json!({"X-Request-Id": request_id()});
    let named: &[(&str, &str)] = match StatusCode::from_u16(status) {
        Ok(StatusCode::SERVICE_UNAVAILABLE) => &[("Retry-After", "RetryAfter")],
        Ok(StatusCode::UNAUTHORIZED) => &[("WWW-Authenticate", "WwwAuthenticate")],
        Ok(StatusCode::METHOD_NOT_ALLOWED) => &[("Allow", "Allow")],
        Ok(StatusCode::TOO_MANY_REQUESTS) => {
            &[("Retry-After", "RetryAfter"), ("RateLimit", "RateLimit"), ("RateLimit-Policy", "RateLimitPolicy")]
        }
        Ok(_) | Err(_) => &[],
    };
    for (name, component) in named {
        headers[*name] = json!({"$ref": format!("#/components/headers/{component}")});
    }
    json!({"description": meanings.join("\n"), "headers": headers, "content": {"application/problem+json": {"schema": schema}}})
}

fn request_id() -> Value {
    json!({"$ref": "#/components/headers/XRequestId"})
}
