//! The steps of a sequence, with their frequencies.

use super::reference::{Redemption, Refreshing};
use crate::support::faults::Failure;
use proptest::prelude::*;

/// One thing that happens. Numbers pick one of what there is, counted round.
#[derive(Clone, Debug)]
pub enum Action {
    /// A person comes from a client to the consent page.
    Authorize {
        user: usize,
        client: usize,
    },
    /// Somebody in front of a consent page answers it.
    AnswerConsent {
        authorization: usize,
        approves: bool,
    },
    /// From authorization to tokens, without a fault.
    Connect {
        user: usize,
        client: usize,
    },
    Redeem {
        code: usize,
        how: Redemption,
        times: usize,
    },
    Refresh {
        token: usize,
        how: Refreshing,
        times: usize,
    },
    /// One refresh token after the other, each from the one before.
    Hurry {
        token: usize,
        times: usize,
    },
    RevokeRefresh {
        token: usize,
        by_owner: bool,
    },
    RevokeAccess {
        token: usize,
        by_owner: bool,
    },
    RevokeConnection {
        user: usize,
        client: usize,
    },
    /// StatiBeat closes a person's account, or opens it again.
    Disable {
        user: usize,
        is_disabled: bool,
    },
    /// A call that asks StatiBeat.
    UseToken {
        token: usize,
    },
    Wait {
        seconds: i64,
    },
    /// To the second of one of the next deadlines, or to the one before.
    Approach {
        deadline: usize,
        is_early: bool,
    },
    Purge,
    /// A write that was told to have failed happens now.
    Late {
        pick: usize,
    },
}

/// An action, and the database failure during it: the number of batches that succeed before it, and its kind.
#[derive(Clone, Debug)]
pub struct Step {
    pub action: Action,
    pub fault: Option<(usize, Failure)>,
}

/// Mostly the newest: counted from the end.
fn newest() -> impl Strategy<Value = usize> {
    prop_oneof![3 => 0..2_usize, 2 => 0..6_usize, 1 => 0..40_usize]
}

fn person() -> impl Strategy<Value = usize> {
    prop_oneof![3 => Just(0_usize), 1 => 0..3_usize]
}

fn redemption() -> impl Strategy<Value = (Redemption, usize)> {
    prop_oneof![
        6 => (Just(Redemption::Right), Just(1)),
        2 => (Just(Redemption::WrongVerifier), 1..7_usize),
        1 => (Just(Redemption::NoVerifier), Just(1)),
        1 => (Just(Redemption::OtherClient), Just(1)),
        1 => (Just(Redemption::OtherRedirectUri), Just(1)),
    ]
}

fn refreshing() -> impl Strategy<Value = (Refreshing, usize)> {
    prop_oneof![
        12 => (Just(Refreshing::Right), 1..3_usize),
        1 => (Just(Refreshing::Right), 31..36_usize),
        2 => (Just(Refreshing::Narrower), Just(1)),
        1 => (Just(Refreshing::Wider), Just(1)),
        1 => (Just(Refreshing::OtherClient), Just(1)),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    let seconds = prop::sample::select(vec![1, 9, 10, 59, 60, 599, 600, 3_599, 3_600, 86_400, 2_591_999, 2_592_000]);
    prop_oneof![
        3 => (person(), person()).prop_map(|(user, client)| Action::Authorize { user, client }),
        3 => (newest(), prop::bool::weighted(0.8)).prop_map(|(authorization, approves)| Action::AnswerConsent { authorization, approves }),
        1 => (person(), person()).prop_map(|(user, client)| Action::Connect { user, client }),
        8 => (newest(), redemption()).prop_map(|(code, (how, times))| Action::Redeem { code, how, times }),
        14 => (newest(), refreshing()).prop_map(|(token, (how, times))| Action::Refresh { token, how, times }),
        1 => (newest(), 2..13_usize).prop_map(|(token, times)| Action::Hurry { token, times }),
        1 => (newest(), prop::bool::weighted(0.7)).prop_map(|(token, by_owner)| Action::RevokeRefresh { token, by_owner }),
        2 => (newest(), prop::bool::weighted(0.7)).prop_map(|(token, by_owner)| Action::RevokeAccess { token, by_owner }),
        1 => (person(), person()).prop_map(|(user, client)| Action::RevokeConnection { user, client }),
        1 => (person(), any::<bool>()).prop_map(|(user, is_disabled)| Action::Disable { user, is_disabled }),
        5 => newest().prop_map(|token| Action::UseToken { token }),
        3 => seconds.prop_map(|seconds| Action::Wait { seconds }),
        6 => (0..6_usize, any::<bool>()).prop_map(|(deadline, is_early)| Action::Approach { deadline, is_early }),
        1 => Just(Action::Purge),
    ]
}

/// A story in which the database always works.
pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(action().prop_map(|action| Step { action, fault: None }), 1..32)
}

/// A story in which it fails every now and then.
pub fn faulty_steps() -> impl Strategy<Value = Vec<Step>> {
    let failure = prop::sample::select(vec![Failure::Before, Failure::After, Failure::Late]);
    let fault = prop::option::weighted(0.5, (0..3_usize, failure));
    let late = (0..4_usize).prop_map(|pick| Step { action: Action::Late { pick }, fault: None });
    let step = prop_oneof![
        6 => (action(), fault).prop_map(|(action, fault)| Step { action, fault }),
        1 => late,
    ];
    prop::collection::vec(step, 1..32)
}
