//! Rounds: in each of them every contestant has its turn, on new shows, after a checkpoint and a rest.

use std::collections::BTreeMap;

use anyhow::Context;

use super::Bench;
use super::books;
use super::deal::Deal;
use super::fill;
use super::load::{self, Loaded, Script, Span};
use super::pgbench;
use super::plan::{CEILING, Cell, Contestant, Group, House, PGBENCH, POOL, WAYS};
use super::programs::{Running, Store};
use super::record::Run;
use super::recorder::{Recorder, tell};
use super::stage::{Stage, connect};
use super::watch::Watch;
use crate::baseline::{ServerOptions, ServerProcess};
use crate::report::LatencyMs;
use crate::target::Target;
use crate::verify;

/// Up to this size of a table the invariants are checked after every run of the product; above, once, after the last round:
/// what was wrong in an earlier one is wrong still.
const SMALL_TABLE: u64 = 100_000;

/// A server that is up.
enum Server {
    Product(Running),
    Usual(ServerProcess),
}

impl Server {
    fn target(&self) -> Target {
        Target::open(match self {
            Self::Product(running) => running.url().clone(),
            Self::Usual(process) => process.url().clone(),
        })
    }

    fn id(&self) -> Option<u32> {
        match self {
            Self::Product(running) => running.id(),
            Self::Usual(process) => process.id(),
        }
    }
}

/// Everything that a group of cells works on, for one round or for all of them.
struct Scene<'a> {
    bench: &'a Bench,
    stage: &'a Stage,
    /// By product and size of the table: every product has its own, and the others work on those of the first.
    databases: BTreeMap<(usize, u64), (String, String)>,
    servers: BTreeMap<(Contestant, u64), Server>,
}

/// Runs a group, round by round.
pub(super) async fn run(bench: &Bench, stage: &Stage, group: &Group, recorder: &mut Recorder) -> anyhow::Result<()> {
    // What each cell did last, so that it gets seats enough and not many more.
    let mut rates = vec![None; group.cells.len()];
    let mut kept = None;
    for round in 1..=bench.rounds() {
        let scene = match kept.take() {
            Some(scene) => scene,
            None => Scene::open(bench, stage, group).await?,
        };
        let mut turns: Vec<usize> = (0..group.cells.len()).collect();
        if round % 2 == 0 {
            // So that nobody always comes after the same other.
            turns.reverse();
        }
        for turn in turns {
            let run = scene.turn(&group.cells[turn], round, &mut rates[turn]).await?;
            recorder.run(run)?;
        }
        if round == bench.rounds() {
            scene.check_large(round).await?;
        }
        if group.fresh || round == bench.rounds() {
            scene.close().await?;
        } else {
            kept = Some(scene);
        }
    }
    Ok(())
}

impl<'a> Scene<'a> {
    async fn open(bench: &'a Bench, stage: &'a Stage, group: &Group) -> anyhow::Result<Self> {
        let mut databases = BTreeMap::new();
        for cell in &group.cells {
            let product = owner(cell.contestant);
            if databases.contains_key(&(product, cell.table)) {
                continue;
            }
            let name = format!("bench_{product}_{}", cell.table);
            stage.drop_database(&name).await?;
            let url = stage.database(&name).await?;
            if let Some(product) = bench.products.get(product) {
                product.migrate(&url).await?;
            }
            if cell.table > SMALL_TABLE {
                tell(&format!("filling a table with {} seats", cell.table));
            }
            fill::table(&connect(&url).await?, cell.table).await?;
            databases.insert((product, cell.table), (name, url));
        }
        let mut scene = Self { bench, stage, databases, servers: BTreeMap::new() };
        for cell in &group.cells {
            scene.start_server(cell).await?;
        }
        Ok(scene)
    }

    async fn start_server(&mut self, cell: &Cell) -> anyhow::Result<()> {
        let key = (cell.contestant, cell.table);
        if self.servers.contains_key(&key) {
            return Ok(());
        }
        let url = self.url(cell)?.to_owned();
        let options = self.bench.usual_server();
        let program = &self.bench.loadgen;
        let server = match cell.contestant {
            Contestant::Pgbench(_) => return Ok(()),
            Contestant::Product(i) => {
                Server::Product(self.bench.products[i].serve(Store::Postgres(&url), &self.bench.product_settings).await?)
            }
            Contestant::Ceiling => {
                Server::Usual(ServerProcess::start(program, &ServerOptions { database_url: None, ..options }).await?)
            }
            Contestant::Pool(way) => {
                let options = ServerOptions { database_url: Some(url), way: WAYS[way], ..options };
                Server::Usual(ServerProcess::start(program, &options).await?)
            }
        };
        self.servers.insert(key, server);
        Ok(())
    }

