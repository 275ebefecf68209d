//! Runs a bootstrap under `aws-lambda-rie` from the SAM CLI's package. Dropping an `Interface` ends its process by id, also
//! when a test fails.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;
use system_tests::{repository, template::Function};

const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(5);

/// A function under the Runtime Interface Emulator.
pub(crate) struct Interface {
    child: Child,
    address: String,
    log: PathBuf,
}

impl Interface {
    /// Starts the emulator, which starts the function at the first invocation.
    pub(crate) fn start(function: &Function, variables: &BTreeMap<String, String>, endpoint: &str) -> Self {
        let [address, runtime] = free_addresses();
        let log = std::env::temp_dir().join(format!("flash-sale-rie-{}.log", std::process::id()));
        let output = File::create(&log).expect("a log can be written");
        let child = Command::new(emulator())
            .args(["--log-level", "error", "--runtime-interface-emulator-address", &address, "--runtime-api-address", &runtime])
            .arg(bootstrap(&function.binary))
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .envs(aws(endpoint))
            .env("_HANDLER", &function.handler)
            .env("AWS_LAMBDA_FUNCTION_NAME", &function.name)
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .expect("the Runtime Interface Emulator starts");
        let interface = Self { child, address, log };
        let asked = Instant::now();
        while TcpStream::connect(&interface.address).is_err() {
            assert!(asked.elapsed() < PATIENCE, "the Runtime Interface Emulator does not answer");
            sleep(POLL);
        }
        interface
    }

    /// Invokes the function with `event` and returns its answer.
    pub(crate) async fn invoke(&self, event: &Value) -> Value {
        let url = format!("http://{}/2015-03-31/functions/function/invocations", self.address);
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        let answer = client.post(url).body(event.to_string()).send().await.expect("the Runtime Interface Emulator answers");
        let text = answer.text().await.unwrap();
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    }

    /// Ends the emulator and returns its output.
    pub(crate) fn stop(self) -> String {
        let log = self.log.clone();
        drop(self);
        let text = fs::read_to_string(&log).unwrap_or_default();
        let _ = fs::remove_file(log);
        text
    }
}

impl Drop for Interface {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// The variables that a function names when it starts without any, and when the optional ones are invalid.
pub(crate) fn variables_asked_for(function: &Function) -> BTreeSet<String> {
    let complaint = |variables| complaint(&function.binary, Some(&function.handler), variables);
    let without = complaint(&[]);
    // Variables that may be missing are named where their value is wrong, or where another one needs them.
    let wrong = complaint(&[
        ("ENVIRONMENT", "staging"),
        ("PAYMENT_GATEWAYS", "paypal=client"),
        ("PAYMENTS_PER_SECOND", "many"),
        ("SHOPPER_RATE", "many"),
        ("PAYPAL_URL", "nowhere"),
        ("STRIPE_URL", "nowhere"),
        ("TRUST_USER_ID_HEADER", "perhaps"),
    ]);
    let named = [without, wrong].concat();
    let words = named.split(|c: char| !(c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit()));
    words
        .filter(|word| word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_') && !word.starts_with("AWS_"))
        .map(str::to_owned)
        .collect()
}

/// What a bootstrap prints about its configuration before it fails.
pub(crate) fn complaint(binary: &str, handler: Option<&str>, variables: &[(&str, &str)]) -> String {
    let mut child = Command::new(bootstrap(binary))
        .env_clear()
        .envs(aws("http://127.0.0.1:1"))
        // Nothing listens at this address, so a function that lacks no variable ends as well.
        .envs([
            ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1"),
            ("AWS_LAMBDA_FUNCTION_NAME", "x"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ])
        .envs([
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "x"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "x"),
        ])
        .envs(handler.map(|handler| ("_HANDLER", handler)))
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the bootstrap starts");
    let asked = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if asked.elapsed() > PATIENCE {
            end(&mut child);
            panic!("{binary} does not end without its variables");
        }
        sleep(POLL);
    }
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success(), "{binary} ends as if it had served");
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    said.lines().filter(|line| line.contains("the configuration is not usable")).collect::<Vec<_>>().join("\n")
}

/// Sends SIGTERM, so that the emulator ends its function first. Kills the process if it is still running after `PATIENCE`.
fn end(child: &mut Child) {
    let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    let asked = Instant::now();
    while child.try_wait().is_ok_and(|status| status.is_none()) {
        if asked.elapsed() > PATIENCE {
            let _ = child.kill();
        }
        sleep(POLL);
    }
}

fn aws(endpoint: &str) -> [(&'static str, &str); 6] {
    [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("RUST_BACKTRACE", "0"),
    ]
}

/// Builds the bootstraps as `cargo xtask up` does, so that no test runs an outdated one. This takes a second when they are
/// up to date.
pub(crate) fn build() {
    let mut cargo = Command::new(env!("CARGO"));
    let built = cargo.args(["build", "--workspace", "--bins", "--quiet"]).current_dir(repository::root()).status();
    assert!(built.expect("cargo starts").success(), "the functions do not build");
}

/// The binary in the folder above this test's own.
fn bootstrap(binary: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let bootstrap = test.ancestors().nth(2).unwrap().join(binary);
    assert!(bootstrap.is_file(), "{} is not built", bootstrap.display());
    bootstrap
}

fn emulator() -> PathBuf {
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let pythons = fs::read_dir(repository::root().join("target/tools/sam/lib")).into_iter().flatten().flatten();
    let inside = format!("site-packages/samcli/local/rapid/aws-lambda-rie-{architecture}");
    let found = pythons.map(|python| python.path().join(&inside)).find(|path| path.is_file());
    found.expect("the SAM CLI is installed in target/tools/sam; `cargo xtask up` does that")
}

/// Two different free addresses: both ports are open at the same time. The emulator cannot choose a port itself.
fn free_addresses() -> [String; 2] {
    let taken = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    taken.each_ref().map(|listener| listener.local_addr().unwrap().to_string())
}
