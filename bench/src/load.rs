//! Load: requests to reserve a unit, over HTTP/1.1 connections that stay open.
//!
//! In a closed loop, each connection sends its next request when it has the answer to the last. This shows how many requests the
//! server answers. In an open loop, requests are due at fixed times, and a latency counts from that time even if the request was
//! sent late: a server that stops for a second delays every request of that second, as in a rush.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Uri,
    body::Bytes,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::{
    net::TcpStream,
    sync::{Mutex, mpsc},
    task::JoinSet,
};

/// The header that names the shopper, who is also in the body. The host's front makes the authorizer's context from it.
pub const SHOPPER_HEADER: &str = "x-user-id";
/// A request without an answer for so long has failed.
const PATIENCE: Duration = Duration::from_secs(15);

/// Where requests go.
#[derive(Debug, Clone)]
pub struct Target {
    authority: String,
    path: String,
}

impl Target {
    /// `POST <url>/reserve-inventory`.
    ///
    /// # Errors
    /// When `url` is not `http://host:port` with an optional path.
    pub fn new(url: &str) -> Result<Self> {
        let uri: Uri = url.parse().with_context(|| format!("{url} is no URL"))?;
        let (Some("http"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            bail!("{url} does not begin with http://");
        };
        let port = authority.port_u16().unwrap_or(80);
        let path = format!("{}/reserve-inventory", uri.path().trim_end_matches('/'));
        Ok(Self { authority: format!("{}:{port}", authority.host()), path })
    }
}

/// Who asks for what. Clones share the count of shoppers.
#[derive(Debug, Clone)]
pub struct Traffic {
    product: &'static str,
    /// So many shoppers take turns; `None`: each request comes from another shopper.
    shoppers: Option<u64>,
    /// Distinguishes the shoppers from those of earlier runs, whom another server may know.
    run: u32,
    count: Arc<AtomicU64>,
}

impl Traffic {
    /// Each request comes from another shopper.
    #[must_use]
    pub fn of_new_shoppers(product: &'static str) -> Self {
        Self { product, shoppers: None, run: run(), count: Arc::default() }
    }

    /// So many shoppers take turns. A single one would empty its token bucket.
    #[must_use]
    pub fn of_shoppers(shoppers: u64, product: &'static str) -> Self {
        Self { shoppers: Some(shoppers), ..Self::of_new_shoppers(product) }
    }

    /// A shopper's id has the form of Cognito's.
    fn next_shopper(&self) -> String {
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        // No new shopper has a number of those who take turns.
        let number = self.shoppers.map_or(count, |shoppers| u64::from(u32::MAX) + count % shoppers);
        format!("{:08x}-7a44-4c0f-9d53-{number:012x}", self.run)
    }
}

/// The seconds since 1970, without the upper bits.
fn run() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since.as_secs() & u64::from(u32::MAX)).unwrap_or_default()
}

/// How long load lasts.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// This many requests, over all connections.
    Requests(u64),
    /// This duration.
    Elapsed(Duration),
}

/// The answers to a load.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// Answers by HTTP status.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests without an answer.
    pub failures: u64,
    /// An example of a failure.
    pub failure: Option<String>,
    /// The time until each answer, sorted.
    pub latencies: Vec<Duration>,
    /// From the first request to the last answer.
    pub elapsed: Duration,
}

impl Answers {
    /// Answered requests.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.statuses.values().sum()
    }

    /// The latency that `share` of the answers do not exceed (nearest rank). Zero without answers.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank is a small positive number"
    )]
    pub fn percentile(&self, share: f64) -> Duration {
        let rank = (share * self.latencies.len() as f64).ceil() as usize;
        self.latencies.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    fn note(&mut self, answered: Result<u16>, latency: Duration) {
        match answered {
            Ok(status) => {
                *self.statuses.entry(status).or_default() += 1;
                self.latencies.push(latency);
            }
            Err(error) => {
                self.failures += 1;
                self.failure.get_or_insert_with(|| format!("{error:#}"));
            }
        }
    }

    fn merge(&mut self, other: Self) {
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.failures += other.failures;
        self.failure = self.failure.take().or(other.failure);
        self.latencies.extend(other.latencies);
    }
}

/// Load for one target. Ends early when `interrupted` is set.
#[derive(Debug, Clone)]
pub struct Load {
    /// Where requests go.
    pub target: Target,
    /// Who asks for what.
    pub traffic: Traffic,
    /// The user wants the run to end.
    pub interrupted: Arc<AtomicBool>,
}

impl Load {
    /// A closed loop over so many connections.
    ///
    /// # Errors
    /// When the target takes no connections.
    pub async fn closed(&self, connections: usize, until: Until) -> Result<Answers> {
        let started = Instant::now();
        let sent = Arc::new(AtomicU64::new(0));
        let mut workers = JoinSet::new();
        for _ in 0..connections {
            let (load, sent) = (self.clone(), Arc::clone(&sent));
            let mut connection = Connection::open(&self.target).await?;
            workers.spawn(async move {
                let mut answers = Answers::default();
                while !load.interrupted.load(Ordering::Relaxed) && goes_on(until, &sent, started) {
                    let sent = Instant::now();
                    let answered = connection.ask(&load.traffic).await;
                    answers.note(answered, sent.elapsed());
                }
                answers
            });
        }
        gather(workers, started).await
    }

