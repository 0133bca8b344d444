//! The document, as a test reads it.

use loadgen::client::Method;
use serde_json::{Map, Value, json};

use crate::support::{Client, Reply};

pub(super) struct Document(Value);

/// One call.
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) object: Value,
}

impl Operation {
    /// The content of its request.
    pub(super) fn body(&self) -> Option<&Value> {
        self.object.pointer("/requestBody/content/application~1json")
    }

    /// The status of its success, and the example of one.
    pub(super) fn success(&self) -> (u16, Option<&Value>) {
        let responses = self.object["responses"].as_object().unwrap();
        let (status, response) = responses.iter().find(|(status, _)| status.starts_with('2')).unwrap();
        (status.parse().unwrap(), response.pointer("/content/application~1json/example"))
    }

    /// The codes that it may be refused with.
    pub(super) fn codes(&self) -> impl Iterator<Item = &str> {
        let responses = self.object["responses"].as_object().unwrap().values();
        let codes = responses.filter_map(|one| one.pointer("/content/application~1problem+json/schema/properties/code/enum"));
        codes.flat_map(|codes| codes.as_array().unwrap()).map(|code| code.as_str().unwrap())
    }
}

impl Document {
    pub(super) async fn read(client: &mut Client) -> Self {
        let document = client.get("/openapi.json").await.expect(200);
        assert_eq!(document["openapi"], "3.1.1");
        Self(document)
    }

    pub(super) fn paths(&self) -> &Map<String, Value> {
        self.0["paths"].as_object().unwrap()
    }

    pub(super) fn schema(&self, name: &str) -> &Value {
        &self.0["components"]["schemas"][name]
    }

    /// The members of a body, which stands among the components, and those that it must have.
    pub(super) fn members(&self, body: &Value) -> (Vec<&str>, Vec<&str>) {
        let schema = self.schema(body["schema"]["$ref"].as_str().unwrap().rsplit('/').next().unwrap());
        let members = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let needed = schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap()).collect();
        (members, needed)
    }

    pub(super) fn operations(&self) -> Vec<Operation> {
        let mut operations = Vec::new();
        for (path, item) in self.paths() {
            for (method, object) in item.as_object().unwrap() {
                operations.push(Operation {
                    id: object["operationId"].as_str().unwrap().to_owned(),
                    method: method.to_uppercase().parse().unwrap(),
                    path: path.clone(),
                    object: object.clone(),
                });
            }
        }
        operations
    }

    pub(super) fn operation(&self, method: &Method, path: &str) -> Operation {
        let operation = self.operations().into_iter().find(|one| one.path == path && one.method == *method);
        operation.unwrap_or_else(|| panic!("{method} {path} is not described"))
    }

    /// The value is what the schema says; references are to the document's components.
    pub(super) fn assert_valid(&self, schema: &Value, value: &Value) {
        let whole = json!({"components": self.0["components"], "allOf": [schema]});
        let validator = jsonschema::draft202012::options().should_validate_formats(true).build(&whole).unwrap();
        let mistakes: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
        assert!(mistakes.is_empty(), "{mistakes:?} in {value}");
    }

    /// The answer is one that is described; its operation, and the code of its problem.
    pub(super) fn check(&self, method: &Method, path: &str, reply: &Reply) -> (String, Option<String>) {
        let operation = self.operation(method, path);
        let response = &operation.object["responses"][reply.status.to_string()];
        assert!(response.is_object(), "{} says nothing of {reply:?}", operation.id);
        let content = &response["content"][reply.content_type.split(';').next().unwrap()];
        assert!(content.is_object(), "{} says nothing of the type of {reply:?}", operation.id);
        self.assert_valid(&content["schema"], &reply.body);
        for (name, header) in response["headers"].as_object().unwrap() {
            let header = header["$ref"].as_str().map_or(header, |path| self.0.pointer(&path[1..]).unwrap());
            assert!(header["required"] != true || reply.headers.contains_key(name), "{} {name} {reply:?}", operation.id);
        }
        (operation.id, reply.body["code"].as_str().map(str::to_owned))
    }
}
