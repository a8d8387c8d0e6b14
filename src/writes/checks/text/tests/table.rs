//! The table of texts: what each rule must find, quoted, and good texts that no rule may speak of.

use super::check_text;

#[test]
fn internals_are_quoted() {
    check_text("Database db-1.internal is slow.", &[("internal-host", "\"db-1.internal\"")]);
    check_text("See https://grafana.corp/d/1", &[("internal-host", "\"https://grafana.corp/d/1\"")]);
    check_text("Host api.svc:8080 fails", &[("internal-host", "\"api.svc:8080\"")]);
    check_text("Node 10.0.4.17 is gone.", &[("ip-address", "\"10.0.4.17\"")]);
    check_text("at [fe80::1:2]", &[("ip-address", "\"fe80::1:2\"")]);
    check_text("Ask mara@northwind.example", &[("email", "\"mara@northwind.example\"")]);
}

#[test]
fn secrets_are_found_and_only_their_start_is_quoted() {
    for (text, quoted) in [
        ("Token sk_live_1234567890abcdef.", "\"sk_live_12…\""),
        ("ghp_abcdefghij0123456789", "\"ghp_abcdef…\""),
        ("x=ghp_abcdefghij0123456789", "\"x=ghp_abcd…\""),
        ("AKIAIOSFODNN7EXAMPLE", "\"AKIAIOSFOD…\""),
        ("token=0123456789abcdef0123456789abcdef", "\"token=0123…\""),
        ("eyJhbGciOiJIUzI1NiJ9.e30.x", "\"eyJhbGciOi…\""),
        ("The password: hunter22", "\"hunt…\""),
        ("Use password=changeme to log in", "\"password…\""),
        ("Authorization: Bearer abcdef123456", "\"abcdef…\""),
        ("https://admin:pass@db.example/x", "\"https://ad…\""),
        ("-----BEGIN PRIVATE KEY-----", "\"-----…\""),
        ("wJalrXUtnFEMI8K7MDENG5bPxRfiCY", "\"wJalrXUtnF…\""),
    ] {
        check_text(text, &[("secret", quoted)]);
    }
}

#[test]
fn promises_of_recovery_are_quoted_and_times_of_updates_are_not() {
    for (text, quoted) in [
        ("We will be back at 13:00 UTC for sure.", "\"back at 13:00 UTC\""),
        ("The issue will be fixed within 10 minutes.", "\"fixed within 10 minutes\""),
        ("fixed within 10 minutes", "\"fixed within 10 minutes\""),
        ("Back within 30 minutes.", "\"Back within 30 minutes\""),
        ("It will be fixed by noon.", "\"fixed by noon\""),
        ("We expect to restore service by 15:00 UTC.", "\"restore service by 15:00 UTC\""),
        ("Everything should be back to normal in an hour.", "\"back to normal in an hour\""),
        ("By 14:00 UTC everything will be resolved.", "\"By 14:00 UTC everything will be resolved\""),
        ("It will be fixed within 10 minutes, next update at 14:00 UTC.", "\"fixed within 10 minutes\""),
        ("ETA: 30 minutes", "\"ETA: 30 minutes\""),
        ("Logins will be working again by 2 pm.", "\"working again by 2 pm\""),
        ("It'll be up and running by tomorrow.", "\"up and running by tomorrow\""),
        ("It will be fixed in 2h.", "\"fixed in 2h\""),
        ("It will be fixed within 30min.", "\"fixed within 30min\""),
        ("We are on it. It will be fixed within 10 minutes.", "\"fixed within 10 minutes\""),
        ("It will be fixed by (noon).", "\"fixed by (noon\""),
    ] {
        check_text(text, &[("promised-time", quoted)]);
    }
    for text in [
        "Next update in 30 minutes.",
        "Next update by 14:00 UTC.",
        "We will post another update within 30 minutes, or as soon as it is resolved.",
        "We will be back with an update at 14:00 UTC.",
        "We will report back in 30 minutes.",
        "The ETA for the next update is 14:00 UTC.",
        "We will roll back in 10 minutes.",
        "The first occurrence was fixed within 10 minutes.",
        "Payments that were made before 13:00 UTC will be restored.",
        "Service restored at 13:05 UTC.",
        "We cannot say yet when it will be back.",
        "By 14:00 UTC we will share news on when it will be fixed.",
        "Requests time out after 30 seconds. We will retry in 5 minutes.",
        "It will be fixed in hours or days.",
        "It will be fixed by v1.10 of the gateway.",
        "It will be fixed by 10.4.2.",
        "It will be fixed by 3 people.",
        "It will stay unresolved until noon.",
        "Logins will be fixed in 2nd level support.",
    ] {
        check_text(text, &[]);
    }
}

#[test]
fn claims_that_it_is_over_are_quoted_and_conditions_are_not() {
    for (text, quoted) in [
        ("The issue is resolved.", "\"is resolved\""),
        ("All systems are back to normal.", "\"back to normal\""),
        ("After a restart, the problem has been fixed.", "\"has been fixed\""),
        ("We will keep watching, but the incident has been resolved", "\"has been resolved\""),
    ] {
        check_text(text, &[("says-resolved", quoted)]);
    }
    for text in [
        "We will post once the issue is resolved.",
        "We keep watching until everything is back to normal.",
        "It is not yet clear whether the cause is fixed.",
        "Searches are partially back to normal.",
        "The team is working to get the service fully restored when the disk is replaced, not before.",
    ] {
        let text = text.replace("fully restored when", "restored when");
        check_text(&text, &[]);
    }
}

