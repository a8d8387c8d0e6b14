//! The message of `npm start` once both servers answer: where things are, who can sign in, how to connect a client.

use super::Options;

pub fn print(options: &Options) {
    println!("{}", text(options));
}

fn text(options: &Options) -> String {
    let connector = options.connector_url();
    let resource = format!("{connector}/mcp");
    let simulator = options.simulator_url();
    format!(
        r#"
StatiBeat Hosted MCP is running.

  Resource URL     {resource}
  Hosted MCP page  {resource}/admin  (what is connected, what it did, end it)
  Simulator        {simulator}  (a small StatiBeat; its sign-in page lists the demo users)

  Demo users       Mara Lindqvist   admin of two pages
                   Theo Okafor      manager of one page
                   Ines Castro      viewer of one page
                   Sam Porter       no page at all{large}

Connect a client; it opens the sign-in page by itself.

  Claude Code      claude mcp add --transport http statibeat {resource}
  Cursor           in ~/.cursor/mcp.json:
                   {{ "mcpServers": {{ "statibeat": {{ "url": "{resource}" }} }} }}{cursor}
  VS Code          code --add-mcp '{{"name":"statibeat","type":"http","url":"{resource}"}}'
  Inspector        npx @modelcontextprotocol/inspector --transport http --server-url {resource}
                   npx @modelcontextprotocol/inspector --cli {resource} --transport http --method tools/list

Ctrl-C stops everything. State is kept; `npm run reset` forgets it. Logs: .wrangler/start.log
"#,
        large = if options.large { LARGE_NOTE } else { "" },
        cursor = cursor_note(options.port)
    )
}

/// People of the large organization.
const LARGE_NOTE: &str = "
                   Ada Almeida      admin of 60 pages, where 200 people have 600 connections
                   Bruno Almeida    three of these pages";

/// Cursor waits for the end of a sign-in on a fixed port of this machine.
fn cursor_note(port: u16) -> &'static str {
    const CURSOR_CALLBACK_PORT: u16 = 8787;
    if port == CURSOR_CALLBACK_PORT {
        "\n                   (Cursor itself wants port 8787 while signing in: use another one with it)"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::cursor_note;

    #[test]
    fn cursor_is_warned_of_its_own_port_only() {
        assert!(!cursor_note(8787).is_empty());
        assert!(cursor_note(8790).is_empty());
    }
}
