//! What is said of a call, in a few lines.

use domain::IdempotencyKey;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::problems;

pub(super) struct Body {
    /// Of its schema, among the components.
    pub(super) name: &'static str,
    pub(super) schema: Value,
    pub(super) example: Value,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) says: &'static str,
    pub(super) media: &'static str,
    pub(super) schema: Box<dyn Fn(&mut SchemaGenerator) -> Schema>,
    pub(super) example: Option<Value>,
    /// Another type that it can be had in, and the schema of that.
    pub(super) other_media: Option<(&'static str, Value)>,
    pub(super) headers: Map<String, Value>,
    pub(super) links: Map<String, Value>,
}

/// What is said of a call.
pub(crate) struct Description {
    pub(super) id: &'static str,
    pub(super) group: &'static str,
    pub(super) summary: &'static str,
    pub(super) text: &'static str,
    /// Whether it is for whoever has the booking's token.
    pub(super) is_for_booker: bool,
    /// Whether no rate limit applies to it.
    pub(super) is_unlimited: bool,
    pub(super) parameters: Vec<Value>,
    pub(super) body: Option<Body>,
    pub(super) answer: Answer,
    /// Statuses and codes of problems.
    pub(super) refusals: Vec<(u16, &'static str)>,
}

impl Description {
    /// A call that takes nothing.
    pub(super) fn of(id: &'static str, group: &'static str, summary: &'static str, text: &'static str) -> Self {
        let answer = Answer {
            status: 200,
            says: "",
            media: "application/json",
            schema: Box::new(|_| Schema::default()),
            example: None,
            other_media: None,
            headers: Map::new(),
            links: Map::new(),
        };
        let (is_for_booker, is_unlimited, parameters, refusals) = (false, false, vec![], vec![]);
        Self { id, group, summary, text, is_for_booker, is_unlimited, parameters, body: None, answer, refusals }
    }

    /// Needs the token of the booking, or an admin's.
    pub(super) fn by_booker(mut self) -> Self {
        self.is_for_booker = true;
        self.refuses(&["unauthorized", "insufficient_scope", "no_such_booking"])
    }

    /// No rate limit applies to it.
    pub(super) fn unlimited(mut self) -> Self {
        self.is_unlimited = true;
        self
    }

    /// A number in the path.
    pub(super) fn path_id(self, says: &str) -> Self {
        let parameter = json!({
            "name": "id", "in": "path", "required": true, "description": says, "schema": id_schema(), "example": 1,
        });
        self.parameter(parameter).refuses(&["invalid_id"])
    }

    /// A parameter that may be missing; empty it is as if missing.
    pub(super) fn query(self, name: &str, says: &str, schema: &Value) -> Self {
        let parameter = json!({"name": name, "in": "query", "allowEmptyValue": true, "description": says, "schema": schema});
        self.parameter(parameter).refuses(&["invalid_query"])
    }

    /// Any parameter.
    pub(super) fn parameter(mut self, parameter: Value) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// The parameters of a list, newest first, and the link to its next page.
    pub(super) fn pages(self) -> Self {
        self.pages_on("before", crate::page::LIMIT_MAX, "Only what is older than the row with this id.", &id_schema())
    }

    /// The parameters of a list that goes on where `cursor` says, and the link to its next page.
    pub(super) fn pages_on(self, cursor: &'static str, limit: u32, says: &str, schema: &Value) -> Self {
        self.query("limit", "Rows at most.", &json!({"type": "integer", "minimum": 1, "maximum": limit, "default": limit}))
            .query(cursor, says, schema)
            .answers_header("Link", "Of a full page: the address of the next one, `rel=\"next\"`.")
    }

