//! Requests that were made more than once, and what was answered each time.
//!
//! All attempts at one request are one call to everyone else: it began when the first of them did that may have done something, and was
//! answered when the first answer came.

use std::collections::BTreeMap;

use super::super::history::{Answer, History, Operation, Refusal, Unknown};
use super::{Kind, Violation, named};

/// The history as if every request had been made once, and what is wrong with the answers to repeats.
pub(super) fn merge(history: &History, violations: &mut Vec<Violation>) -> History {
    let mut requests: BTreeMap<u64, Vec<&Operation>> = BTreeMap::new();
    for operation in &history.operations {
        requests.entry(history.request_of(operation)).or_default().push(operation);
    }
    for attempts in requests.values() {
        violations.extend(difference(attempts));
        violations.extend(not_replayed(attempts));
    }
    let operations = requests.iter().filter_map(|(id, attempts)| {
        let mut call = one_call(*id, attempts)?;
        if let Some(first) = used_before(&call, &requests) {
            violations.extend(served(&call, first));
            // Whatever comes of it must be nothing.
            if matches!(call.answer, Answer::Unknown(_)) {
                call.answer = Answer::Refused(Refusal::KeyReused);
            }
        }
        Some(call)
    });
    let (operations, shows) = (operations.collect(), history.shows.clone());
    History { operations, shows, hold_for: history.hold_for, hold_limit: history.hold_limit }
}

fn definite<'a>(attempts: &'a [&'a Operation]) -> impl Iterator<Item = &'a Operation> {
    attempts.iter().copied().filter(|attempt| attempt.answer.is_definite())
}

fn one_call(id: u64, attempts: &[&Operation]) -> Option<Operation> {
    // What was not done can be left out, unless that is all.
    let not_done = |attempt: &&&Operation| matches!(attempt.answer, Answer::NotDone(_));
    let first = attempts.iter().find(|attempt| !not_done(attempt)).or(attempts.first())?;
    let answered = definite(attempts).min_by_key(|attempt| attempt.ended);
    let unforeseen = |attempt: &&&Operation| matches!(attempt.answer, Answer::Unknown(Unknown::Unforeseen(_)));
    let answered = answered.or(attempts.iter().find(unforeseen).copied()).unwrap_or(first);
    let (server, ended, answer) = (answered.server, answered.ended, answered.answer.clone());
    Some(Operation { id, server, ended, answer, ..(*first).clone() })
}

/// Every answer must be the first one.
fn difference(attempts: &[&Operation]) -> Option<Violation> {
    let first = definite(attempts).next()?;
    let other = definite(attempts).find(|attempt| attempt.answer != first.answer)?;
    let says = format!("{} was answered {:?}; {}, its repeat, {:?}", named(first), first.answer, named(other), other.answer);
    Some(Violation::new(Kind::RepeatAnsweredOtherwise, says).by([first.id, other.id]))
}

/// Exactly one answer is the first one, and nothing that was asked after it was there.
fn not_replayed(attempts: &[&Operation]) -> Option<Violation> {
    let wrong = |operation: &Operation, says: &str| {
        Some(Violation::new(Kind::NotReplayed, format!("{} {says}", named(operation))).by([operation.id]))
    };
    let known = definite(attempts).map(|attempt| attempt.ended).min()?;
    if let Some(again) = definite(attempts).filter(|attempt| !attempt.replayed).nth(1) {
        return wrong(again, "was answered as if nobody had asked before, as another attempt was");
    }
    if let Some(late) = definite(attempts).find(|attempt| !attempt.replayed && attempt.began > known) {
        return wrong(late, "was answered as if nobody had asked before, after another attempt had been answered");
    }
    // Somebody must have been first: a call that was answered so, or one that nobody knows the end of.
    let has_first = attempts.iter().any(|attempt| match attempt.answer {
        Answer::NotDone(_) => false,
        Answer::Unknown(_) => true,
        _ => !attempt.replayed,
    });
    match definite(attempts).next() {
        Some(replay) if !has_first => wrong(replay, "was answered as a repeat, and there was no request before it"),
        _ => None,
    }
}

/// The other request that had been answered under this call's key before it began.
fn used_before<'a>(call: &Operation, requests: &BTreeMap<u64, Vec<&'a Operation>>) -> Option<&'a Operation> {
    let first = requests.get(&call.key.filter(|key| *key != call.id)?)?;
    first.iter().copied().find(|first| first.answer.is_definite() && first.ended < call.began)
}

fn served(call: &Operation, first: &Operation) -> Option<Violation> {
    let served = call.answer.is_definite() && call.answer != Answer::Refused(Refusal::KeyReused);
    let says = || format!("{} came under the key of {}, and was answered {:?}", named(call), named(first), call.answer);
    served.then(|| Violation::new(Kind::KeyServedTwo, says()).by([first.id, call.id]))
}
