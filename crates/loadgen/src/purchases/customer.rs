//! A customer who trusts no line: it makes every request four times, and believes an answer only if it is always the same.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rand::RngExt;
use rand::seq::{IndexedRandom, IteratorRandom};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use super::{PATIENCE, Purchase, SEATS};
use crate::client::{BaseUrl, Connection, Method};
use crate::progress::Progress;

/// How often a request is made at most before its customer despairs.
const TRIES_MAX: u32 = 200;
/// How much later than the others the last repeat of a request may be made.
const ECHO_MS_MAX: u64 = 1_500;

/// What customers tell of their purchases.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) purchases: Vec<Purchase>,
    pub(super) holds_refused: u64,
    pub(super) requests: u64,
    pub(super) lost: u64,
    pub(super) wrong: Vec<String>,
}

/// A request that can be made again.
#[derive(Clone, Debug)]
struct Request {
    path: &'static str,
    body: Arc<[u8]>,
    /// None for one that does no harm when it is made again without.
    key: Option<String>,
    token: Option<Box<str>>,
}

/// What the server said: status and body. Only what it would say again counts.
type Answer = (u16, Value);

/// A way to the server, and what was seen on it.
struct Way {
    line: BaseUrl,
    connection: Option<Connection>,
    requests: u64,
    lost: u64,
}

/// Who makes many purchases, one after the other.
pub(super) struct Customer {
    name: String,
    shows: Arc<[i64]>,
    first: Way,
    second: Way,
    echo: Echo,
    progress: Progress,
    /// Holds asked for.
    holds: u32,
    told: Told,
}

impl Told {
    /// Adds what another one tells.
    pub(super) fn add(&mut self, other: Self) {
        self.purchases.extend(other.purchases);
        self.holds_refused += other.holds_refused;
        self.requests += other.requests;
        self.lost += other.lost;
        self.wrong.extend(other.wrong);
    }
}

impl Customer {
    pub(super) fn new(line: BaseUrl, shows: Arc<[i64]>, name: String, progress: Progress) -> Self {
        let echo = Echo::start(Way::new(line.clone()));
        let (first, second) = (Way::new(line.clone()), Way::new(line));
        Self { name, shows, first, second, echo, progress, holds: 0, told: Told::default() }
    }

    /// Makes so many purchases.
    pub(super) async fn buy(mut self, purchases: usize) -> anyhow::Result<Told> {
        for number in 0..purchases {
            let purchase = self.purchase(number).await.with_context(|| format!("purchase {number} of {}", self.name))?;
            self.told.purchases.push(purchase);
            self.progress.step();
        }
        let (echoed, wrong) = self.echo.end().await?;
        self.told.wrong.extend(wrong);
        for way in [self.first, self.second, echoed] {
            self.told.requests += way.requests;
            self.told.lost += way.lost;
        }
        Ok(self.told)
    }

    /// Holds until it has seats, and pays for them.
    async fn purchase(&mut self, number: usize) -> anyhow::Result<Purchase> {
        let user_name = format!("{}-{number}", self.name);
        let payment = format!("pay-{user_name}");
        let (show_id, seats, held) = self.hold(&user_name).await?;
        let booking_id = held["bookingId"].as_i64().context("a hold without a booking")?;
        let token = held["bookingToken"].as_str().map(Into::into);
        let body = json!({ "bookingId": booking_id, "paymentReference": payment });
        let confirm = Request::new("/book/confirm", &body, Some(format!("confirm-{user_name}")), token.clone())?;
        let (status, confirmed) = self.ask(confirm).await?;
        if status != 200 || confirmed["bookingId"].as_i64() != Some(booking_id) {
            self.told.wrong.push(format!("{user_name}: the confirm of booking {booking_id} was answered {status} {confirmed}"));
        }
        Ok(Purchase { user_name, payment, show_id, seats, booking_id, token })
    }

    /// The show, the seats and the answer of the hold that was not refused.
    async fn hold(&mut self, user_name: &str) -> anyhow::Result<(i64, Vec<u32>, Value)> {
        for _ in 0..TRIES_MAX {
            let show_id = *self.shows.choose(&mut rand::rng()).context("no show")?;
            let seats = some_seats();
            self.holds += 1;
            let key = format!("hold-{}-{}", self.name, self.holds);
            let body = json!({ "showId": show_id, "seats": seats, "userName": user_name });
            let (status, answer) = self.ask(Request::new("/book", &body, Some(key), None)?).await?;
            match status {
                201 => return Ok((show_id, seats, answer)),
                409 => self.told.holds_refused += 1,
                _ => anyhow::bail!("a hold was answered {status} {answer}"),
            }
        }
        anyhow::bail!("there is no seat to be had")
    }