    fn url(&self, cell: &Cell) -> anyhow::Result<&str> {
        let (_, url) = self.databases.get(&(owner(cell.contestant), cell.table)).context("a cell without a database")?;
        Ok(url)
    }

    /// One run, again with more seats if they did not last.
    async fn turn(&self, cell: &Cell, round: u32, rate: &mut Option<f64>) -> anyhow::Result<Run> {
        const TRIES: u32 = 4;
        let mut headroom = 1.6;
        for _ in 0..TRIES {
            let (run, ran_out) = self.one_run(cell, round, rate.unwrap_or_else(|| likely_rate(cell)) * headroom).await?;
            if !ran_out {
                *rate = Some(run.per_second);
                return Ok(run);
            }
            headroom *= 2.5;
        }
        anyhow::bail!("{} of {} sells faster than seats can be made", cell.workload, self.bench.name(cell.contestant))
    }

    async fn one_run(&self, cell: &Cell, round: u32, rate: f64) -> anyhow::Result<(Run, bool)> {
        let span = self.bench.span();
        let url = self.url(cell)?;
        let session = connect(url).await?;
        let deal = match cell.house {
            // It has no tables: the house is made up, and never ends.
            House::Spread(house) | House::InTurn(house) if cell.contestant == Contestant::Ceiling => {
                Deal { first_show: 1, shows: 100_000, seats_a_show: house, basket: cell.basket, in_turn: false }
            }
            // Only the first seat of it is wanted.
            House::SoldOut(1) => Deal { seats_a_show: 1, ..fill::sold_out(&session, 2).await? },
            House::SoldOut(seats) => fill::sold_out(&session, seats).await?,
            House::Spread(house) | House::InTurn(house) => {
                let in_turn = matches!(cell.house, House::InTurn(_));
                // pgbench runs a little longer than it is counted.
                let seconds = (span.warm_up + span.counted).as_secs_f64() + 2.0;
                let shows = shows_for(rate * seconds, cell.basket, house);
                let (first_show, _) = fill::new_shows(&session, shows, house).await?;
                Deal { first_show, shows, seats_a_show: house, basket: cell.basket, in_turn }
            }
        };
        self.stage.settle(self.bench.rest()).await;
        let blank = Run {
            workload: cell.workload.into(),
            contestant: self.bench.name(cell.contestant),
            clients: cell.clients,
            size: cell.size,
            round,
            seconds: span.counted.as_secs_f64(),
            ..Run::default()
        };
        if let Contestant::Pgbench(way) = cell.contestant {
            return self.pgbench_run(blank, (cell, url), (way, deal), span).await;
        }
        let server = self.servers.get(&(cell.contestant, cell.table)).context("a cell without a server")?;
        let watch = Watch {
            server: server.id(),
            postmaster: self.stage.postmaster(),
            client: Some(std::process::id()),
            session: Some(&session),
        };
        let (loaded, used) = load::run(&server.target(), cell.clients, (deal, cell.script), span, &watch).await?;
        let mut run = filled_in(blank, &loaded)?;
        run.cost = used.for_each(run.per_second);
        run.wrong.extend(unexpected(cell.script, &loaded));
        if cell.contestant != Contestant::Ceiling {
            let last_show = deal.first_show + deal.shows.cast_signed() - 1;
            if cell.script != Script::Lose {
                let booked = books::in_postgres(&session, deal.first_show, last_show).await?;
                run.wrong.extend(books::differences(&deal, &loaded.answered, &booked, loaded.errors > 0));
            }
            if matches!(cell.contestant, Contestant::Product(_)) && cell.table <= SMALL_TABLE {
                run.wrong.extend(books::broken(&verify::postgres_without_history(url, false).await?));
            }
        }
        Ok((run, loaded.ran_out))
    }

