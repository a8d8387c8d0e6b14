//! People beside the clients: those who pause, block and revoke, the operator's scheduled purge, and StatiBeat's administrators.

use crate::observations::{ConnectionFacts, StopFacts};
use crate::ports::InstancePorts;
use crate::world::World;
use statibeat_mcp::model::ids::{PageId, RequestId, UserId};
use statibeat_mcp::model::timestamp::Timestamp;
use statibeat_mcp::oauth::client::ClientId;
use statibeat_mcp::ports::DatabaseError;
use statibeat_mcp::storage::audit::{AuditId, AuditKind, Change, ChangeTarget};
use statibeat_mcp::storage::connections::{WriteSetting, change_writes};
use statibeat_mcp::storage::{blocks, grants, purge};
use std::rc::Rc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    Pause,
    Block,
}

impl Stop {
    fn select(self, connection: &mut ConnectionFacts) -> &mut StopFacts {
        match self {
            Self::Pause => &mut connection.pause,
            Self::Block => &mut connection.block,
        }
    }
}

impl World {
    /// A person who pauses or blocks a connection and takes that back, or revokes it.
    pub async fn administer(self: Rc<Self>, connection_index: usize) {
        self.pause().await;
        let stop = match self.random.below(5) {
            0 => return self.revoke(connection_index).await,
            1 | 2 => Stop::Pause,
            _ => Stop::Block,
        };
        self.change(connection_index, stop, true).await;
        if self.random.below(2) == 0 {
            self.pause().await;
            self.change(connection_index, stop, false).await;
        }
    }