    /// A JSON body; whatever is wrong with it is refused. Each of these calls can be repeated under a key.
    pub(super) fn takes(mut self, name: &'static str, schema: Value, example: Value) -> Self {
        let needs_members = !schema["required"].is_null();
        self.body = Some(Body { name, schema, example });
        let key = json!({"type": "string", "pattern": format!("^[!-~]{{1,{}}}$", IdempotencyKey::CHARS_MAX)});
        let says = "Your name for the request: whatever comes under it is done once, and answered alike.";
        self.parameter(json!({"name": "Idempotency-Key", "in": "header", "description": says, "schema": key}))
            .answers_header("Idempotency-Replayed", "`true`, if it was done before, under the same key.")
            .refuses(&problems::OF_BODIES)
            .refuses(&["invalid_idempotency_key", "idempotency_key_reused"])
            .refuses(if needs_members { &["invalid_request"] } else { &[] })
    }

    /// A success, written from a `T`.
    pub(super) fn answers<T: JsonSchema + 'static>(mut self, status: u16, says: &'static str, example: Value) -> Self {
        self.answer.schema = Box::new(SchemaGenerator::subschema_for::<T>);
        (self.answer.status, self.answer.says, self.answer.example) = (status, says, Some(example));
        self
    }

    /// Of the members that an answer may have, those that this one has.
    pub(super) fn always(mut self, members: &'static [&'static str]) -> Self {
        let schema = self.answer.schema;
        let narrowed =
            move |schema: Schema| Schema::try_from(json!({"allOf": [schema], "required": members})).unwrap_or_default();
        self.answer.schema = Box::new(move |generator| narrowed(schema(generator)));
        self
    }

    /// A success that is written from no struct.
    pub(super) fn answers_with(mut self, status: u16, says: &'static str, media: &'static str, schema: Value) -> Self {
        self.answer.schema = Box::new(move |_| Schema::try_from(schema.clone()).unwrap_or_default());
        (self.answer.status, self.answer.says, self.answer.media) = (status, says, media);
        self
    }

    /// The same in another type, for who accepts it.
    pub(super) fn answers_as(mut self, media: &'static str, schema: Value) -> Self {
        self.answer.other_media = Some((media, schema));
        self
    }

    /// A header that the success may carry.
    pub(super) fn answers_header(mut self, name: &str, says: &str) -> Self {
        self.answer.headers.insert(name.to_owned(), json!({"description": says, "schema": {"type": "string"}}));
        self
    }

    /// What can be done next with what was answered: an operation, and where its parameters or its body come from.
    pub(super) fn leads_to(mut self, operation: &str, says: &str, mut with: Value) -> Self {
        with["operationId"] = operation.into();
        with["description"] = says.into();
        self.answer.links.insert(operation.to_owned(), with);
        self
    }

    /// It reads or writes the store.
    pub(super) fn asks_the_store(self) -> Self {
        self.refuses(&problems::OF_THE_STORE)
    }

    /// It goes through the queue in front of the store.
    pub(super) fn goes_through_the_queue(self) -> Self {
        self.refuses(&problems::OF_THE_QUEUE).asks_the_store()
    }

    /// Problems that it may be answered with, by their codes.
    pub(super) fn refuses(self, codes: &[&'static str]) -> Self {
        let refused = |described: Self, code: &&'static str| {
            described.refuses_with(problems::find(code).map_or(0, |kind| kind.status), code)
        };
        codes.iter().fold(self, refused)
    }

    /// The same for a code that has more than one status.
    pub(super) fn refuses_with(mut self, status: u16, code: &'static str) -> Self {
        if !self.refusals.contains(&(status, code)) {
            self.refusals.push((status, code));
        }
        self
    }
}

/// An id of any kind.
pub(super) fn id_schema() -> Value {
    json!({"type": "integer", "format": "int64", "minimum": 1, "maximum": i64::MAX})
}

/// A name, for ECMA-262: up to 200 printable characters, and any white space around them. Nothing but that if not `needed`.
pub(super) fn name_pattern(needed: bool) -> String {
    let control = r"\u0000-\u001f\u007f-\u009f";
    let space = r"\u0009-\u000d\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000";
    let name = format!("([^{control}{space}]([^{control}]{{0,198}}[^{control}{space}])?)");
    format!("^[{space}]*{name}{}[{space}]*$", if needed { "" } else { "?" })
}
