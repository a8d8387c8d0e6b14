//! StatiBeat Hosted MCP.
