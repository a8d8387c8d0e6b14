//! A surface that holds nothing but what the tests need.

use crate::catalog::{
    NextStep, Prompt, PromptArgument, PromptArgumentKind, Resource, Variables, find_resource, find_tool,
};
use crate::mcp::results::{print_prompt, print_resource_template, print_tool};
use crate::mcp::{
    Completion, Error, Handled, InputContext, InputRequest, InputRequiredResult, ListEntry, ListedResource,
    PromptOutcome, ResourceContents, ServerHandler, ServerInfo, Skill, Suggestions, ToolOutcome,
};
use crate::model::ids::PageId;
use crate::model::scope::{Scope, ScopeSet};
use async_trait::async_trait;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::cell::RefCell;
use std::time::Duration;

static GREET: Prompt = Prompt {
    name: "greet",
    title: "Greet",
    description: "Says hello.",
    used_when: "",
    arguments: &[PromptArgument {
        name: "who",
        description: "A name.",
        required: true,
        kind: PromptArgumentKind::Text,
    }],
    resources: &["me"],
    extras: &[],
    task: |_| String::new(),
    next_step: NextStep { tools: &[], by_person: "", page_tools: &[] },
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
    find_resource(name).expect("the catalog has it")
}

#[async_trait(?Send)]
impl ServerHandler for Fake {
    fn server(&self) -> ServerInfo<'_> {
        ServerInfo { name: "fake", title: "Fake", version: "1.2.3", profile: None }
    }

    fn instructions(&self) -> Cow<'static, str> {
        "Read x first.".into()
    }

    async fn resources(&self) -> Result<Vec<ListedResource>, Error> {
        self.fail()?;
        let listed = |index| ListedResource {
            uri: format!("x://{index}"),
            entry: entry("summary"),
            page: (index > 0).then(|| (PageId::new(7).expect("an id"), "Acme".to_owned())),
        };
        Ok((0..self.resources).map(listed).collect())
    }

    fn resource_templates(&self) -> Vec<ListEntry> {
        vec![Cow::Owned(print_resource_template("x://{incident_id}", entry("incident")))]
    }

    async fn read(&self, uri: &str) -> Handled<ResourceContents> {
        if let Err(error) = self.fail() {
            return error.into();
        }
        let (uri, body) = (uri.to_owned(), json!({ "a": 1 }));
        Ok(ResourceContents { uri, body, fresh_for: Duration::from_millis(1500) }).into()
    }

    fn prompts(&self) -> Vec<ListEntry> {
        vec![Cow::Owned(print_prompt(&GREET, &GREET.arguments.iter().collect::<Vec<_>>()))]
    }

    fn skills(&self) -> Vec<Skill> {
        vec![Skill::new("greet".to_owned(), "Says hello.".to_owned(), "# Greet")]
    }

    fn tools(&self) -> Vec<ListEntry> {
        let tool = find_tool("create_incident").expect("the catalog has it");
        vec![Cow::Owned(print_tool(tool, &json!({ "type": "object" }), Scope::IncidentsWrite.into()))]
    }

    async fn call(&self, name: &str, arguments: Map<String, Value>, input: &InputContext) -> Handled<ToolOutcome> {
        self.calls.borrow_mut().push(format!("{name} {}", Value::from(arguments)));
        let called = match name {
            "unscoped" => Err(Error::InsufficientScope { needed: ScopeSet::all() }),
            "asks" if input.elicited("sure").is_none() => {
                let asked = [("sure", InputRequest::form("Sure?", &json!({ "type": "object" })))].into();
                Err(Error::InputRequired(InputRequiredResult {
                    input_requests: asked,
                    request_state: Some("s".to_owned()),
                }))
            }
            _ => self.fail(),
        };
        let links = vec![("x://5".to_owned(), entry("incident"))];
        let done = ToolOutcome {
            text: "Done.".to_owned(),
            structured: Some(json!({ "id": 5 })),
            links,
            ..ToolOutcome::default()
        };
        called.map(|()| done).into()
    }

    async fn prompt(&self, name: &str, arguments: Variables, _: &InputContext) -> Handled<PromptOutcome> {
        if name != "greet" {
            return Error::UnknownPrompt { name: name.to_owned(), hint: String::new() }.into();
        }
        let greeting = format!("Say hello to {}.", arguments["who"]);
        Ok(PromptOutcome { description: "Says hello.", messages: vec![greeting] }).into()
    }

    async fn complete(&self, sought: Completion) -> Handled<Suggestions> {
        let count = sought.typed.parse().unwrap_or(0);
        Ok(Suggestions((0..count).map(|index| format!("{}{index}", sought.argument)).collect())).into()
    }
}