    /// The connections that a change of this one concerns: clients on loopback addresses are blocked together.
    fn concerned(&self, connection_index: usize, stop: Stop) -> Vec<usize> {
        let connections = &self.observed.borrow().connections;
        let is_same = |other: usize, value: fn(&ConnectionFacts) -> &'static str| {
            value(&connections[other]) == value(&connections[connection_index])
        };
        let of_user = |other: &usize| is_same(*other, |one| one.user);
        let is_concerned = |other: &usize| match stop {
            Stop::Pause => is_same(*other, |one| one.client),
            Stop::Block => true,
        };
        (0..connections.len()).filter(of_user).filter(is_concerned).collect()
    }

    pub async fn change(self: &Rc<Self>, connection_index: usize, stop: Stop, is_to_hold: bool) {
        let concerned = self.concerned(connection_index, stop);
        for at in &concerned {
            stop.select(&mut self.observed.borrow_mut().connections[*at]).begin(is_to_hold);
        }
        let result = self.store(connection_index, stop, is_to_hold).await;
        let confirmed_at = self.scheduler.steps.get();
        self.trace(|| format!("{stop:?} of connection {connection_index}: {is_to_hold}, {result:?}"));
        for at in &concerned {
            stop.select(&mut self.observed.borrow_mut().connections[*at]).confirm(
                is_to_hold,
                result.is_ok(),
                confirmed_at,
            );
        }
    }

    async fn store(
        self: &Rc<Self>,
        connection_index: usize,
        stop: Stop,
        is_to_hold: bool,
    ) -> Result<(), DatabaseError> {
        let ports = InstancePorts(Rc::clone(self));
        let base_connection = &self.connection(connection_index);
        let user_id = UserId::parse(base_connection.user).expect("an id");
        let target = ChangeTarget {
            user_id: user_id.clone(),
            user_name: "A person".into(),
            client_id: base_connection.client.into(),
            client_name: base_connection.client.into(),
            page_id: (stop == Stop::Block).then(|| PageId::new(base_connection.page).expect("an id")),
        };
        let mut id = [0; 16];
        self.random.fill(&mut id);
        let kind = match (stop, is_to_hold) {
            (Stop::Pause, true) => AuditKind::Pause,
            (Stop::Pause, false) => AuditKind::Resume,
            (Stop::Block, true) => AuditKind::PageBlock,
            (Stop::Block, false) => AuditKind::PageUnblock,
        };
        let change = Change {
            id: AuditId::new(id),
            created_at: Timestamp::from_seconds(self.now()),
            kind,
            actor: &user_id,
            actor_name: "A person",
            targets: &[target],
            request_id: &RequestId::parse("change").expect("an id"),
        };
        match stop {
            Stop::Pause => change_writes(&ports, &change, WriteSetting::Paused(is_to_hold)).await,
            Stop::Block if is_to_hold => blocks::block(&ports, &change).await,
            Stop::Block => blocks::unblock(&ports, &change).await,
        }
    }

    /// A person ends a connection on the admin page.
    pub async fn revoke(self: &Rc<Self>, connection_index: usize) {
        let base_connection = &self.connection(connection_index);
        let (user_id, client_id) = (
            UserId::parse(base_connection.user).expect("an id"),
            ClientId::parse(base_connection.client).expect("a client id"),
        );
        let concerned = self.concerned(connection_index, Stop::Pause);
        let key = (base_connection.user, base_connection.client);
        {
            let observed = &mut *self.observed.borrow_mut();
            observed.begin_end_of(&concerned, self.scheduler.steps.get());
            // Until it is confirmed, it may happen at any time.
            observed.last_revoked.insert(key, u32::MAX);
            // The end of a connection clears its pause.
            for index in &concerned {
                observed.connections[*index].pause.begin(false);
            }
        }
        let (ports, request_id) = (InstancePorts(Rc::clone(self)), RequestId::parse("revoke").expect("an id"));
        let now = Timestamp::from_seconds(self.now());
        let result = grants::revoke_connections(&ports, &user_id, &[&client_id], &request_id, now).await;
        self.trace(|| format!("revocation of connection {connection_index}: {result:?}"));
        if result.is_ok() {
            let step = self.scheduler.steps.get();
            let observed = &mut *self.observed.borrow_mut();
            observed.last_revoked.insert(key, step);
            for index in concerned {
                observed.note_end(index, step);
            }
        }
    }

    /// Purges twice, as the operator's scheduled event does.
    pub async fn purge(self: Rc<Self>) {
        for _ in 0..2 {
            self.pause().await;
            let ports = InstancePorts(Rc::clone(&self));
            purge::run(&ports, Timestamp::from_seconds(self.now()), &|| true).await;
        }
    }

    /// StatiBeat's administrators take a person's role or account away, and may give it back.
    pub async fn change_person(self: Rc<Self>, connection_index: usize) {
        self.pause().await;
        let base_connection = &self.connection(connection_index);
        let (user, page) =
            (base_connection.user.parse().expect("a number"), u64::try_from(base_connection.page).expect("a number"));
        let is_account = self.random.below(3) == 0;
        for is_to_hold in [true, false] {
            let step = self.scheduler.steps.get();
            self.trace(|| {
                format!("user {user} loses {}: {is_to_hold}", if is_account { "the account" } else { "the role" })
            });
            let role = if is_to_hold { *self.random.pick(&[None, Some("page_viewer")]) } else { Some("page_admin") };
            if is_account {
                self.simulator.set_user_disabled(user, is_to_hold).expect("a user");
            } else {
                self.simulator.set_role(user, page, role).expect("a role");
            }
            for connection in
                self.observed.borrow_mut().connections.iter_mut().filter(|one| one.user == base_connection.user)
            {
                if is_account {
                    connection.is_shut_out = is_to_hold;
                    connection.end_began.get_or_insert(step);
                } else {
                    connection.role_lost.begin(is_to_hold);
                    let holds = is_to_hold && role.is_none();
                    connection.role_lost.confirm(holds, true, step);
                    connection.role_lost.may_hold = is_to_hold;
                }
            }
            if is_to_hold && self.random.below(2) == 0 {
                return;
            }
            self.pause().await;
        }
    }
}
