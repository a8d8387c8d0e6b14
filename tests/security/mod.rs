//! Attacks by strangers and by hostile text.

mod attacks;
mod hardening;
mod hostile_text;
mod limits_and_conditions;
mod opaque_tokens;
mod other_sites;
mod random_bytes;
mod rate_limits;
mod request_bodies;
mod secrets;
