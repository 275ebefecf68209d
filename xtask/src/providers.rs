//! The fake payment providers against the official clients of the real ones. Needs no stack.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};

use crate::tools::{Python, Tool};
use crate::{functions, process, root};

/// A fake and what checks it.
struct Fake {
    /// Its program. It takes a port and prints its URL at the end of its first line.
    program: &'static str,
    /// The official client.
    client: Tool,
    /// What makes the client ask the fake. It takes the fake's URL and fails at the first difference.
    script: &'static str,
}

const FAKES: [Fake; 2] = [
    Fake { program: "fake-stripe", client: Tool::Stripe, script: "tests/support/stripe/sdk_check.py" },
    Fake { program: "fake-paypal", client: Tool::Paypal, script: "tests/support/paypal/sdk_check.py" },
];

/// A running fake. It ends when this is dropped.
struct Running {
    child: Child,
    url: String,
}

/// Checks every fake with its client.
pub(crate) fn check() -> Result<()> {
    process::catch_interruption()?;
    let python = Python::find()?;
    for fake in FAKES {
        fake.client.install(&python)?;
        let running = fake.start()?;
        let mut script = Command::new(fake.client.program("python"));
        script.current_dir(root()).args([fake.script, &running.url]);
        script.env("NO_PROXY", "127.0.0.1").env("PYTHONDONTWRITEBYTECODE", "1");
        process::run(&mut script, fake.script)?;
    }
    Ok(())
}

impl Fake {
    /// Builds the fake and starts it on a free port.
    fn start(&self) -> Result<Running> {
        let built = functions::build_targets(&["--bin", self.program])?;
        let program = built.get(self.program).with_context(|| format!("there is no program {}", self.program))?;
        let mut command = Command::new(&program.executable);
        let child = process::own_group(command.args(["--port", "0"]).stdout(Stdio::piped())).spawn()?;
        let mut running = Running { child, url: String::new() };
        let stdout = running.child.stdout.take().with_context(|| format!("{} has no output", self.program))?;
        BufReader::new(stdout).read_line(&mut running.url)?;
        running.url =
            running.url.split_whitespace().last().with_context(|| format!("{} ended at once", self.program))?.to_owned();
        Ok(running)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        process::stop_group(self.child.id());
        let _ = self.child.wait(); // it is gone
    }
}
