//! A surface that holds nothing but what the tests need.

use crate::catalog::{Prompt, PromptArgument, Resource, Tool, Variables, find_resource, find_tool};
use crate::mcp::{
    Completion, Dialogue, Error, Handled, ListedResource, PromptContent, PromptOutcome, Question, Questions,
    ResourceContents, ServerInfo, Suggestions, Surface, ToolOutcome,
};
use crate::model::scope::ScopeSet;
use async_trait::async_trait;
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::time::Duration;

static GREET: Prompt = Prompt {
    name: "greet",
    title: "Greet",
    description: "Says hello.",
    arguments: &[PromptArgument { name: "who", title: "Who", description: "A name.", required: true }],
    resources: &["me"],
    text: |_, _| String::new(),
};

/// Gives what its fields say, and remembers calls.
#[derive(Default)]
pub struct Fake {
    pub resources: usize,
    pub failure: Option<Error>,
    pub calls: RefCell<Vec<String>>,
}

impl Fake {
    fn fail(&self) -> Result<(), Error> {
        self.failure.clone().map_or(Ok(()), Err)
    }
}

pub fn entry(name: &str) -> &'static Resource {
    find_resource(name).expect("the catalogue has it")
}

#[async_trait(?Send)]
impl Surface for Fake {
    fn server(&self) -> ServerInfo {
        ServerInfo { name: "fake", title: "Fake", version: "1.2.3", instructions: "Read x first." }
    }

    async fn resources(&self) -> Result<Vec<ListedResource>, Error> {
        self.fail()?;
        let listed = |index| ListedResource {
            uri: format!("x://{index}"),
            entry: entry("summary"),
            page_name: (index > 0).then(|| "Acme".to_owned()),
        };
        Ok((0..self.resources).map(listed).collect())
    }

    fn resource_templates(&self) -> Vec<(String, &'static Resource)> {
        vec![("x://{incident_id}".to_owned(), entry("incident"))]
    }

    async fn read(&self, uri: &str) -> Handled<ResourceContents> {
        if let Err(error) = self.fail() {
            return error.into();
        }
        let (uri, body) = (uri.to_owned(), json!({ "a": 1 }));
        Ok(ResourceContents { uri, body, fresh_for: Duration::from_millis(1500), media: None }).into()
    }

    fn prompts(&self) -> Vec<&'static Prompt> {
        vec![&GREET]
    }

    fn tools(&self) -> Vec<(&'static Tool, Value)> {
        vec![(find_tool("create_incident").expect("the catalogue has it"), json!({ "type": "object" }))]
    }

    async fn call(&self, name: &str, arguments: Map<String, Value>, dialogue: &Dialogue) -> Handled<ToolOutcome> {
        self.calls.borrow_mut().push(format!("{name} {}", Value::from(arguments)));
        let called = match name {
            "unscoped" => Err(Error::InsufficientScope { needed: ScopeSet::all() }),
            "asks" if dialogue.form("sure").is_none() => {
                let asked = [("sure", Question::form("Sure?", &json!({ "type": "object" })))].into();
                Err(Error::InputRequired(Questions { asked, state: Some("s".to_owned()) }))
            }
            _ => self.fail(),
        };
        let links = vec![("x://5".to_owned(), entry("incident"))];
        let done = ToolOutcome {
            is_error: false,
            text: "Done.".to_owned(),
            structured: Some(json!({ "id": 5 })),
            content: vec![],
            links,
        };
        called.map(|()| done).into()
    }

    async fn prompt(&self, name: &str, arguments: Variables, _: &Dialogue) -> Handled<PromptOutcome> {
        if name != "greet" {
            return Error::UnknownPrompt(name.to_owned()).into();
        }
        let greeting = format!("Say hello to {}.", arguments["who"]);
        let me = ResourceContents { uri: "x://me".to_owned(), body: json!({}), fresh_for: Duration::ZERO, media: None };
        let messages = vec![PromptContent::Text(greeting), PromptContent::Resource(me)];
        Ok(PromptOutcome { description: "Says hello.", messages }).into()
    }

    async fn complete(&self, sought: Completion) -> Handled<Suggestions> {
        let count = sought.typed.parse().unwrap_or(0);
        Ok(Suggestions((0..count).map(|index| format!("{}{index}", sought.argument)).collect())).into()
    }
}
