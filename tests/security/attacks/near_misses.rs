//! Redirect URIs that are almost an allowed one: a hand-made table and a machine that mutates.

/// The client that the operator listed.
pub const CLIENT: &str = "https://client.example/oauth/meta.json";
pub const LIST: &str = "https://client.example/oauth/meta.json=https://app.client.example/api/Callback?keep=1";
/// The one address that works for the client.
const ALLOWED: &str = "https://app.client.example/api/Callback?keep=1";

/// Written by hand: each line is a trick that once worked somewhere.
const TABLE: [&str; 121] = [
    "https://app.client.example/api/Callback",
    "https://app.client.example/api/Callback?",
    "https://app.client.example/api/Callback?keep=1&",
    "https://app.client.example/api/Callback?keep=1&x=1",
    "https://app.client.example/api/Callback?x=1&keep=1",
    "https://app.client.example/api/Callback?keep=2",
    "https://app.client.example/api/Callback?Keep=1",
    "https://app.client.example/api/Callback/?keep=1",
    "https://app.client.example/api/callback?keep=1",
    "https://app.client.example/API/Callback?keep=1",
    "https://app.client.example/api//Callback?keep=1",
    "https://app.client.example//api/Callback?keep=1",
    "https://app.client.example/api/./Callback?keep=1",
    "https://app.client.example/api/../api/Callback?keep=1",
    "https://app.client.example/api/x/..%2fCallback?keep=1",
    "https://app.client.example/api/%2e%2e/api/Callback?keep=1",
    "https://app.client.example/api%2FCallback?keep=1",
    "https://app.client.example/api%5CCallback?keep=1",
    "https://app.client.example/api\\Callback?keep=1",
    "https://app.client.example/%61pi/Callback?keep=1",
    "https://app.client.example/api/Callback;x?keep=1",
    "https://app.client.example/api/Callback?keep=1#",
    "https://app.client.example/api/Callback?keep=1#x",
    "https://app.client.example/api/Callback#?keep=1",
    "https://app.client.example/api/Callback%3Fkeep=1",
    "https://app.client.example/api/Callback%00?keep=1",
    "https://app.client.example/api/Callback%0d%0aLocation:evil?keep=1",
    "https://app.client.example:443/api/Callback?keep=1",
    "https://app.client.example:0443/api/Callback?keep=1",
    "https://app.client.example:8443/api/Callback?keep=1",
    "https://app.client.example:/api/Callback?keep=1",
    "https://app.client.example./api/Callback?keep=1",
    "https://APP.client.example/api/Callback?keep=1",
    "https://app.client.EXAMPLE/api/Callback?keep=1",
    "https://client.example/api/Callback?keep=1",
    "https://www.app.client.example/api/Callback?keep=1",
    "https://evil.app.client.example/api/Callback?keep=1",
    "https://app.client.example.evil.example/api/Callback?keep=1",
    "https://app-client.example/api/Callback?keep=1",
    "https://appclient.example/api/Callback?keep=1",
    "https://evil.example/api/Callback?keep=1",
    "https://evil.example/https://app.client.example/api/Callback?keep=1",
    "https://evil.example?https://app.client.example/api/Callback?keep=1",
    "https://evil.example#https://app.client.example/api/Callback?keep=1",
    "https://evil.example\\@app.client.example/api/Callback?keep=1",
    "https://app.client.example@evil.example/api/Callback?keep=1",
    "https://app.client.example:x@evil.example/api/Callback?keep=1",
    "https://user@app.client.example/api/Callback?keep=1",
    "https://user:pw@app.client.example/api/Callback?keep=1",
    "https://@app.client.example/api/Callback?keep=1",
    "https://:@app.client.example/api/Callback?keep=1",
    "https://app.client.example%2eevil.example/api/Callback?keep=1",
    "https://app.client.example%40evil.example/api/Callback?keep=1",
    "https://app.client.example%00.evil.example/api/Callback?keep=1",
    "https://app.client.example\u{3002}evil.example/api/Callback?keep=1",
    "https://app\u{3002}client.example/api/Callback?keep=1",
    "https://\u{430}pp.client.example/api/Callback?keep=1",
    "https://app.client.ex\u{430}mple/api/Callback?keep=1",
    "https://xn--pp-6kc.client.example/api/Callback?keep=1",
    "https://app.client.examp\u{200b}le/api/Callback?keep=1",
    "https://app.client.examp\u{ad}le/api/Callback?keep=1",
    "https://\u{ff41}pp.client.example/api/Callback?keep=1",
    "https://app.client.example/api/Callb\u{e4}ck?keep=1",
    "https:/app.client.example/api/Callback?keep=1",
    "https:app.client.example/api/Callback?keep=1",
    "https:///app.client.example/api/Callback?keep=1",
    "https:\\\\app.client.example/api/Callback?keep=1",
    "//app.client.example/api/Callback?keep=1",
    "/api/Callback?keep=1",
    "app.client.example/api/Callback?keep=1",
    "http://app.client.example/api/Callback?keep=1",
    "HTTPS://app.client.example/api/Callback?keep=1",
    "hTTps://app.client.example/api/Callback?keep=1",
    "https\t://app.client.example/api/Callback?keep=1",
    "ht\ntps://app.client.example/api/Callback?keep=1",
    " https://app.client.example/api/Callback?keep=1",
    "https://app.client.example/api/Callback?keep=1 ",
    "\thttps://app.client.example/api/Callback?keep=1",
    "https://app.client.example/api/Callback?keep=1\n",
    "\u{feff}https://app.client.example/api/Callback?keep=1",
    "https://app.client.example/api/Call\rback?keep=1",
    "https://app.client.example/api/Callback?keep=\"1",
    "https://app.client.example/api/Callback?keep=<1>",
    "ftp://app.client.example/api/Callback?keep=1",
    "ws://app.client.example/api/Callback?keep=1",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "javascript://app.client.example/api/Callback?keep=1%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://app.client.example/x",
    "about:blank",
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "vscode://x/y",
    "com.example.app:/cb",
    "urn:ietf:wg:oauth:2.0:oob",
    "https://localhost/callback",
    "http://localhost.evil.example/callback",
    "http://localhost@evil.example/callback",
    "http://evil.example@localhost/callback",
    "http://localhost%00.evil.example/",
    "http://LOCALHOST/callback",
    "http://localhost./callback",
    "http://127.0.0.1.nip.io/",
    "http://127.0.0.1@evil.example/",
    "http://127.0.0.1\\@evil.example/",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://0.0.0.0/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://128.0.0.1/",
    "http://localhost:99999/",
];

/// The table, and every address one step away from the allowed one: a character left out, doubled, exchanged with its
/// neighbor, in another case, percent-encoded, or with something put in front of it.
pub fn all() -> Vec<String> {
    let mut uris: Vec<String> = TABLE.iter().map(|uri| (*uri).to_owned()).collect();
    for (at, c) in ALLOWED.char_indices() {
        let (head, tail) = (&ALLOWED[..at], &ALLOWED[at + 1..]);
        let other_case = if c.is_ascii_uppercase() { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() };
        uris.push(format!("{head}{tail}"));
        uris.push(format!("{head}{c}{c}{tail}"));
        uris.push(format!("{head}{other_case}{tail}"));
        uris.push(format!("{head}%{:02x}{tail}", u32::from(c)));
        if let Some(next) = tail.chars().next() {
            uris.push(format!("{head}{next}{c}{}", &tail[1..]));
        }
        for byte in 0..=0x7f_u8 {
            uris.push(format!("{head}{}{c}{tail}", char::from(byte)));
        }
    }
    uris.retain(|uri| uri != ALLOWED);
    uris
}
