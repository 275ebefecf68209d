//! `cargo xtask up`: from a clone to a running flash sale on this machine.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::emulator::{ENDPOINT, REGION, State};
use crate::fakes::Urls;
use crate::stack::{Emulator, Stack, Tables};
use crate::tools::{Python, Tool};
use crate::{aws, demo, down, emulator, fakes, functions, local, process, root, subscriber};

const STACK: &str = "flash-sale-local";
/// The stack at the edge, and its template.
const EDGE: &str = "flash-sale-local-edge";
const EDGE_TEMPLATE: &str = "infra/edge/template.yaml";
/// The emulator names a KeyValueStore after itself, so that the API's stack can be told before it exists.
const EDGE_STORE: &str = "arn:aws:cloudfront::000000000000:key-value-store/flash-sale-local-edge-gate";
const ARTIFACTS: &str = "flash-sale-local-artifacts";
const GIGABYTE: u64 = 1 << 30;

/// Start a flash sale on this machine: the real template on an emulator of AWS.
///
/// Prepares the tools at pinned versions under target/, builds the functions, starts the emulator on 127.0.0.1:4566,
/// deploys template.yaml with `sam deploy`, creates demo shoppers and two demo sales, prints URLs and example calls, and
/// writes target/local/stack.json. Runs until Ctrl-C and then stops everything it started.
#[derive(Args)]
pub(crate) struct Up {
    /// Return when the stack is ready; `cargo xtask down` stops it
    #[arg(long)]
    detach: bool,
    /// Keep the existing sales, orders and shoppers: continue from the state in which the last stack stopped, or, when the
    /// stack is up, deploy the present code onto it. Without this option every `up` begins afresh
    #[arg(long)]
    keep: bool,
}

impl Up {
    /// `up --detach`, or `--keep` onto the stack that is up.
    pub(crate) fn detached(keep: bool) -> Self {
        Self { detach: true, keep }
    }

