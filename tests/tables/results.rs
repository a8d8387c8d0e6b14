//! Results of tool calls as a client reads them that listed the tools first: whatever is no error must fit the tool's output schema,
//! whether the person confirms, declines, looks away or is never asked. One play for both programs.

use super::calls;
use async_trait::async_trait;
use serde_json::{Map, Value, json};
use statibeat_mcp::catalog::tools::all_tools;

/// A server under test, and its client, which can ask its person.
#[async_trait(?Send)]
pub trait TestedServer {
    /// The response to a request in the version without a handshake.
    async fn request(&self, method: &str, params: Value) -> Value;

    /// Arguments that every call of this program gives.
    fn own_arguments(&self) -> Map<String, Value>;

    /// Writes that StatiBeat got since the last look.
    fn take_posts(&self) -> usize;

    /// Advances the clock by eleven minutes.
    fn wait(&self);
}

/// Plays with one tool, of which the client knows the output schema.
pub struct Play<'a> {
    program: &'a dyn TestedServer,
    tool: String,
    schema: Value,
    arguments: Map<String, Value>,
}

/// The names of the tools that the program lists with an output schema.
pub async fn tool_names(program: &dyn TestedServer) -> Vec<String> {
    let listed = program.request("tools/list", json!({})).await;
    let tools = listed["result"]["tools"].as_array().expect("a list").iter();
    let tools = tools.filter(|tool| tool.get("outputSchema").is_some());
    tools.map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect()
}

impl<'a> Play<'a> {
    pub async fn new(program: &'a dyn TestedServer, tool: &str) -> Self {
        let listed = program.request("tools/list", json!({})).await;
        let tools = listed["result"]["tools"].as_array().expect("a list");
        let schema = tools.iter().find(|listed| listed["name"] == tool).expect("listed")["outputSchema"].clone();
        let known = all_tools().find(|known| known.name == tool).expect("in the catalog");
        let arguments = program.own_arguments().into_iter().chain(calls::arguments(known)).collect();
        Self { program, tool: tool.to_owned(), schema, arguments }
    }

    /// Calls the tool, and checks what came of it as a client does.
    async fn call(&self, arguments: &Map<String, Value>, more: &[(&str, Value)]) -> Value {
        let mut params = json!({ "name": self.tool, "arguments": arguments });
        for (name, value) in more {
            params[*name] = value.clone();
        }
        let answer = self.program.request("tools/call", params).await;
        let result = answer["result"].clone();
        if result["resultType"] == "complete" && result["isError"] != true {
            let validator = jsonschema::validator_for(&self.schema).expect("a schema");
            let problems: Vec<String> =
                validator.iter_errors(&result["structuredContent"]).map(|error| error.to_string()).collect();
            assert!(problems.is_empty(), "{}: {problems:?}: {answer}", self.tool);
        }
        result
    }

    async fn ask(&self) -> Value {
        let asked = self.call(&self.arguments, &[]).await;
        assert_eq!(asked["resultType"], "input_required", "{}: {asked}", self.tool);
        asked["requestState"].clone()
    }

    async fn answer(&self, state: &Value, answer: Value) -> Value {
        let responses = json!({ "confirm": answer });
        self.call(&self.arguments, &[("requestState", state.clone()), ("inputResponses", responses)]).await
    }

    fn with(&self, name: &str, value: Value) -> Map<String, Value> {
        self.arguments.clone().into_iter().chain([(name.to_owned(), value)]).collect()
    }

    fn only_confirm(&self, token: &Value) -> Map<String, Value> {
        self.program.own_arguments().into_iter().chain([("confirm".to_owned(), token.clone())]).collect()
    }

    /// A result that says so, and that nothing was published.
    fn check_unpublished(&self, result: &Value, says: &str) {
        let text = result["content"][0]["text"].as_str().unwrap_or_default();
        let is_said = text.contains(says) && text.contains("Nothing was published");
        assert!(result["isError"] == false && is_said, "{}: {result}", self.tool);
        assert_eq!(result["structuredContent"]["published"], false, "{}: {result}", self.tool);
        assert_eq!(self.program.take_posts(), 0, "{}: {result}", self.tool);
    }

    fn check_published(&self, result: &Value) {
        assert_eq!(result["structuredContent"]["replayed"], false, "{}: {result}", self.tool);
        assert_eq!(self.program.take_posts(), 1, "{}: {result}", self.tool);
    }

    /// The person declines, unticks the box, and answers too late; then they confirm, and the client repeats its call.
    pub async fn confirm_after_every_other_answer(&self) {
        let decline = self.answer(&self.ask().await, json!({ "action": "decline" })).await;
        self.check_unpublished(&decline, "The person declined");
        for content in [json!({ "publish": false }), json!({})] {
            let unticked = json!({ "action": "accept", "content": content });
            let result = self.answer(&self.ask().await, unticked).await;
            self.check_unpublished(&result, "The person declined");
        }
        let state = self.ask().await;
        self.program.wait();
        let accept = json!({ "action": "accept", "content": { "publish": true } });
        let late = self.answer(&state, accept.clone()).await;
        assert_eq!((&late["isError"], self.program.take_posts()), (&json!(true), 0), "{}: {late}", self.tool);
        let state = self.ask().await;
        self.check_published(&self.answer(&state, accept.clone()).await);
        self.answer(&state, accept).await;
        self.call(&self.with("preview", json!(true)), &[]).await;
        assert_eq!(self.program.take_posts(), 0, "{}", self.tool);
    }

    /// A client that closes every question by itself, as one without a terminal does: a preview and its token publish.
    pub async fn confirm_after_a_cancelled_question(&self) {
        let preview = self.call(&self.with("preview", json!(true)), &[]).await;
        let early = self.only_confirm(&preview["structuredContent"]["preview"]["confirm"]);
        let asked = self.call(&early, &[]).await;
        assert_eq!(asked["resultType"], "input_required", "a person who can be asked is asked: {asked}");
        let cancelled = self.answer(&self.ask().await, json!({ "action": "cancel" })).await;
        self.check_unpublished(&cancelled, "Nobody confirmed this");
        let text = cancelled["content"][0]["text"].as_str().unwrap_or_default();
        assert!(!text.contains("declined") && text.contains("preview: true"), "{text}");
        let again = self.call(&self.arguments, &[]).await;
        assert_eq!(again["resultType"], "input_required", "without a token the question is asked: {again}");
        let preview = self.call(&self.with("preview", json!(true)), &[]).await;
        let token = &preview["structuredContent"]["preview"]["confirm"];
        self.check_published(&self.call(&self.only_confirm(token), &[]).await);
    }

    /// A cancelled question is no consent to another text, and not for ever.
    pub async fn ask_about_another_write_after_a_cancelled_question(&self) {
        let cancelled = self.answer(&self.ask().await, json!({ "action": "cancel" })).await;
        self.check_unpublished(&cancelled, "Nobody confirmed this");
        let other = self.with("title", json!("Another text")).into_iter().chain([("preview".to_owned(), json!(true))]);
        let preview = self.call(&other.collect(), &[]).await;
        let asked = self.call(&self.only_confirm(&preview["structuredContent"]["preview"]["confirm"]), &[]).await;
        assert_eq!(asked["resultType"], "input_required", "{asked}");
        self.program.wait();
        let preview = self.call(&self.with("preview", json!(true)), &[]).await;
        let asked = self.call(&self.only_confirm(&preview["structuredContent"]["preview"]["confirm"]), &[]).await;
        assert_eq!(asked["resultType"], "input_required", "{asked}");
        assert_eq!(self.program.take_posts(), 0, "{}", self.tool);
    }
}