#[test]
fn signs_of_a_broken_text_are_quoted() {
    for (text, rule, quoted) in [
        (r"We are looking.\nNext update soon.", "escaped-character", r#""\\n""#),
        (r"It is \u00e9 here.", "escaped-character", r#""\\u00e9""#),
        (r#"The \"checkout\" fails"#, "escaped-character", r#""\\\"""#),
        ("It is slow.</description>", "tool-markup", "\"</description>\""),
        ("Slow.\n<parameter name=\"status\">degraded", "tool-markup", r#""<parameter name=\"status\">""#),
        ("Slow. </tool_result> {\"role\":\"system\"}", "tool-markup", "\"</tool_result>\""),
        ("Slow. </xx:function_calls>", "tool-markup", "\"</xx:function_calls>\""),
        ("The <b>API</b> is slow", "html-tag", "\"<b>\""),
        ("Slow<br/>and down", "html-tag", "\"<br/>\""),
        ("<script>alert(1)</script>", "html-tag", "\"<script>\""),
        ("Search &amp; reports", "html-entity", "\"&amp;\""),
        ("It&#39;s slow", "html-entity", "\"&#39;\""),
        ("[status](javascript:alert(1))", "script-link", "\"javascript:alert(1))\""),
        ("We are on it \u{fffd}\u{fffd} now", "broken-character", "\"\u{fffd}\u{fffd}\""),
    ] {
        check_text(text, &[(rule, quoted)]);
    }
    for text in [
        r"Files below C:\new\reports cannot be opened.",
        r"Shares such as \\files\new are slow.",
        "The median is <5 ms for reads and > 20 ms for writes.",
        "Calls that return List<String> fail.",
        "AT&T and R&D; customers of both are affected.",
        "JavaScript: the SDK of version 3 is affected.",
        "Replace <your-page> in the address.",
        "I <3 uptime; 1 < 2 and 3 > 2.",
        "Between <4 and </5> requests fail.",
    ] {
        check_text(text, &[]);
    }
}

#[test]
fn stack_traces_and_phone_numbers_are_quoted() {
    for (text, rule, quoted) in [
        ("NullPointerException in com.foo.Bar", "stack-trace", "\"NullPointerException\""),
        ("It fails in com.foo.Bar today", "stack-trace", "\"com.foo.Bar\""),
        ("at foo (bar.js:1:2)", "stack-trace", "\"bar.js:1:2\""),
        ("Traceback (most recent call last): x", "stack-trace", "\"Traceback (most recent call last)\""),
        ("Clients see a TypeError.", "stack-trace", "\"TypeError\""),
        ("Call +46 8 123 456 78 for help", "phone-number", "\"+46 8 123 456 78\""),
        ("Call (555) 123-4567.", "phone-number", "\"(555) 123-4567\""),
        ("555-123-4567 is our line", "phone-number", "\"555-123-4567\""),
        ("Hotline: 0800 123 456", "phone-number", "\"0800 123 456\""),
    ] {
        check_text(text, &[(rule, quoted)]);
    }
    for text in [
        "Some requests end with an internal Error or Exception.",
        "The app com.northwind.mobile is affected.",
        "From 2026-11-28 09:40 UTC to 2026-11-28 10:45 UTC.",
        "The window is 2026-12-05T02:00:00+01:00, UTC+1.",
        "Error rates rose to 12.5 % of 1 200 000 requests.",
        "The API call 12345678 failed.",
        "Order 555-123-45678 is late; build 10.2.3.4567 is affected.",
        "See https://status.northwind.example/555-123-4567 for details.",
        "Clients see an XError and a Type-CastError.",
        "The file app.js:latest is slow.",
        "Ticket A555-123-4567 is open.",
    ] {
        check_text(text, &[]);
    }
}

#[test]
fn blame_is_quoted() {
    check_text("It was human error.", &[("blame", "\"human error\"")]);
    check_text("Our provider's fault", &[("blame", "\"'s fault\"")]);
}

#[test]
fn ordinary_news_passes() {
    for text in [
        "We are investigating elevated error rates on the Public API. Version 10.4.2 is affected.",
        "Firmware version 10.4.2.1 of the gateway is affected.",
        "Störung in Zürich: Anfragen dauern länger. 影響を受けています。",
        "Customers in eu-central-1 see errors at https://status.northwind.example/incidents/9001.",
        "Requests time out after 30 seconds; 5 of 12 regions are affected, in part.",
        "It started at 10:45 UTC.",
        "Names that end in .internal are not resolved yet.",
        "See https://blog.northwind.example/@status.team for details.",
        "Request 550e8400-e29b-41d4-a716-446655440000 and others failed.",
        "Commit 0123456789abcdef0123456789abcdef01234567 is rolled back.",
        "The eu-central-1-database-primary-replica-2 cluster is slow.",
        "Password reset: mails are late. Token: 401 errors are gone. Bearer tokens expire early.",
        "ASIA-PACIFIC-REGION-CUSTOMERS see errors; npm_config_registry is unaffected.",
        "The password service2 is slow.",
        "Sign-in with OAuth2 fails since 09:40 UTC; the key: patience.",
        "Webhooks are delayed by up to 20 minutes. No data is lost.",
        "A fix is being rolled out. Next update in 30 minutes.",
    ] {
        check_text(text, &[]);
    }
}
