//! The party that confirm tokens and questions are issued to.

/// The person, client and grant behind a call. On a page server, each is a word for its process.
#[derive(Clone, Copy)]
pub struct Asker<'a> {
    pub person: &'a str,
    pub client: &'a str,
    pub grant: &'a str,
}
