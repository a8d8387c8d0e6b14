//! The prompts that the suite prescribes.

use serde_json::json;
use statibeat_mcp::catalog::{NextStep, Prompt, PromptArgument, PromptArgumentKind, Variables};
use statibeat_mcp::mcp::{Error, InputContext, InputRequest, InputRequiredResult, PromptOutcome};

const fn argument(name: &'static str) -> PromptArgument {
    PromptArgument {
        name,
        description: "An argument of the conformance suite.",
        required: true,
        kind: PromptArgumentKind::Text,
    }
}

const fn prompt(name: &'static str, arguments: &'static [PromptArgument]) -> Prompt {
    Prompt {
        name,
        title: name,
        description: "A fixture of the conformance suite.",
        used_when: "",
        arguments,
        resources: &[],
        extras: &[],
        task: |_| String::new(),
        next_step: NextStep { tools: &[], by_person: "", page_tools: &[] },
    }
}

pub static PROMPTS: [Prompt; 5] = [
    prompt("test_simple_prompt", &[]),
    prompt("test_prompt_with_arguments", &[argument("arg1"), argument("arg2")]),
    prompt("test_prompt_with_embedded_resource", &[argument("resourceUri")]),
    prompt("test_prompt_with_image", &[]),
    prompt("test_input_required_result_prompt", &[]),
];

pub fn get(name: &str, given: &Variables, input: &InputContext) -> Result<PromptOutcome, Error> {
    let known = PROMPTS.iter().find(|prompt| prompt.name == name);
    let known = known.ok_or_else(|| Error::UnknownPrompt { name: name.to_owned(), hint: String::new() })?;
    if let Some(missing) = known.arguments.iter().find(|argument| !given.contains_key(argument.name)) {
        return Err(Error::InvalidParams(format!("{} is required", missing.name)));
    }
    let messages = match name {
        "test_simple_prompt" => vec!["This is a simple prompt for testing.".to_owned()],
        "test_prompt_with_arguments" => {
            vec![format!("Prompt with arguments: arg1='{}', arg2='{}'", given["arg1"], given["arg2"])]
        }
        // The first message is completed in `media`.
        "test_prompt_with_embedded_resource" => {
            vec![String::new(), "Please process the embedded resource above.".to_owned()]
        }
        "test_prompt_with_image" => vec![String::new(), "Please analyze the image above.".to_owned()],
        _ => vec![format!("Context: {}", context(input)?)],
    };
    Ok(PromptOutcome { description: known.description, messages })
}

fn context(input: &InputContext) -> Result<String, Error> {
    if let Some(Ok(form)) = input.elicited("user_context") {
        return Ok(form.get("context").map_or_else(String::new, ToString::to_string));
    }
    let schema =
        json!({ "type": "object", "properties": { "context": { "type": "string" } }, "required": ["context"] });
    let asked = [("user_context", InputRequest::form("What context should the prompt use?", &schema))].into();
    Err(Error::InputRequired(InputRequiredResult { input_requests: asked, request_state: None }))
}
