//! `fake-stripe`: the fake on a port of this machine, until SIGTERM or Ctrl-C.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;
use fake_stripe::{Account, FakeStripe, Options};
use test_provider::{Server, Webhooks, until_signal};

#[derive(Parser)]
#[command(name = "fake-stripe", about = "A fake Stripe on 127.0.0.1 that moves no money")]
struct Arguments {
    /// The port; 0 for any free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The keys of an account, as <secret key>,<publishable key>; may be repeated; those of the account "local" if absent
    #[arg(long = "account", value_name = "KEYS")]
    accounts: Vec<String>,
    /// Refuse more requests than this per second and account
    #[arg(long, value_name = "N")]
    requests_per_second: Option<u32>,
    /// How long a payment that cannot authorise is processing
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    settling: u64,
    /// After how long a refund changes that will
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    refund: u64,
    /// Deliver webhooks to this URL, on 127.0.0.1
    #[arg(long, value_name = "URL", requires = "webhook_secret")]
    webhook_url: Option<String>,
    /// Sign webhooks with this secret
    #[arg(long, value_name = "SECRET", requires = "webhook_url")]
    webhook_secret: Option<String>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut accounts = arguments.accounts.iter().map(|keys| account(keys)).collect::<Result<Vec<_>>>()?;
    if accounts.is_empty() {
        accounts.push(Account::named("local"));
    }
    let mut stripe = FakeStripe::new(Options {
        accounts,
        requests_per_second: arguments.requests_per_second,
        settling: Duration::from_secs(arguments.settling),
        refund: Duration::from_secs(arguments.refund),
    });
    if let (Some(url), Some(secret)) = (&arguments.webhook_url, &arguments.webhook_secret) {
        stripe.configure_webhooks(&Webhooks::to(url, secret));
    }
    let server = Server::start(stripe, arguments.port).with_context(|| format!("cannot listen on port {}", arguments.port))?;
    // Who starts this program reads the port from this line.
    println!("fake-stripe listens on {}", server.url());
    until_signal().context("cannot catch signals")
}

fn account(keys: &str) -> Result<Account> {
    match keys.split_once(',') {
        Some((secret, publishable)) if secret.starts_with("sk_") && publishable.starts_with("pk_") => {
            Ok(Account { secret_key: secret.to_owned(), publishable_key: publishable.to_owned() })
        }
        _ => bail!("--account {keys}: the keys are <sk_…>,<pk_…>"),
    }
}
