//! The Lambda host: environments of one bootstrap, their Runtime API, and a front that takes HTTP requests as API Gateway does.
//!
//! As on Lambda, an environment handles one event at a time. A request waits in one queue until an environment is idle.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use hyper::{
    Request,
    body::{Bytes, Incoming},
};
use serde::Deserialize;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};

use crate::{
    event::EventTemplate,
    load::SHOPPER_HEADER,
    runtime_api::{Invocation, RuntimeApi},
    serving::{self, Answer, Server},
};

const START_PATIENCE: Duration = Duration::from_secs(20);
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(5);
/// Lines of an environment's log in an error.
const LOG_LINES: usize = 15;

/// A bootstrap and the function that it serves.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    /// The executable.
    pub program: PathBuf,
    /// The function: Lambda's `Handler`.
    pub handler: &'static str,
}

/// The environments of one function with their front.
pub struct Host {
    front: SocketAddr,
    environments: Vec<Environment>,
    _front_server: Server,
}

/// One process. Dropping it ends the process.
struct Environment {
    child: Child,
    started_in: Duration,
    _runtime_api: Server,
}

impl Drop for Environment {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended by itself
        let _ = self.child.wait();
    }
}

impl Host {
    /// Starts environments one after the other. Each has these variables and Lambda's own, and writes its log to a file of its own
    /// in `logs`.
    ///
    /// # Errors
    /// When an environment does not ask for an event within 20 s.
    pub async fn start(
        bootstrap: &Bootstrap,
        variables: &BTreeMap<String, String>,
        environments: usize,
        logs: &Path,
    ) -> Result<Self> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let queue = Arc::new(tokio::sync::Mutex::new(receiver));
        let mut started = Vec::new();
        for number in 0..environments {
            let log = logs.join(format!("{}-{number}.log", bootstrap.handler));
            let api = Arc::new(RuntimeApi::new(Arc::clone(&queue)));
            started.push(Environment::start(bootstrap, variables, api, &log).await?);
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let front = listener.local_addr()?;
        let gateway = Arc::new(Front {
            template: EventTemplate::new(test_aws::event_value("reserve/ok.json"))?,
            queue: sender,
            invocations: AtomicU64::new(0),
        });
        let server = Server::start(listener, move |request| Arc::clone(&gateway).answer(request));
        Ok(Self { front, environments: started, _front_server: server })
    }

    /// The address that takes HTTP requests.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.front)
    }

    /// The numbers of the processes.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        self.environments.iter().map(|environment| environment.child.id()).collect()
    }

    /// How long each environment took from its start to its first request for an event.
    pub fn starts(&self) -> impl Iterator<Item = Duration> {
        self.environments.iter().map(|environment| environment.started_in)
    }
}

impl Environment {
    async fn start(
        bootstrap: &Bootstrap,
        variables: &BTreeMap<String, String>,
        api: Arc<RuntimeApi>,
        log: &Path,
    ) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?.to_string();
        let served = Arc::clone(&api);
        let server = Server::start(listener, move |request| Arc::clone(&served).answer(request));
        let output = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let started = Instant::now();
        let child = Command::new(&bootstrap.program)
            .env_clear()
            .envs(lambdas_own(bootstrap.handler, &address))
            .envs(variables)
            // Ctrl-C ends the host, and the host ends its environments: until then they answer.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {}", bootstrap.program.display()))?;
        let mut environment = Self { child, started_in: Duration::ZERO, _runtime_api: server };
        let mut waiting = std::pin::pin!(api.initialised());
        loop {
            match tokio::time::timeout(POLL, &mut waiting).await {
                Ok(Ok(ready)) => {
                    environment.started_in = ready.duration_since(started);
                    return Ok(environment);
                }
                Ok(Err(error)) => bail!("{} fails to start: {error}\n{}", bootstrap.handler, tail(log)),
                Err(_) => {}
            }
            if let Some(status) = environment.child.try_wait()? {
                bail!("{} ends at its start ({status})\n{}", bootstrap.handler, tail(log));
            }
            if started.elapsed() > START_PATIENCE {
                bail!("{} asks for no event\n{}", bootstrap.handler, tail(log));
            }
        }
    }
}

/// The variables that Lambda sets. The log settings are those of `template.yaml`.
fn lambdas_own(handler: &str, runtime_api: &str) -> [(&'static str, String); 15] {
    [
        ("_HANDLER", handler.to_owned()),
        ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_owned()),
        ("AWS_LAMBDA_FUNCTION_NAME", handler.to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON".to_owned()),
        ("AWS_LAMBDA_LOG_LEVEL", "INFO".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{handler}")),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("AWS_SESSION_TOKEN", "test".to_owned()),
    ]
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(LOG_LINES)..).unwrap_or_default().join("\n")
}

/// Turns HTTP requests into events, as API Gateway does, and the function's answers into HTTP responses.
struct Front {
    template: EventTemplate,
    queue: mpsc::UnboundedSender<Invocation>,
    invocations: AtomicU64,
}

/// A function's answer, as API Gateway's REST API reads it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reply {
    status_code: u16,
    #[serde(default)]
    multi_value_headers: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    body: Option<String>,
}

impl Front {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Answer {
        let shopper = request.headers().get(SHOPPER_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let body = serving::body_of(request).await;
        let number = self.invocations.fetch_add(1, Ordering::Relaxed);
        let id = format!("00000000-0000-4000-8000-{number:012x}");
        let event = self.template.event(&shopper, &String::from_utf8_lossy(&body), &id);
        let (result, answered) = oneshot::channel();
        if self.queue.send(Invocation { id, event: Bytes::from(event), result }).is_err() {
            return serving::answer(503, &[], "no environment runs");
        }
        match tokio::time::timeout(ANSWER_PATIENCE, answered).await {
            Ok(Ok(Ok(reply))) => response(&reply),
            Ok(Ok(Err(error))) => serving::answer(502, &[], error),
            Ok(Err(_)) => serving::answer(502, &[], "the environment ended"),
            Err(_) => serving::answer(504, &[], "the environment does not answer"),
        }
    }
}

fn response(reply: &[u8]) -> Answer {
    let Ok(reply) = serde_json::from_slice::<Reply>(reply) else {
        return serving::answer(502, &[], "the function's answer is none of a REST API");
    };
    let mut response = serving::answer(reply.status_code, &[], reply.body.unwrap_or_default());
    for (name, values) in &reply.multi_value_headers {
        let Ok(name) = hyper::header::HeaderName::try_from(name) else { continue };
        for value in values.iter().filter_map(|value| hyper::header::HeaderValue::try_from(value).ok()) {
            response.headers_mut().append(name.clone(), value);
        }
    }
    response
}