    pub(crate) fn run(self) -> Result<()> {
        let started = Instant::now();
        std::fs::create_dir_all(local(""))?;
        process::catch_interruption()?;
        let alone = alone()?;
        if Emulator::running().is_some() {
            return self.run_again(started);
        }
        down::stop(None); // leftovers of a stack whose emulator was killed
        emulator::port_is_free()?;
        check_disk()?;
        let python = Python::find()?;
        let programs = prepare(&python)?;

        let state = if self.keep { State::Kept } else { State::Fresh };
        let mut child = timed("starting the emulator", || emulator::start(state, !self.detach))
            .inspect_err(|_| down::stop(Emulator::running().as_ref()))?;
        let ready = fakes::start(&programs, child.id()).and_then(|urls| deploy(&programs, &urls, child.id()));
        let ready = ready.and_then(|stack| {
            stack.write()?;
            if process::interrupted() {
                bail!("interrupted");
            }
            Ok(stack)
        });
        match ready {
            Ok(stack) => {
                drop(alone);
                print_welcome(&stack, started);
                if self.detach { Ok(()) } else { stay(&mut child) }
            }
            Err(error) => {
                down::stop(Emulator::running().as_ref());
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// Handles `up` while the stack is running: reports it, or with `--keep` deploys onto it.
    fn run_again(&self, started: Instant) -> Result<()> {
        let Some(stack) = Stack::running() else {
            bail!("an `up` was cut off half-way here; `cargo xtask down` clears it away");
        };
        if self.keep {
            let programs = prepare(&Python::find()?)?;
            let urls = Urls { stripe: stack.stripe_url, paypal: stack.paypal_url };
            let stack = deploy(&programs, &urls, stack.pid)?;
            stack.write()?;
            print_welcome(&stack, started);
        } else {
            println!("The stack is up already, at {} (process {}).", stack.api_url, stack.pid);
            println!("`cargo xtask down` stops it; `cargo xtask up --keep` deploys the present code onto it.");
        }
        Ok(())
    }
}

/// Only one `up` at a time sets the stack up. The system releases the lock when the process ends.
fn alone() -> Result<File> {
    let lock = File::create(local("up.lock"))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => bail!("another `up` is at work here"),
        Err(TryLockError::Error(error)) => Err(error).context("cannot lock target/local/up.lock"),
    }
}

/// Installs the tools while cargo builds: one waits for the network, the other for the processor.
fn prepare(python: &Python) -> Result<functions::Programs> {
    std::thread::scope(|scope| {
        let tools = scope.spawn(|| [Tool::Sam, Tool::Ministack].into_iter().try_for_each(|tool| tool.install(python)));
        let programs = timed("building the functions", functions::build);
        let Ok(installed) = tools.join() else { bail!("installing the tools failed") };
        installed.and(programs)
    })
}

fn deploy(programs: &functions::Programs, providers: &Urls, pid: u32) -> Result<Stack> {
    let stage = timed("laying out the functions", || functions::stage(programs))?;
    timed("deploying the template", || {
        aws::create_bucket(ARTIFACTS)?;
        fakes::store_keys(STACK)?;
        let architecture = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "x86_64" };
        let mut sam = sam(&stage);
        sam.args(["deploy", "--config-env", "local", "--parameter-overrides"])
            .args(["Environment=local", "LogRetentionDays=1", "PaymentsPerSecond=50"])
            .args(["PaymentReturnUrl=http://127.0.0.1/", &format!("PaymentGateways={}", fakes::ACCOUNTS)])
            .arg(format!("CognitoUrl={ENDPOINT}"))
            .args([format!("StripeUrl={}", providers.stripe), format!("PaypalUrl={}", providers.paypal)])
            .args([format!("Architecture={architecture}"), format!("EdgeStoreArn={EDGE_STORE}")]);
        process::run_logged(&mut sam, "sam deploy", &local("sam-deploy.log"))
    })?;
    timed("deploying the edge", || deploy_edge(&stage))?;
    let bus =
        aws::stack_outputs(STACK)?.remove("OrderEventsBusName").context("template.yaml has no output OrderEventsBusName")?;
    let order_changes = timed("deploying a queue of orders", || subscriber::deploy(&stage, &bus))?;
    let stack = describe(providers, order_changes, pid)?;
    fakes::deliver_webhooks(&stack)?;
    timed("creating shoppers and sales", || {
        demo::create_people(&stack)?;
        demo::create_sales(&stack)
    })?;
    Ok(stack)
}

/// The SAM CLI for the emulator, in this folder.
fn sam(folder: &Path) -> Command {
    let mut sam = Command::new(Tool::Sam.program("python"));
    sam.arg(root().join("infra/local/sam.py"))
        .current_dir(folder)
        .envs(aws::environment())
        .env_remove("AWS_PROFILE")
        .env("AWS_CONFIG_FILE", "/nonexistent")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
        .env("SAM_CLI_TELEMETRY", "0")
        .env("SAM_CLI_POLL_DELAY", "0.2")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    sam
}

/// `sam deploy` of a template that `samconfig.toml` does not know, as this stack. More parameters may follow.
pub(crate) fn deployment(stage: &Path, template: &str, stack: &str) -> Command {
    let mut sam = sam(stage);
    sam.arg("deploy")
        .arg("--template-file")
        .arg(root().join(template))
        .args(["--stack-name", stack, "--region", REGION, "--s3-bucket", ARTIFACTS])
        .args(["--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar", "--config-env", "none"])
        .args(["--parameter-overrides", "Environment=local"]);
    sam
}

/// Deploys the edge in front of the deployed API. The API takes requests from anywhere here, because most tests call it
/// directly.
fn deploy_edge(stage: &Path) -> Result<()> {
    let outputs = aws::stack_outputs(STACK)?;
    let output = |name: &str| outputs.get(name).with_context(|| format!("template.yaml has no output {name}"));
    let (host, port) = ENDPOINT.trim_start_matches("http://").split_once(':').context("the emulator has no port")?;
    let mut sam = deployment(stage, EDGE_TEMPLATE, EDGE);
    sam.args(["ApiProtocol=http-only", "LogRetentionDays=1"])
        .args([format!("ApiDomain={host}"), format!("ApiHttpPort={port}")])
        .arg(format!("ApiPath=/restapis/{}/{}/_user_request_", output("ApiId")?, output("ApiStage")?))
        .arg(format!("OriginSecret={}", "local-".repeat(6)));
    process::run_logged(&mut sam, "sam deploy of the edge", &local("sam-deploy-edge.log"))
}

fn describe(providers: &Urls, order_changes_queue_url: String, pid: u32) -> Result<Stack> {
    let outputs = aws::stack_outputs(STACK)?;
    let edge = aws::stack_outputs(EDGE)?;
    let output = |name: &str| outputs.get(name).cloned().with_context(|| format!("template.yaml has no output {name}"));
    Ok(Stack {
        endpoint_url: ENDPOINT.to_owned(),
        region: REGION.to_owned(),
        // The output names an address on AWS; the emulator serves the same API under this one.
        api_url: format!("{ENDPOINT}/restapis/{}/{}/_user_request_", output("ApiId")?, output("ApiStage")?),
        edge_host: edge.get("DistributionDomain").cloned().context("the edge has no output DistributionDomain")?,
        user_pool_id: output("UserPoolId")?,
        client_id: output("ClientId")?,
        operator_pool_id: output("OperatorPoolId")?,
        operator_client_id: output("OperatorClientId")?,
        product_id: demo::SALE.to_owned(),
        expiry_product_id: demo::EXPIRY_SALE.to_owned(),
        tables: Tables {
            stock: output("StockTableName")?,
            reservation: output("ReservationTableName")?,
            order: output("OrderTableName")?,
        },
        state_machine_arn: output("StateMachineArn")?,
        orders_queue_url: output("OrdersQueueUrl")?,
        orders_dead_letter_queue_url: output("OrdersDeadLetterQueueUrl")?,
        expiry_queue_url: output("ExpiryQueueUrl")?,
        expiry_dead_letter_queue_url: output("ExpiryDeadLetterQueueUrl")?,
        payment_events_queue_url: output("PaymentEventsQueueUrl")?,
        payment_events_dead_letter_queue_url: output("PaymentEventsDeadLetterQueueUrl")?,
        stream_failures_queue_url: output("StreamFailuresQueueUrl")?,
        order_changes_queue_url,
        notifications_topic_arn: output("NotificationsTopicArn")?,
        stripe_url: providers.stripe.clone(),
        paypal_url: providers.paypal.clone(),
        pid,
    })
}

/// Stays until Ctrl-C, then stops everything. Also ends when `down` has stopped the stack.
fn stay(child: &mut Child) -> Result<()> {
    println!("Ctrl-C stops everything.");
    loop {
        if process::interrupted() {
            println!("\nStopping …");
            down::stop(Emulator::running().as_ref());
            child.wait()?;
            println!("Stopped.");
            return Ok(());
        }
        if let Some(status) = child.try_wait()? {
            let was_stopped = !local("emulator.json").exists();
            down::stop(None);
            if was_stopped {
                println!("Stopped by `cargo xtask down`.");
                return Ok(());
            }
            bail!("the emulator ended by itself ({status}); see target/local/ministack.log");
        }
        sleep(Duration::from_millis(100));
    }
}

/// The first build needs disk space for every dependency, later builds for the changes.
fn check_disk() -> Result<()> {
    let needed = if root().join("target/debug/operators").exists() { 1 } else { 6 };
    let disk = rustix::fs::statvfs(root()).context("cannot tell how much room the disk has")?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize) / GIGABYTE;
    if free < needed {
        bail!("{needed} GB of free disk are needed here, and there are {free}");
    }
    Ok(())
}

