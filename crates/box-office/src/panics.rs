//! A store that panics: a mistake in it must not end the task that called it, with everyone who waits behind.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use domain::StoreError;
use futures_util::FutureExt;

/// Runs a call to the store. What it was doing when it panicked may have been committed or not.
pub(crate) async fn caught<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    // Nothing of ours can be seen half-changed afterwards: the call only borrows what it is given.
    AssertUnwindSafe(call).catch_unwind().await.unwrap_or_else(|panic| Err(StoreError::OutcomeUnknown(text(&*panic))))
}

fn text(panic: &(dyn Any + Send)) -> String {
    let message = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the store panicked: {}", message.unwrap_or("it did not say why"))
}
