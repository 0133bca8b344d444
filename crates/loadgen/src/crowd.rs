//! Customers: each with its own connection, all let loose at once.

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::client::Connection;
use crate::report::{Measured, cpu_time};
use crate::target::Target;

/// Customers who are connected. They keep their connections from phase to phase.
pub(crate) struct Crowd {
    connections: Vec<Connection>,
}

impl Crowd {
    /// Connects this many.
    pub(crate) async fn gather(target: &Target, customers: usize) -> anyhow::Result<Self> {
        anyhow::ensure!(customers > 0, "at least one customer is needed");
        let mut connections = Vec::with_capacity(customers);
        for _ in 0..customers {
            let connection = target.connect().await.with_context(|| format!("can't connect to {}", target.url))?;
            connections.push(connection);
        }
        Ok(Self { connections })
    }

    /// One of the connections, for what is done before and after the customers' work.
    pub(crate) fn someone(&mut self) -> anyhow::Result<&mut Connection> {
        self.connections.first_mut().context("nobody is connected")
    }

    /// Lets every customer do its work at the same moment, and waits for all of them: their results and the time it took.
    pub(crate) async fn work<T, F>(&mut self, work: impl Fn(Connection) -> F) -> anyhow::Result<(Vec<T>, Measured)>
    where
        T: Send + 'static,
        F: Future<Output = (Connection, T)> + Send + 'static,
    {
        let start = Arc::new(Barrier::new(self.connections.len() + 1));
        let mut customers = JoinSet::new();
        for connection in self.connections.drain(..) {
            let (start, work) = (Arc::clone(&start), work(connection));
            customers.spawn(async move {
                start.wait().await;
                work.await
            });
        }
        start.wait().await;
        let (began, cpu_before) = (Instant::now(), cpu_time());
        let mut results = Vec::with_capacity(customers.len());
        while let Some(customer) = customers.join_next().await {
            let (connection, result) = customer.context("a customer broke down")?;
            self.connections.push(connection);
            results.push(result);
        }
        let cpu = cpu_before.and_then(|before| cpu_time()?.checked_sub(before));
        Ok((results, Measured { elapsed: began.elapsed(), cpu }))
    }
}