fn timed<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("{what} …");
    let started = Instant::now();
    let done = work().with_context(|| what.to_owned())?;
    println!("{what}: {:.1} s", started.elapsed().as_secs_f32());
    Ok(done)
}

fn print_welcome(stack: &Stack, started: Instant) {
    let Stack { api_url, client_id, operator_client_id, endpoint_url, stripe_url, paypal_url, order_changes_queue_url, .. } =
        stack;
    println!(
        r#"
The flash sale is up, {seconds:.0} s after the command. It listens on 127.0.0.1 only.

  API        {api_url}
  AWS        {endpoint_url} (AWS_ENDPOINT_URL={endpoint_url}, or --endpoint-url for the AWS CLI 1; region us-east-1, any credentials)
  Stripe     {stripe_url} (a fake: stripe:pm_card_visa pays)
  PayPal     {paypal_url} (a fake)
  Log        target/local/ministack.log
  All of it  target/local/stack.json

  Shoppers   shopper-1@example.com … shopper-{shoppers}@example.com, password {password}
  Operator   {operator} in a user pool of its own (ClientId {operator_client_id}), password {password}
  Sales      {sale}: 100 units, opens in 20 s, a hold lasts 120 s
             {expiry}: 10 units, open, a hold lasts 15 s and then goes back to stock by itself

Try it:

  API={api_url}
  curl -s $API/api/flash-sales

  TOKEN=$(curl -s {endpoint_url} -H 'Content-Type: application/x-amz-json-1.1' \
    -H 'X-Amz-Target: AWSCognitoIdentityProviderService.InitiateAuth' \
    -d '{{"AuthFlow":"USER_PASSWORD_AUTH","ClientId":"{client_id}","AuthParameters":{{"USERNAME":"shopper-1@example.com","PASSWORD":"{password}"}}}}' \
    | python3 -c 'import json, sys; print(json.load(sys.stdin)["AuthenticationResult"]["IdToken"])')

  curl -s $API/reserve-inventory -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \
    -d '{{"product_id":"{expiry}"}}'

The same for the operator, who makes sales and refunds (docs/API.md):

  OPERATOR=$(curl -s {endpoint_url} -H 'Content-Type: application/x-amz-json-1.1' \
    -H 'X-Amz-Target: AWSCognitoIdentityProviderService.InitiateAuth' \
    -d '{{"AuthFlow":"USER_PASSWORD_AUTH","ClientId":"{operator_client_id}","AuthParameters":{{"USERNAME":"{operator}","PASSWORD":"{password}"}}}}' \
    | python3 -c 'import json, sys; print(json.load(sys.stdin)["AuthenticationResult"]["IdToken"])')

Read the changes of orders, as a warehouse would (docs/events.md); some credentials are needed, and any will do:

  export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any
  aws sqs receive-message --region us-east-1 --endpoint-url {endpoint_url} --wait-time-seconds 10 \
    --queue-url {order_changes_queue_url}
"#,
        seconds = started.elapsed().as_secs_f32(),
        shoppers = demo::SHOPPERS,
        operator = demo::OPERATOR,
        password = demo::PASSWORD,
        sale = demo::SALE,
        expiry = demo::EXPIRY_SALE,
    );
}
