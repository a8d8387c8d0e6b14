//! Metadata documents in serialized form: they depend on the configuration alone, so an instance serializes each of them once.

use bytes::Bytes;
use std::cell::OnceCell;

#[derive(Default)]
pub struct Documents {
    pub(super) protected_resource: OnceCell<Bytes>,
    pub(super) authorization_server: OnceCell<Bytes>,
    pub(super) assertion_keys: OnceCell<Bytes>,
}