    /// An open loop of `rate` requests per second for so long, over at most so many connections.
    ///
    /// # Errors
    /// When the target takes no connections.
    pub async fn open(&self, connections: usize, rate: f64, lasts: Duration) -> Result<Answers> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let receiver = Arc::new(Mutex::new(receiver));
        let mut workers = JoinSet::new();
        let mut opened = Vec::new();
        for _ in 0..connections {
            opened.push(Connection::open(&self.target).await?);
        }
        let started = Instant::now();
        // The runtime's timers have a resolution of a millisecond; a thread sleeps more exactly.
        let interrupted = Arc::clone(&self.interrupted);
        let pace = std::thread::spawn(move || due_times(&sender, started, rate, lasts, &interrupted));
        for mut connection in opened {
            let (load, receiver) = (self.clone(), Arc::clone(&receiver));
            workers.spawn(async move {
                let mut answers = Answers::default();
                loop {
                    let Some(due) = receiver.lock().await.recv().await else { return answers };
                    let answered = connection.ask(&load.traffic).await;
                    answers.note(answered, Instant::now().saturating_duration_since(due));
                }
            });
        }
        let answers = gather(workers, started).await;
        let _ = pace.join(); // it has ended: it owns the sender
        answers
    }
}

/// Sends each due time when it comes.
fn due_times(sender: &mpsc::UnboundedSender<Instant>, started: Instant, rate: f64, lasts: Duration, interrupted: &AtomicBool) {
    for number in 0_u32.. {
        let after = Duration::from_secs_f64(f64::from(number) / rate);
        let due = started + after;
        if after >= lasts || interrupted.load(Ordering::Relaxed) {
            return;
        }
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        if sender.send(due).is_err() {
            return;
        }
    }
}

fn goes_on(until: Until, sent: &AtomicU64, started: Instant) -> bool {
    match until {
        Until::Requests(count) => sent.fetch_add(1, Ordering::Relaxed) < count,
        Until::Elapsed(lasts) => started.elapsed() < lasts,
    }
}

async fn gather(mut workers: JoinSet<Answers>, started: Instant) -> Result<Answers> {
    let mut all = Answers::default();
    while let Some(answers) = workers.join_next().await {
        all.merge(answers.context("a connection's task failed")?);
    }
    all.elapsed = started.elapsed();
    all.latencies.sort_unstable();
    Ok(all)
}

/// One connection. It is opened again after a failure.
struct Connection {
    target: Target,
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    async fn open(target: &Target) -> Result<Self> {
        let stream = TcpStream::connect(&target.authority).await.with_context(|| format!("{} is down", target.authority))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { target: target.clone(), sender })
    }

    /// Sends one request and reads the whole answer. Returns its status.
    async fn ask(&mut self, traffic: &Traffic) -> Result<u16> {
        match tokio::time::timeout(PATIENCE, self.exchange(traffic)).await {
            Ok(Ok(status)) => Ok(status),
            failed => {
                *self = Self::open(&self.target).await?;
                failed.context("no answer in time")?
            }
        }
    }

    async fn exchange(&mut self, traffic: &Traffic) -> Result<u16> {
        let shopper = traffic.next_shopper();
        let body = json!({"product_id": traffic.product, "quantity": 1, "user_id": shopper}).to_string();
        if self.sender.ready().await.is_err() {
            *self = Self::open(&self.target).await?; // the server has closed the connection between two requests
        }
        let request = Request::post(&self.target.path)
            .header("host", &self.target.authority)
            .header("content-type", "application/json")
            .header(SHOPPER_HEADER, &shopper)
            .body(Full::new(Bytes::from(body)))?;
        let response = self.sender.send_request(request).await?;
        let status = response.status().as_u16();
        response.into_body().collect().await?;
        Ok(status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_a_host_a_port_and_a_path() {
        let target = |url| Target::new(url).map(|target| (target.authority, target.path)).ok();
        let found = |authority: &str, path: &str| Some((authority.to_owned(), path.to_owned()));
        assert_eq!(target("http://127.0.0.1:5000"), found("127.0.0.1:5000", "/reserve-inventory"));
        assert_eq!(target("http://shop/v1/"), found("shop:80", "/v1/reserve-inventory"));
        assert_eq!(target("https://shop"), None);
        assert_eq!(target("shop:80"), None);
    }

    #[test]
    fn a_percentile_is_the_latency_of_its_rank() {
        let of = |count: u64| Answers { latencies: (1..=count).map(Duration::from_millis).collect(), ..Answers::default() };
        let milliseconds = |answers: &Answers, share| answers.percentile(share).as_millis();
        assert_eq!((milliseconds(&of(100), 0.5), milliseconds(&of(100), 0.99), milliseconds(&of(100), 1.0)), (50, 99, 100));
        assert_eq!((milliseconds(&of(1), 0.001), milliseconds(&of(0), 0.5)), (1, 0));
    }

    /// A server that takes a connection and answers nothing for a while delays all requests that are due meanwhile.
    #[test]
    fn a_request_is_due_whether_or_not_the_one_before_has_been_answered() {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let started = Instant::now();
        due_times(&sender, started, 1_000.0, Duration::from_millis(5), &AtomicBool::new(false));
        let due: Vec<u128> = std::iter::from_fn(|| receiver.try_recv().ok()).map(|due| (due - started).as_micros()).collect();
        assert_eq!(due, [0, 1_000, 2_000, 3_000, 4_000]);
    }
}
