//! One connection of a client made of rmcp, played by the tests over pipes: a JSON line on stdin for each step, one on stdout for
//! each result. `{"ask": "sign_in", "url": ...}` is answered with the address to which the browser was sent back.

use anyhow::{Context, Result, bail};
use rmcp::service::{RoleClient, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::{
    AuthClient, AuthorizationManager, AuthorizationRequest, CredentialStore, InMemoryCredentialStore, OAuthState,
};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{Peer, ServiceExt};
use serde_json::{Value, json};
use std::io::{BufRead as _, Write as _};

const REDIRECT: &str = "http://127.0.0.1:45678/callback";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let start = hear()?.context("a start")?;
    let url = start["url"].as_str().context("a url")?.to_owned();
    let mut connection = Connection::open(&url).await?;
    let agreed = connection.service.peer_info().context("server info")?.protocol_version.clone();
    say(&json!({"result": {"speaks": agreed}}))?;
    while let Some(step) = hear()?.filter(|step| step["do"] != "close") {
        let mut result = connection.step(&step).await;
        // The library leaves it to the program to begin anew.
        if result.as_ref().is_err_and(|error| format!("{error:?}").contains("uth required")) {
            connection = Connection::open(&url).await?;
            result = connection.step(&step).await;
        }
        say(&result.map_or_else(|error| json!({"error": format!("{error:?}")}), |result| json!({"result": result})))?;
    }
    connection.service.cancel().await?;
    say(&json!({"result": {}}))
}

struct Connection {
    service: RunningService<RoleClient, ()>,
    credentials: InMemoryCredentialStore,
}

impl Connection {
    /// Discovery, registration, sign-in and handshake.
    async fn open(url: &str) -> Result<Self> {
        let credentials = InMemoryCredentialStore::new();
        let mut manager = AuthorizationManager::new(url).await?;
        manager.set_credential_store(credentials.clone());
        let mut state = OAuthState::Unauthorized(manager);
        state.start_authorization(AuthorizationRequest::new(REDIRECT).with_client_name("rmcp")).await?;
        say(&json!({"ask": "sign_in", "url": state.get_authorization_url().await?}))?;
        let back = hear()?.context("an answer")?;
        state.handle_callback_url(back["answer"].as_str().context("an address")?).await?;
        let manager = state.into_authorization_manager().context("an authorized state")?;
        let client = AuthClient::new(reqwest::Client::new(), manager);
        let config = StreamableHttpClientTransportConfig::with_uri(url);
        let service = ().serve(StreamableHttpClientTransport::with_client(client, config)).await?;
        Ok(Self { service, credentials })
    }

    async fn step(&self, step: &Value) -> Result<Value> {
        let peer: &Peer<RoleClient> = self.service.peer();
        let named = json!({"name": step["name"], "arguments": step["arguments"]});
        Ok(match step["do"].as_str().context("a step")? {
            "list" => {
                json!([peer.list_tools(None).await?, peer.list_resources(None).await?, peer.list_prompts(None).await?])
            }
            "read" => json!(peer.read_resource(serde_json::from_value(json!({"uri": step["uri"]}))?).await?),
            "prompt" => json!(peer.get_prompt(serde_json::from_value(named)?).await?),
            "call" => json!(peer.call_tool(serde_json::from_value(named)?).await?),
            "tokens" => {
                let stored = self.credentials.load().await?.context("credentials")?;
                let mut tokens = serde_json::to_value(stored.token_response.context("tokens")?)?;
                tokens["client_id"] = json!(stored.client_id);
                tokens
            }
            "expire" => {
                let mut stored = self.credentials.load().await?.context("credentials")?;
                stored.token_received_at = Some(1);
                self.credentials.save(stored).await?;
                json!({})
            }
            other => bail!("no step {other}"),
        })
    }
}

fn hear() -> Result<Option<Value>> {
    let mut line = String::new();
    let length = std::io::stdin().lock().read_line(&mut line)?;
    Ok((length > 0).then(|| serde_json::from_str(&line)).transpose()?)
}

fn say(message: &Value) -> Result<()> {
    println!("{message}");
    Ok(std::io::stdout().flush()?)
}
