//! The contract as a server must keep it: what the connector will ask of it, and what it must refuse.
//!
//! Runs against the simulator in the tests and against a real StatiBeat in `npm run upstream:check`. Every exchange goes
//! through the contract's checker as well. Nothing is written unless that is allowed; what is written says in its title that
//! it is a check.

mod reads;
mod refusals;
mod session;
mod writes;

pub use reads::READS;
pub use session::{Ask, Outcome, Session};

/// All checks in order; the later ones use what the earlier ones found.
pub fn check(session: &Session<'_>, page: Option<u64>, may_write: bool) -> Vec<(String, Outcome)> {
    let mut outcomes = Vec::new();
    let page = reads::person(session, page, &mut outcomes);
    refusals::without_page(session, &mut outcomes);
    let Some(page) = page else {
        outcomes.push(("everything of a page".to_owned(), Outcome::Failed("the user has no such page".to_owned())));
        return outcomes;
    };
    reads::page(session, &page, &mut outcomes);
    refusals::on_page(session, &page, &mut outcomes);
    if may_write {
        writes::all(session, &page, &mut outcomes);
    } else {
        outcomes.push(("writes".to_owned(), Outcome::Skipped("run with --write on a page for tests".to_owned())));
    }
    outcomes
}
