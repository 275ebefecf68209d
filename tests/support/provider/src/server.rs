//! A provider on a port of the loopback interface, on the real clock. It ends, with all its connections, when it is dropped.
//!
//! `POST /_fake/clock` with `{"seconds": n}` puts the clock of this provider forward, so that a test sees what happens later.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::{Bytes, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, oneshot},
    task::JoinSet,
};

use crate::{Answer, Delivery, Provider, later};

/// How often the server looks for deliveries that have become due.
const LOOKS_EVERY: Duration = Duration::from_millis(20);
/// How long a receiver of webhooks may take, as with Stripe and PayPal about.
const RECEIVER_MAY_TAKE: Duration = Duration::from_secs(10);
/// How often a program looks whether it was asked to end.
const POLL: Duration = Duration::from_millis(50);

/// A running provider.
#[derive(Debug)]
pub struct Server<P> {
    address: SocketAddr,
    shared: Arc<Shared<P>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared<P> {
    provider: Mutex<P>,
    /// By how many seconds the provider's clock is ahead.
    ahead_seconds: AtomicU64,
    changed: Notify,
}

impl<P: Provider + 'static> Server<P> {
    /// Serves `provider` on 127.0.0.1. Port 0 stands for any free port.
    ///
    /// # Errors
    /// The port is taken, or the system has no threads left.
    pub fn start(provider: P, port: u16) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shared =
            Arc::new(Shared { provider: Mutex::new(provider), ahead_seconds: AtomicU64::new(0), changed: Notify::new() });
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("fake provider".to_owned()).spawn(move || {
            runtime.block_on(async {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                tokio::select! {
                    () = accept(&listener, &served) => {}
                    () = deliver(&served) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { address, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The provider itself. It answers nobody while this is held.
    pub fn provider(&self) -> MutexGuard<'_, P> {
        self.shared.provider()
    }
}

impl<P> Drop for Server<P> {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic in the provider has been reported
        }
    }
}

impl<P> Shared<P> {
    fn provider(&self) -> MutexGuard<'_, P> {
        self.provider.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        let ahead = Duration::from_secs(self.ahead_seconds.load(Ordering::Relaxed));
        #[expect(clippy::disallowed_methods, reason = "the fakes' own server is on the real clock")]
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        later(Timestamp::UNIX_EPOCH, since.saturating_add(ahead))
    }
}

/// Blocks until this process gets SIGINT, SIGTERM or SIGHUP.
///
/// # Errors
/// The signals cannot be caught.
pub fn until_signal() -> io::Result<()> {
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&asked))?;
    }
    while !asked.load(Ordering::Relaxed) {
        std::thread::sleep(POLL);
    }
    Ok(())
}

/// The end of a connection whose answer is lost.
#[derive(Debug)]
struct Lost;

impl std::fmt::Display for Lost {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the answer is lost")
    }
}

impl std::error::Error for Lost {}

