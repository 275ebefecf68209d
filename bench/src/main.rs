//! The program behind `cargo xtask bench`, which builds it, the yardsticks and the product's bootstrap for release.

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, bail};
use bench::{
    accounts::Machine,
    judgement::{self, Baseline},
    measuring,
    options::{Options, Places},
    report, tokens, work,
};
use clap::Parser;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

const POLL: Duration = Duration::from_millis(50);

#[derive(Parser)]
#[command(about = "Measure release bootstraps under load; `cargo xtask bench` runs this")]
struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    places: Places,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn is_set(flag: &AtomicBool) {
    while !flag.load(Ordering::Relaxed) {
        tokio::time::sleep(POLL).await;
    }
}

async fn run(Arguments { options, places }: &Arguments) -> Result<()> {
    options.check()?;
    // The environments end when their host is dropped, so a signal must not end this process at once.
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted)).context("cannot catch signals")?;
    }
    std::fs::create_dir_all(&places.results)?;
    let baseline = if options.accept { Baseline::new() } else { judgement::baseline(&places.baseline)? };
    let subjects = tokio::select! {
        measured = measuring::measure(options, places, &interrupted) => measured?,
        () = is_set(&interrupted) => bail!("interrupted"),
    };
    let judged = [judgement::judge(&subjects, &baseline), tokens::measure()?, work::measure()?].concat();
    let machine = Machine::this();
    let file = places.results.join("latest.json");
    report::write(&file, &machine, options, &subjects, &judged)?;
    println!("{}\n", report::head(&machine, options));
    println!("{}", report::table(&subjects, options.rate));
    println!("{}", report::disturbance(&machine, &subjects));
    println!("\n{}\nall figures: {}", report::judgement(&judged), file.display());
    if options.accept {
        judgement::accept(&places.baseline, &judged)?;
    }
    let faults: Vec<&str> = judged.iter().filter(|one| one.fault().is_some()).map(|one| one.name.as_str()).collect();
    if !faults.is_empty() {
        bail!("not as they should be: {}", faults.join(", "));
    }
    Ok(())
}
