//! Outcomes as answers.

use actix_web::HttpResponse;
use domain::{Outcome, StoreError};

use crate::idempotency::REPLAYED;
use crate::problem::Problem;

/// The answer to an outcome: `done` makes that of one that its command can have when it is done, and `None` of any other. What was
/// answered before is answered again, and says so.
pub(crate) fn answer(outcome: Outcome, done: impl FnOnce(&Outcome) -> Option<HttpResponse>) -> Result<HttpResponse, Problem> {
    match outcome {
        Outcome::Replayed(first) => match answer(*first, done) {
            Ok(mut response) => {
                let (name, value) = REPLAYED;
                response.headers_mut().insert(name, value);
                Ok(response)
            }
            Err(problem) => {
                let (name, value) = REPLAYED;
                Err(problem.with_header(name, value))
            }
        },
        Outcome::Refused(refusal) => Err(refusal.into()),
        other => done(&other).ok_or_else(|| StoreError::Corrupt(format!("an outcome of another command: {other:?}")).into()),
    }
}