async fn accept<P: Provider + 'static>(listener: &TcpListener, shared: &Arc<Shared<P>>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true); // without it, the server is only slower
        let shared = Arc::clone(shared);
        connections.spawn(async move {
            let service = service_fn(move |request| respond(Arc::clone(&shared), request));
            // A client that goes away, and a lost answer, end the connection with an error.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn respond<P: Provider>(shared: Arc<Shared<P>>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Lost> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Lost)?.to_bytes().to_vec();
    let request = Request::from_parts(head, body);
    if request.method() == Method::POST && request.uri().path() == "/_fake/clock" {
        return Ok(shared.put_forward(request.body()).map(into_body));
    }
    let answer = shared.provider().answer(&request, shared.now());
    shared.changed.notify_one();
    match answer {
        Answer::Now(response) => Ok(response.map(into_body)),
        Answer::Late(after, response) => {
            tokio::time::sleep(after).await;
            Ok(response.map(into_body))
        }
        Answer::Lost => Err(Lost),
    }
}

fn into_body(body: Vec<u8>) -> Full<Bytes> {
    Full::new(Bytes::from(body))
}

/// The body of `POST /_fake/clock`.
#[derive(Deserialize)]
struct PutForward {
    seconds: u64,
}

impl<P> Shared<P> {
    fn put_forward(&self, body: &[u8]) -> Response<Vec<u8>> {
        let Ok(PutForward { seconds }) = serde_json::from_slice(body) else {
            return crate::json(400, &json!({ "fake": "the body is {\"seconds\": n}" }));
        };
        self.ahead_seconds.fetch_add(seconds, Ordering::Relaxed);
        self.changed.notify_one();
        crate::json(200, &json!({ "now": self.now().as_second() }))
    }
}

/// Sends what is due, one after the other, so that a receiver sees the order that the provider chose.
async fn deliver<P: Provider>(shared: &Shared<P>) {
    loop {
        let due = shared.provider().due(shared.now());
        for delivery in due {
            let accepted = tokio::time::timeout(RECEIVER_MAY_TAKE, send(&delivery)).await.ok().flatten();
            let accepted = accepted.is_some_and(|status| (200..300).contains(&status));
            shared.provider().delivered(&delivery, accepted, shared.now());
        }
        tokio::select! {
            () = shared.changed.notified() => {}
            () = tokio::time::sleep(LOOKS_EVERY) => {}
        }
    }
}

/// The status with which the receiver answered, if it did. Receivers elsewhere than on 127.0.0.1 never do.
async fn send(delivery: &Delivery) -> Option<u16> {
    let rest = delivery.url.strip_prefix("http://")?;
    let (authority, path) = rest.split_once('/').map_or((rest, String::new()), |(authority, path)| (authority, path.to_owned()));
    let port = match authority.split_once(':') {
        Some(("127.0.0.1", port)) => port.parse().ok()?,
        None if authority == "127.0.0.1" => 80,
        _ => return None,
    };
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    let mut request = Request::post(format!("/{path}")).header("host", authority);
    for (name, value) in &delivery.headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from(delivery.body.clone()))).ok()?;
    let response = async move {
        let response = sender.send_request(request).await.ok()?;
        let status = response.status().as_u16();
        response.into_body().collect().await.ok()?;
        Some(status)
    };
    // The connection ends when the response is here, because that drops the sender.
    let (status, _) = tokio::join!(response, connection);
    status
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpStream,
        sync::mpsc,
    };

    use super::*;

    /// Answers with its time, by default at once; delivers one event until the receiver accepts it.
    struct Echo {
        url: Option<String>,
        attempts: mpsc::Sender<bool>,
    }

    impl Provider for Echo {
        fn answer(&mut self, request: &Request<Vec<u8>>, now: Timestamp) -> Answer {
            let text = format!("{} {} {}", request.uri().path(), String::from_utf8_lossy(request.body()), now.as_second());
            let response = Response::new(text.into_bytes());
            match request.uri().path() {
                "/lost" => Answer::Lost,
                "/late" => Answer::Late(Duration::from_millis(1), response),
                _ => Answer::Now(response),
            }
        }

        fn due(&mut self, _: Timestamp) -> Vec<Delivery> {
            let headers = vec![("x-signed".to_owned(), "yes".to_owned())];
            let delivery = |url| Delivery { event_id: "one".to_owned(), url, headers, body: b"event".to_vec() };
            self.url.take().map(delivery).into_iter().collect()
        }

        fn delivered(&mut self, delivery: &Delivery, accepted: bool, _: Timestamp) {
            self.attempts.send(accepted).unwrap();
            self.url = (!accepted).then(|| delivery.url.clone());
        }
    }

    fn server() -> (Server<Echo>, mpsc::Receiver<bool>) {
        let (attempts, seen) = mpsc::channel();
        (Server::start(Echo { url: None, attempts }, 0).unwrap(), seen)
    }

    /// What the server sends back on a connection of its own.
    fn asked(server: &Server<Echo>, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        let length = body.len();
        write!(stream, "POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer); // a lost answer may reset the connection
        answer
    }

    /// Answers one webhook request with this status, and returns the request.
    fn receive(listener: &std::net::TcpListener, status: u16) -> String {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"event") {
            let mut buffer = [0; 1024];
            let read = stream.read(&mut buffer).unwrap();
            assert!(read > 0, "the request ends early");
            request.extend_from_slice(&buffer[..read]);
        }
        write!(stream, "HTTP/1.1 {status} Status\r\ncontent-length: 0\r\n\r\n").unwrap();
        String::from_utf8(request).unwrap()
    }

    #[test]
    fn answers_arrive_at_once_or_late_or_are_lost() {
        let (server, _seen) = server();
        assert!(asked(&server, "/now", "body").contains("/now body "));
        assert!(asked(&server, "/late", "body").contains("/late body "));
        assert_eq!(asked(&server, "/lost", "body"), "");
    }

    #[test]
    fn the_clock_can_be_put_forward() {
        let (server, _seen) = server();
        let seconds = |answer: &str| answer.rsplit(' ').next().unwrap().parse::<i64>().unwrap();
        let before = seconds(&asked(&server, "/now", ""));
        assert!(asked(&server, "/_fake/clock", r#"{"seconds": 86400}"#).contains("200 OK"));
        assert!(seconds(&asked(&server, "/now", "")) >= before + 86_400);
        assert!(asked(&server, "/_fake/clock", "{}").contains("400 Bad Request"));
    }

    #[test]
    fn webhooks_are_delivered_until_they_are_accepted() {
        let (server, seen) = server();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        server.provider().url = Some(format!("http://{}/hook?a=b", listener.local_addr().unwrap()));
        receive(&listener, 500);
        let request = receive(&listener, 204);
        assert!(request.starts_with("POST /hook?a=b HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("x-signed: yes\r\n"), "{request}");
        assert_eq!([seen.recv().unwrap(), seen.recv().unwrap()], [false, true]);
    }

    #[test]
    fn webhooks_never_leave_this_machine() {
        let (server, seen) = server();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in ["http://localhost", "https://127.0.0.1", "http://127.0.0.1.example.com", "http://[::1]"] {
            server.provider().url = Some(format!("{host}:{port}/"));
            assert!(!seen.recv().unwrap(), "{host}");
        }
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "nobody connected");
    }

    #[test]
    fn a_dropped_server_listens_no_more() {
        let (server, _seen) = server();
        let address = server.address();
        drop(server);
        assert!(TcpStream::connect(address).is_err());
    }
}
