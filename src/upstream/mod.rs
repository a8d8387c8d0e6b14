//! StatiBeat's REST API, over the `HttpClient` port.