    /// Makes a request twice at once, once more when that is over, and once more later; until there is an answer.
    async fn ask(&mut self, request: Request) -> anyhow::Result<Answer> {
        let (one, other) = tokio::join!(self.first.try_once(&request), self.second.try_once(&request));
        let again = self.first.try_once(&request.perhaps_without_key()).await;
        let mut answers: Vec<Answer> = [one, other, again].into_iter().flatten().collect();
        for _ in 0..TRIES_MAX {
            if !answers.is_empty() {
                break;
            }
            answers.extend(self.second.try_once(&request).await);
        }
        let answer = answers.first().context("there is no answer, however often it is asked")?.clone();
        if let Some(different) = answers.iter().find(|other| **other != answer) {
            self.told.wrong.push(format!("{} {}: {answer:?}, and {different:?}", self.name, request.path));
        }
        self.echo.send(request, answer.clone());
        Ok(answer)
    }
}

fn some_seats() -> Vec<u32> {
    let mut random = rand::rng();
    let wanted = random.random_range(1..=3);
    let mut seats = (1..=SEATS).sample(&mut random, wanted);
    seats.sort_unstable();
    seats
}

impl Request {
    fn new(path: &'static str, body: &Value, key: Option<String>, token: Option<Box<str>>) -> anyhow::Result<Self> {
        Ok(Self { path, body: serde_json::to_vec(body)?.into(), key, token })
    }

    /// A confirm may be made again without its key: it names its payment.
    fn perhaps_without_key(&self) -> Self {
        let without = self.path == "/book/confirm" && rand::rng().random_bool(0.5);
        Self { key: self.key.clone().filter(|_| !without), ..self.clone() }
    }
}

impl Way {
    const fn new(line: BaseUrl) -> Self {
        Self { line, connection: None, requests: 0, lost: 0 }
    }

    /// Makes the request once. `None` if there is no answer, or none that would be given again.
    async fn try_once(&mut self, request: &Request) -> Option<Answer> {
        self.requests += 1;
        let answer = self.call(request).await;
        if answer.is_none() {
            self.lost += 1;
            // Whatever is on the connection still belongs to this request.
            self.connection = None;
            sleep(Duration::from_millis(5)).await;
        }
        answer
    }

    async fn call(&mut self, request: &Request) -> Option<Answer> {
        if self.connection.is_none() {
            let mut connection = Connection::open(&self.line).await.ok()?;
            connection.set_time_limit(PATIENCE);
            self.connection = Some(connection);
        }
        let bearer = request.token.as_ref().map(|token| format!("Bearer {token}"));
        let key = request.key.as_deref().map(|key| ("idempotency-key", key));
        let headers: Vec<(&str, &str)> =
            key.into_iter().chain(bearer.as_deref().map(|bearer| ("authorization", bearer))).collect();
        let connection = self.connection.as_mut()?;
        let answer = connection.call(Method::POST, request.path, Some(&request.body), &headers).await.ok()?;
        let is_final = answer.status < 500 && answer.status != 429;
        is_final.then(|| Some((answer.status, answer.json().ok()?))).flatten()
    }
}

/// Makes requests again, later, when their answers have been believed.
struct Echo {
    queue: mpsc::UnboundedSender<(Instant, Request, Answer)>,
    working: JoinHandle<(Way, Vec<String>)>,
}

impl Echo {
    fn start(mut way: Way) -> Self {
        let (queue, mut requests) = mpsc::unbounded_channel::<(Instant, Request, Answer)>();
        let working = tokio::spawn(async move {
            let mut wrong = Vec::new();
            while let Some((when, request, believed)) = requests.recv().await {
                sleep_until(when).await;
                match way.try_once(&request).await {
                    Some(answer) if answer != believed => {
                        wrong.push(format!("{} later: {answer:?}, and it was {believed:?}", request.path));
                    }
                    Some(_) | None => {}
                }
            }
            (way, wrong)
        });
        Self { queue, working }
    }

    fn send(&self, request: Request, believed: Answer) {
        let when = Instant::now() + Duration::from_millis(rand::rng().random_range(0..ECHO_MS_MAX));
        // It ends only when this does.
        let _ = self.queue.send((when, request, believed));
    }

    /// Waits for what is still to be said.
    async fn end(self) -> anyhow::Result<(Way, Vec<String>)> {
        drop(self.queue);
        self.working.await.context("an echo broke down")
    }
}
