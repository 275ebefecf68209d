//! `fake-paypal`: the fake on a port of this machine, until SIGTERM or Ctrl-C.

use anyhow::{Context, Result, bail};
use clap::Parser;
use fake_paypal::{Account, FakePaypal, Options};
use jiff::SignedDuration;
use test_provider::{Server, Webhooks, until_signal};

const ACCOUNTS: &str =
    "An account, as <client id>,<client secret>; may be repeated [default: paypal_client_local,paypal_secret_local]";

#[derive(Parser)]
#[command(name = "fake-paypal", about = "A fake PayPal on 127.0.0.1 that moves no money")]
struct Arguments {
    /// The port; 0 for any free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    #[arg(long = "account", value_name = "CREDENTIALS", help = ACCOUNTS)]
    accounts: Vec<String>,
    /// How long an access token lives
    #[arg(long, value_name = "SECONDS", default_value_t = 32_400)]
    token_life: u32,
    /// The most that all captures of an authorization may take of it
    #[arg(long, value_name = "PERCENT", default_value_t = 115)]
    capture_limit: u64,
    /// Deliver webhooks to this URL, on 127.0.0.1
    #[arg(long, value_name = "URL", requires = "webhook_id")]
    webhook_url: Option<String>,
    /// The id of the webhook, which its signatures cover
    #[arg(long, value_name = "ID", requires = "webhook_url")]
    webhook_id: Option<String>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut accounts = arguments.accounts.iter().map(|credentials| account(credentials)).collect::<Result<Vec<_>>>()?;
    if accounts.is_empty() {
        accounts.push(Account::named("local"));
    }
    let mut paypal = FakePaypal::new(Options {
        accounts,
        token_life: SignedDuration::from_secs(i64::from(arguments.token_life)),
        capture_limit_percent: arguments.capture_limit,
        ..Options::default()
    });
    if let (Some(url), Some(id)) = (&arguments.webhook_url, &arguments.webhook_id) {
        paypal.configure_webhooks(&Webhooks::to(url, id));
    }
    let server = Server::start(paypal, arguments.port).with_context(|| format!("cannot listen on port {}", arguments.port))?;
    server.provider().set_base_url(&server.url());
    // Who starts this program reads the port from this line.
    println!("fake-paypal listens on {}", server.url());
    until_signal().context("cannot catch signals")
}

fn account(credentials: &str) -> Result<Account> {
    match credentials.split_once(',') {
        Some((client_id, secret)) if !client_id.is_empty() && !secret.is_empty() => Ok(Account::new(client_id, secret)),
        _ => bail!("--account {credentials}: it is <client id>,<client secret>"),
    }
}
