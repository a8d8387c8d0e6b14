//! Events between what a request has read and what it decides by it: the moment that a race needs, and that chance seldom finds.

use crate::observations::{RequestKind, SentRequest};
use crate::people::Stop;
use crate::random::Random;
use crate::world::{Answering, ReplySlot, WaitForReply, World};
use statibeat_mcp::ports::Statement;
use std::rc::Rc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InterruptingEvent {
    /// The person ends the connection.
    Revocation,
    Pause,
    Block,
    /// Somebody uses the access token of the answer that a refresh is about to repeat.
    UseOfAnswer,
}

use InterruptingEvent::{Block, Pause, Revocation, UseOfAnswer};

/// The event of a story, and the number of requests that it fits and leaves alone.
#[derive(Clone, Copy, Debug)]
pub struct Interruption {
    event: InterruptingEvent,
    skipped: usize,
}

impl Interruption {
    pub fn draw(random: &Random) -> Option<Self> {
        let event = *random.pick(&[None, None, None, Some(Revocation), Some(Pause), Some(Block), Some(UseOfAnswer)]);
        let skipped = *random.pick(&[0, 0, 1]);
        event.map(|event| Self { event, skipped })
    }
}

/// Returns whether a batch stores a decision, which a record of use is not.
fn decides(batch: &[Statement]) -> bool {
    batch.first().is_some_and(|first| !first.sql.starts_with("SELECT") && !first.sql.contains("last_used_at"))
}

impl World {
    /// Holds a request back before it stores its decision, until the event that the story has for it is over.
    pub async fn interrupt(self: &Rc<Self>, batch: &[Statement]) {
        let task = self.scheduler.current();
        let Some(number) = self.observed.borrow().request_of(task).filter(|_| decides(batch)) else { return };
        let Some((event, connection_index, access)) = self.take_interruption(number) else { return };
        self.trace(|| format!("  {event:?} meanwhile"));
        let slot = Rc::new(ReplySlot::new(task));
        let answering = Answering::new(self, &slot);
        let world = Rc::clone(self);
        self.spawn(async move {
            world.carry_out(event, connection_index, access).await;
            drop(answering);
        });
        WaitForReply(slot).await;
    }

    /// The event that fits a request, with its connection and the access token that the event uses.
    fn take_interruption(&self, number: usize) -> Option<(InterruptingEvent, usize, String)> {
        let Interruption { event, skipped } = self.interruption.get()?;
        let observed = self.observed.borrow();
        let sent = &observed.requests[number].sent;
        let is_call = matches!(sent.kind, RequestKind::CallTool { is_preview: false, .. });
        let is_of_tokens = sent.kind.is_refresh() || matches!(sent.kind, RequestKind::Redeem { .. });
        let access = observed.access_of_successor(&sent.secret);
        let fits = match event {
            Revocation => is_call || is_of_tokens,
            Pause | Block => is_call,
            UseOfAnswer => sent.kind.is_refresh() && access.is_some(),
        };
        if !fits {
            return None;
        }
        self.interruption.set(skipped.checked_sub(1).map(|skipped| Interruption { event, skipped }));
        (skipped == 0).then(|| (event, sent.connection_index, access.unwrap_or_default()))
    }

    async fn carry_out(self: &Rc<Self>, event: InterruptingEvent, connection_index: usize, access: String) {
        match event {
            Revocation => self.revoke(connection_index).await,
            Pause => self.change(connection_index, Stop::Pause, true).await,
            Block => self.change(connection_index, Stop::Block, true).await,
            UseOfAnswer => drop(self.send(SentRequest::ping(connection_index, &access)).await),
        }
    }
}
