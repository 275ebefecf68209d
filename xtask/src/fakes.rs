//! The fake payment providers of the local stack: their processes, which belong to the emulator's process group, and the keys of
//! their accounts in Secrets Manager. They forget all payments when they stop.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{
    aws,
    emulator::WORKERS,
    functions::{Program, Programs},
    local,
    stack::Stack,
};

/// Their programs.
pub(crate) const PROGRAMS: [&str; 2] = ["fake-stripe", "fake-paypal"];
/// The accounts of the local stack, as the parameter `PaymentGateways` has them.
pub(crate) const ACCOUNTS: &str = "sandbox,sandbox-standby,stripe=pk_test_local,paypal=paypal_client_local:FAKEMERCHANT1";
/// The secret with which the fake Stripe signs events.
const STRIPE_WEBHOOK: &str = "whsec_test_local";
/// The id of the webhook, which the fake PayPal signs with each event.
const PAYPAL_WEBHOOK: &str = "paypal_webhook_local";

/// Where the fakes are.
pub(crate) struct Urls {
    pub(crate) stripe: String,
    pub(crate) paypal: String,
}

/// Starts the fakes. `group` is the emulator's process group: who stops it stops them.
pub(crate) fn start(programs: &Programs, group: u32) -> Result<Urls> {
    let [stripe, paypal] = PROGRAMS;
    Ok(Urls { stripe: start_one(programs, stripe, group)?, paypal: start_one(programs, paypal, group)? })
}

/// Starts a copy in the folder of the emulator's workers, where `down` finds processes that have lost the emulator.
fn start_one(programs: &Programs, name: &str, group: u32) -> Result<String> {
    let Program { executable, .. } = programs.get(name).with_context(|| format!("there is no program {name}"))?;
    let copy = local(WORKERS).join(name);
    copy_anew(executable, &copy)?;
    let log = fs::File::create(local(&format!("{name}.log")))?;
    let mut command = Command::new(&copy);
    command.args(["--port", "0"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    let mut child = command.process_group(i32::try_from(group)?).spawn().with_context(|| format!("cannot start {name}"))?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
    match line.split_whitespace().last() {
        Some(url) => Ok(url.to_owned()),
        None => bail!("{name} ended at once; see target/local/{name}.log"),
    }
}

/// A running program cannot be overwritten, but its file can be replaced.
fn copy_anew(from: &Path, to: &Path) -> Result<()> {
    let _ = fs::remove_file(to); // it may not exist
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display())).map(|_| ())
}

/// Stores the keys of the fakes' accounts, as an operator does for real ones. They are no secrets: they open the fakes only.
pub(crate) fn store_keys(stack: &str) -> Result<()> {
    let stripe = json!({"secret_key": "sk_test_local", "webhook_secrets": [STRIPE_WEBHOOK]});
    let paypal = json!({
        "client_id": "paypal_client_local",
        "client_secret": "paypal_secret_local",
        "webhook_id": PAYPAL_WEBHOOK,
    });
    store(&format!("{stack}/payments/stripe"), &stripe)?;
    store(&format!("{stack}/payments/paypal"), &paypal)
}

/// Tells the fakes to deliver their events to the stack from now on, as an operator does in the providers' dashboards.
pub(crate) fn deliver_webhooks(stack: &Stack) -> Result<()> {
    let api = &stack.api_url;
    deliver(&stack.stripe_url, &json!({"url": format!("{api}/webhooks/stripe"), "secret": STRIPE_WEBHOOK}))?;
    deliver(&stack.paypal_url, &json!({"url": format!("{api}/webhooks/paypal"), "secret": PAYPAL_WEBHOOK}))
}

fn deliver(fake: &str, webhooks: &Value) -> Result<()> {
    let answer = aws::command(&format!("{fake}/_fake/webhooks"), webhooks)?;
    if answer.status != 200 {
        bail!("{fake} does not deliver webhooks: {} {}", answer.status, answer.body);
    }
    Ok(())
}

fn store(name: &str, keys: &Value) -> Result<()> {
    let created = aws::secrets_manager("CreateSecret", &json!({"Name": name, "SecretString": keys.to_string()}))?;
    if created.status == 200 {
        return Ok(());
    }
    let put = aws::secrets_manager("PutSecretValue", &json!({"SecretId": name, "SecretString": keys.to_string()}))?;
    if put.status != 200 {
        bail!("{name} was not stored: {} {}", created.body, put.body);
    }
    Ok(())
}
