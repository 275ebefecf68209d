//! HTTP/1.1 servers on the loopback interface.

use std::{convert::Infallible, future::Future};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    task::{AbortHandle, JoinSet},
};

/// An answer whose body is in memory.
pub(crate) type Answer = Response<Full<Bytes>>;

/// A server that ends, with all its connections, when this is dropped.
pub(crate) struct Server(AbortHandle);

impl Server {
    /// Serves every connection that `listener` accepts.
    pub(crate) fn start<F, R>(listener: TcpListener, respond: F) -> Self
    where
        F: Fn(Request<Incoming>) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Answer> + Send + 'static,
    {
        Self(tokio::spawn(accept(listener, respond)).abort_handle())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn accept<F, R>(listener: TcpListener, respond: F)
where
    F: Fn(Request<Incoming>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Answer> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true); // without it, the server is only slower
        let respond = respond.clone();
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let answer = respond(request);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            // A client that goes away ends its connection with an error.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

/// The whole body of a request; empty if the client goes away.
pub(crate) async fn body_of(request: Request<Incoming>) -> Bytes {
    request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default()
}

/// An answer with this status and body, and with headers whose values are valid.
pub(crate) fn answer(status: u16, headers: &[(&'static str, &str)], body: impl Into<Bytes>) -> Answer {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Full::new(body.into())).unwrap_or_else(|_| {
        let mut failed = Response::new(Full::new(Bytes::from_static(b"the answer is no HTTP")));
        *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        failed
    })
}
