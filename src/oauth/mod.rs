//! The authorization server's rules: OAuth 2.1 for public MCP clients. No I/O, no HTTP types, no clock.
//!
//! Authorization code with PKCE S256 only (RFC 7636), no client secret, exact redirect URIs or loopback with any port
//! (RFC 8252 7.3), one protected resource (RFC 8707), `iss` in every authorization response (RFC 9207), opaque tokens
//! that end with their grant, refresh token rotation with reuse detection (RFC 9700 4.14), revocation (RFC 7009).
//!
//! | file | RFC |
//! |---|---|
//! | [`client`] | 6749 2, 3.1.2; 8252 7.3; registration without a store: 7591 |
//! | [`authorize`], [`sealed_request`] | 6749 4.1.1; 8707; 9700 4.11 |
//! | [`grant`] | lifetimes; states of codes and refresh tokens |
//! | [`token`] | 6749 4.1.3, 5, 6 |
//! | [`pkce`] | 7636 |
//! | [`secret`] | 6749 10.10; 6819 5.1.4.2.2 |
//! | [`metadata`] | 8414, 9728 |
//! | [`error`] | 6749 4.1.2.1, 5.2 |

pub mod access_limits;
pub mod authorize;
pub mod client;
pub mod error;
pub mod grant;
pub mod metadata;
pub mod parameters;
pub mod pkce;
pub mod sealed_request;
pub mod secret;
pub mod token;