    async fn pgbench_run(
        &self,
        blank: Run,
        (cell, url): (&Cell, &str),
        (way, deal): (usize, Deal),
        span: Span,
    ) -> anyhow::Result<(Run, bool)> {
        let program = self.bench.pgbench.as_deref().context("pgbench is not installed")?;
        let (benched, used) = pgbench::run(program, (self.stage, url), cell.clients, (WAYS[way], deal), span).await?;
        let per_second = rate(benched.done, blank.seconds);
        let run = Run {
            done: benched.done,
            per_second,
            latency_ms: LatencyMs::of(&benched.latencies_us)?,
            statuses: BTreeMap::from([(201, benched.bookings)]),
            cost: used.for_each(per_second),
            wrong: benched.wrong,
            ..blank
        };
        Ok((run, benched.ran_out))
    }

    /// The invariants of the tables that are too large to read after every run.
    async fn check_large(&self, round: u32) -> anyhow::Result<()> {
        for ((product, table), (_, url)) in &self.databases {
            if *table <= SMALL_TABLE {
                continue;
            }
            let wrong = books::broken(&verify::postgres_without_history(url, false).await?);
            anyhow::ensure!(wrong.is_empty(), "the books of {table} seats are broken: {wrong:?}");
            tell(&format!(
                "{round:>2} the books of {} with {table} seats are in order",
                self.bench.name(Contestant::Product(*product))
            ));
        }
        Ok(())
    }

    async fn close(self) -> anyhow::Result<()> {
        for server in self.servers.into_values() {
            match server {
                Server::Product(running) => running.end().await?,
                Server::Usual(process) => drop(process),
            }
        }
        for (name, _) in self.databases.values() {
            self.stage.drop_database(name).await?;
        }
        Ok(())
    }
}

/// Whose database a contestant works on.
const fn owner(contestant: Contestant) -> usize {
    match contestant {
        Contestant::Product(i) => i,
        Contestant::Ceiling | Contestant::Pool(_) | Contestant::Pgbench(_) => 0,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of seats, far below 2^63 and above 0")]
fn shows_for(baskets: f64, basket: u64, seats_a_show: u64) -> u64 {
    (baskets as u64 / (seats_a_show / basket).max(1)) + 1
}

/// What a contestant may do a second, before it has shown it. Too little only means that the first run is made again.
const fn likely_rate(cell: &Cell) -> f64 {
    match (cell.contestant, cell.clients) {
        (Contestant::Ceiling, _) => 0.0,
        (_, 1) => 2500.0,
        (Contestant::Product(_), 2..=16) => 12_000.0,
        (Contestant::Product(_), _) => 25_000.0,
        (Contestant::Pool(_) | Contestant::Pgbench(_), _) => 8000.0,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count, far below 2^52")]
pub(super) fn rate(done: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { done as f64 / seconds } else { 0.0 }
}

/// So much of it for each.
#[expect(clippy::cast_precision_loss, reason = "a count, far below 2^52")]
pub(super) fn per(amount: f64, count: u64) -> f64 {
    if count > 0 { amount / count as f64 } else { 0.0 }
}

/// The run, with what the customers have counted.
pub(super) fn filled_in(blank: Run, loaded: &Loaded) -> anyhow::Result<Run> {
    Ok(Run {
        done: loaded.done,
        per_second: rate(loaded.done, blank.seconds),
        latency_ms: LatencyMs::of(&loaded.latencies_us)?,
        statuses: loaded.statuses.clone(),
        ..blank
    })
}

/// Answers that a script does not expect, and calls without one.
pub(super) fn unexpected(script: Script, loaded: &Loaded) -> Vec<String> {
    let expected: &[u16] = match script {
        Script::Hold => &[201],
        Script::Lose => &[409],
        Script::Buy | Script::Visit => &[200, 201],
    };
    let others = loaded.statuses.iter().filter(|(status, _)| !expected.contains(status));
    let mut wrong: Vec<String> = others.map(|(status, count)| format!("{count} answers were {status}")).collect();
    if loaded.errors > 0 {
        wrong.push(format!("{} calls had no answer: {}", loaded.errors, loaded.first_error.as_deref().unwrap_or_default()));
    }
    wrong
}

impl Bench {
    /// What a contestant is called in the record.
    pub(super) fn name(&self, contestant: Contestant) -> String {
        match contestant {
            Contestant::Product(i) => self.products.get(i).map_or_else(String::new, |product| product.name.clone()),
            Contestant::Ceiling => CEILING.into(),
            Contestant::Pool(way) => POOL[way].into(),
            Contestant::Pgbench(way) => PGBENCH[way].into(),
        }
    }
}
