//! What [`crate::health`] answers.

use serde_json::json;

use super::call::Call;
use super::describe::Description;
use crate::health::Health;

const GROUP: &str = "Health";

pub(crate) const HEALTHZ: Call =
    Call::get("/healthz", |_| {
        Description::of("healthz", GROUP, "Whether the process answers", "Asks nothing of the store.")
            .unlimited()
            .answers::<Health>(200, "It does.", json!({"status": "ok"}))
    });

pub(crate) const READYZ: Call = Call::get("/readyz", |_| {
    Description::of(
        "readyz",
        GROUP,
        "Whether it can serve",
        "The store is reached, its migrations are current, the queue has room.",
    )
    .unlimited()
    .answers::<Health>(200, "It can.", json!({"status": "ready"}))
    .refuses(&["store_unavailable", "migrations_pending", "store_too_new", "busy"])
});
