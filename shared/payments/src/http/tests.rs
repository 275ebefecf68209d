//! The limits and outcomes of a call, in this process and over real sockets.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::testing::{Next, Provider};

const THINGS: &str = "http://provider.invalid/v1/things";

fn get(url: &str) -> Request {
    Request::get(url.to_owned()).with("authorization", "Bearer sk_test_local")
}

async fn call(next: Next) -> Reply {
    Provider::that([next]).http().call(get(THINGS), deadline()).await
}

fn answered(reply: Reply) -> Answer {
    match reply {
        Reply::Answered(answer) => answer,
        Reply::NotSent | Reply::NoAnswer => panic!("{reply:?}"),
    }
}

#[tokio::test]
async fn any_status_is_an_answer_with_its_headers_and_body() {
    for status in [200, 204, 302, 402, 500] {
        let next = Next::Answer(status, vec![("Retry-After", "7")], r#"{"a":1}"#.to_owned());
        let answer = answered(call(next).await);
        assert_eq!((answer.status, answer.retry_after(), answer.body()), (status, Some(7), &br#"{"a":1}"#[..]));
        assert_eq!(answer.is_success(), status < 300);
    }
}

#[tokio::test]
async fn a_date_is_no_number_of_seconds() {
    let next = Next::Answer(429, vec![("retry-after", "Fri, 20 Nov 2026 12:00:00 GMT")], String::new());
    assert_eq!(answered(call(next).await).retry_after(), None);
}

#[tokio::test]
async fn a_request_arrives_as_it_was_written() {
    let provider = Provider::that([Next::json(200, &serde_json::json!({}))]);
    let request = Request::post(THINGS.to_owned(), "application/json", "{}".to_owned()).with("idempotency-key", "k");
    provider.http().call(request, deadline()).await;
    let asked = provider.asked_once();
    assert_eq!((asked.line.as_str(), asked.body.as_str()), ("POST http://provider.invalid/v1/things", "{}"));
    assert_eq!((asked.header("content-type"), asked.header("idempotency-key")), (Some("application/json"), Some("k")));
}

#[tokio::test]
async fn a_refused_connection_sent_nothing_and_a_broken_one_may_have() {
    assert!(matches!(call(Next::Refused).await, Reply::NotSent));
    assert!(matches!(call(Next::Broken).await, Reply::NoAnswer));
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_after_four_seconds_of_the_timers_clock() {
    let started = Instant::now();
    assert!(matches!(call(Next::Silence).await, Reply::NoAnswer));
    assert_eq!(started.elapsed().as_secs(), 4);

    let slow = |milliseconds| Next::After(Duration::from_millis(milliseconds), 200, String::new());
    assert!(matches!(call(slow(3_998)).await, Reply::Answered(_)));
    assert!(matches!(call(slow(4_002)).await, Reply::NoAnswer));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_after_the_deadline() {
    let provider = Provider::default();
    assert!(matches!(provider.http().call(get(THINGS), Instant::now()).await, Reply::NotSent));
    assert!(provider.asked().is_empty());
}

#[tokio::test]
async fn an_answer_of_more_than_a_mebibyte_is_not_read() {
    let body = |length| Next::Answer(200, Vec::new(), "x".repeat(length));
    assert_eq!(answered(call(body(LARGEST_ANSWER)).await).body().len(), LARGEST_ANSWER);
    assert!(matches!(call(body(LARGEST_ANSWER + 1)).await, Reply::NoAnswer));
}

#[tokio::test]
async fn what_cannot_be_written_is_not_sent() {
    let provider = Provider::default();
    for request in [get(THINGS).with("idempotency-key", "two\nlines"), get("no url")] {
        assert!(matches!(provider.http().call(request, deadline()).await, Reply::NotSent));
    }
    assert!(provider.asked().is_empty());
}

#[tokio::test]
async fn nothing_that_is_printed_has_a_secret() {
    let request =
        Request::post(THINGS.to_owned(), "text/plain", "client_secret=hidden".to_owned()).with("authorization", "hidden");
    let answer = answered(call(Next::Answer(200, vec![("x", "hidden")], "hidden".to_owned())).await);
    for printed in [format!("{:?}", Secret::new("hidden".to_owned())), format!("{request:?}"), format!("{answer:?}")] {
        assert!(!printed.contains("hidden"), "{printed}");
    }
}

/// The outcome of a call over the network to a server that reads `reads` bytes, writes `writes` and closes the connection.
async fn call_to(scheme: &str, reads: usize, writes: &'static [u8]) -> Reply {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("{scheme}://{}/v1/things", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_exact(&mut vec![0; reads]).await.unwrap();
        stream.write_all(writes).await.unwrap();
    });
    let reply = Http::deployed().call(get(&url), deadline()).await;
    server.await.unwrap();
    reply
}

#[tokio::test]
async fn over_the_network_an_answer_comes_back() {
    let answer = answered(call_to("http", 4, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await);
    assert_eq!((answer.status, answer.body()), (200, &b"hi"[..]));
}

#[tokio::test]
async fn over_the_network_a_lost_or_broken_answer_leaves_the_outcome_open() {
    assert!(matches!(call_to("http", 4, b"").await, Reply::NoAnswer));
    assert!(matches!(call_to("http", 4, b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nhi").await, Reply::NoAnswer));
}

#[tokio::test]
async fn over_the_network_a_call_without_a_connection_sent_nothing() {
    let free = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    assert!(matches!(Http::deployed().call(get(&format!("http://{free}/")), deadline()).await, Reply::NotSent));
    assert!(matches!(Http::deployed().call(get("http://provider.invalid/"), deadline()).await, Reply::NotSent));
    // The server does not speak TLS.
    assert!(matches!(call_to("https", 4, b"HTTP/1.1 400 Bad Request\r\n\r\n").await, Reply::NotSent));
}
