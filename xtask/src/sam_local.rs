//! `cargo xtask sam-local`: `sam local invoke` of a function of the running stack, on a machine that may have no image registry.
//!
//! Plain `sam local invoke` lacks three things: a base image, the names of the stack's tables, and a way from the container to an
//! emulator that listens on loopback only. See docs/testing-with-sam-local.md.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Map, json};

use crate::stack::Stack;
use crate::tools::Tool;
use crate::{aws, functions, local, process, root};

/// A name that is in no registry, so SAM must use the local image.
const IMAGE: &str = "flash-sale-lambda";
/// The name of the machine as seen by a container.
const HOST: &str = "host.docker.internal";
/// The contents of the image: the commands of the Dockerfile that SAM builds on top of it, and the libraries that Rust links at
/// run time.
const PROGRAMS: [&str; 3] = ["sh", "mv", "chmod"];
const LIBRARIES: [&str; 6] = ["libgcc_s.so.1", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libc.so.6"];

/// Invoke a function in a container with `sam local invoke`, against the stack that is up
///
/// Makes a base image from this machine's own C library and shell, so that no image registry is needed, and lets the container
/// reach the emulator while the function runs. Linux with Docker Engine only.
#[derive(Args)]
pub(crate) struct SamLocal {
    /// The function's name, or its logical id in template.yaml
    function: String,
    /// A case of events/<function>, or a file
    #[arg(default_value = "ok")]
    event: String,
    /// Take the shopper from X-User-ID where no authorizer has let the event pass
    #[arg(long)]
    trust_user_id_header: bool,
}

impl SamLocal {
    pub(crate) fn run(self) -> Result<()> {
        let Some(stack) = Stack::running() else {
            bail!("no stack is up; `cargo xtask up --detach` starts one");
        };
        let name = self.name()?;
        let event = self.event(&name)?;
        check_docker()?;
        let gateway = gateway()?;
        let port = endpoint_port(&stack)?;
        let address = forward(gateway, port)?;
        let is_new = provide_image(address.port())?;
        let variables = write_variables(&stack)?;
        let architecture = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "x86_64" };
        let mut sam = Command::new(Tool::Sam.program("sam"));
        sam.args(["local", "invoke", &logical_id(&name), "--event"])
            .arg(&event)
            .args(["--invoke-image", IMAGE, "--skip-pull-image"])
            .args(is_new.then_some("--force-image-build"))
            .args(["--add-host", &format!("{HOST}:{gateway}")])
            .arg("--env-vars")
            .arg(&variables)
            .args(["--parameter-overrides", "Environment=local", &format!("Architecture={architecture}")])
            .arg(format!("TrustUserIdHeader={}", self.trust_user_id_header))
            .current_dir(local(functions::STAGE))
            .envs(aws::environment())
            .env("SAM_CLI_TELEMETRY", "0")
            .env_remove("AWS_PROFILE");
        process::run(&mut sam, "sam local invoke")?;
        println!();
        Ok(())
    }

    fn name(&self) -> Result<String> {
        let names = functions::names()?;
        match names.iter().find(|name| **name == self.function || logical_id(name) == self.function) {
            Some(name) => Ok(name.clone()),
            None => bail!("there is no function {}; there are {}", self.function, Vec::from_iter(names).join(", ")),
        }
    }

    fn event(&self, function: &str) -> Result<PathBuf> {
        let case = root().join(format!("events/{function}/{}.json", self.event));
        let file = if case.is_file() { case } else { PathBuf::from(&self.event) };
        file.canonicalize().with_context(|| format!("there is neither events/{function}/{0}.json nor {0}", self.event))
    }
}

/// `place-order` → `PlaceOrderFunction`.
fn logical_id(name: &str) -> String {
    let capitalised = name.split('-').map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    });
    capitalised.collect::<String>() + "Function"
}

fn check_docker() -> Result<()> {
    let answered = Command::new("docker").arg("info").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if cfg!(not(target_os = "linux")) || !answered.is_ok_and(|status| status.success()) {
        bail!("this needs Linux and a running Docker Engine (`docker info`)");
    }
    Ok(())
}

/// The machine's own address in Docker's default network: the first address of its subnet.
fn gateway() -> Result<Ipv4Addr> {
    let format = "{{range .IPAM.Config}}{{.Gateway}} {{.Subnet}}{{end}}";
    let shown = Command::new("docker").args(["network", "inspect", "bridge", "--format", format]).output()?;
    let text = String::from_utf8(shown.stdout)?;
    parse_gateway(text.trim()).with_context(|| format!("Docker's default network has no address: {text:?}"))
}

/// Parses `172.17.0.1 172.17.0.0/16`, or the subnet alone.
fn parse_gateway(shown: &str) -> Option<Ipv4Addr> {
    let mut words = shown.split_whitespace().rev();
    let subnet: Ipv4Addr = words.next()?.split('/').next()?.parse().ok()?;
    words.next().and_then(|gateway| gateway.parse().ok()).or_else(|| Some(Ipv4Addr::from(u32::from(subnet).checked_add(1)?)))
}

fn endpoint_port(stack: &Stack) -> Result<u16> {
    let port = stack.endpoint_url.rsplit(':').next().and_then(|port| port.trim_end_matches('/').parse().ok());
    port.with_context(|| format!("{} has no port", stack.endpoint_url))
}

/// Lets containers reach `port` of loopback for as long as this process runs, because the emulator listens on loopback only.
/// Returns the address that containers use. Its port is the same one if that is free, so that the image can stay unchanged.
fn forward(gateway: Ipv4Addr, port: u16) -> Result<SocketAddr> {
    let listener = TcpListener::bind((gateway, port)).or_else(|_| TcpListener::bind((gateway, 0)));
    let listener = listener.with_context(|| format!("cannot listen on {gateway}, Docker's own network"))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // Accepts only containers of this network: the machine may route packets from elsewhere to this address.
            let is_container = client.peer_addr().is_ok_and(|peer| same_network(peer.ip(), gateway));
            if let (true, Ok(server)) = (is_container, TcpStream::connect((Ipv4Addr::LOCALHOST, port))) {
                pass_on(&client, &server);
                pass_on(&server, &client);
            }
        }
    });
    Ok(address)
}

fn same_network(peer: IpAddr, gateway: Ipv4Addr) -> bool {
    matches!(peer, IpAddr::V4(peer) if peer.octets().starts_with(&gateway.octets()[..2]))
}

/// Copies one direction of a connection in its own thread, and passes the end of the stream on.
fn pass_on(from: &TcpStream, to: &TcpStream) {
    if let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) {
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to); // either side may hang up at any time
            let _ = to.shutdown(std::net::Shutdown::Write);
        });
    }
}

/// Writes the names of the stack's tables, queues and so on for `--env-vars`. SAM passes on only the variables that the template
/// names, so one list serves every function.
fn write_variables(stack: &Stack) -> Result<PathBuf> {
    let variables = Map::from_iter([
        ("STOCK_TABLE".to_owned(), json!(stack.tables.stock)),
        ("RESERVATION_TABLE".to_owned(), json!(stack.tables.reservation)),
        ("ORDER_TABLE".to_owned(), json!(stack.tables.order)),
        ("ORDERS_QUEUE_URL".to_owned(), json!(stack.orders_queue_url)),
        ("EXPIRY_QUEUE_URL".to_owned(), json!(stack.expiry_queue_url)),
        ("PAYMENT_EVENTS_QUEUE_URL".to_owned(), json!(stack.payment_events_queue_url)),
        ("STATE_MACHINE_ARN".to_owned(), json!(stack.state_machine_arn)),
        ("NOTIFICATIONS_TOPIC_ARN".to_owned(), json!(stack.notifications_topic_arn)),
    ]);
    let file = local("sam-env.json");
    fs::write(&file, json!({"Parameters": variables}).to_string()).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

/// Makes the base image, unless one exists for this port. Returns whether it made one.
fn provide_image(port: u16) -> Result<bool> {
    let endpoint = format!("AWS_ENDPOINT_URL=http://{HOST}:{port}");
    let shown = Command::new("docker").args(["image", "inspect", IMAGE, "--format", "{{.Config.Env}}"]).output()?;
    if String::from_utf8_lossy(&shown.stdout).contains(&endpoint) {
        return Ok(false);
    }
    make_image(&endpoint)?;
    Ok(true)
}

/// Makes the base image: this machine's C library, shell and certificates, and the emulator's address as containers see it. The
/// template cannot contain that address, because AWS must not have it.
fn make_image(endpoint: &str) -> Result<()> {
    let folder = local("image");
    let _ = fs::remove_dir_all(&folder); // it may not exist
    for name in ["etc", "tmp", "var/task", "var/rapid"] {
        fs::create_dir_all(folder.join(name))?;
    }
    for file in files()? {
        let to = folder.join(file.strip_prefix("/").unwrap_or(&file));
        fs::create_dir_all(to.parent().unwrap_or(&folder))?;
        fs::copy(&file, &to).with_context(|| format!("cannot copy {}", file.display()))?;
    }
    fs::write(folder.join("etc/passwd"), "root:x:0:0::/:/bin/sh\n")?;
    let archive = local("image.tar");
    let packed =
        Command::new("tar").arg("-C").arg(&folder).arg("-cf").arg(&archive).arg(".").status().context("cannot start tar")?;
    if !packed.success() {
        bail!("tar failed ({packed})");
    }
    let mut import = Command::new("docker");
    import.args(["import", "--change", &format!("ENV {endpoint}")]).arg(&archive).arg(IMAGE).stdout(Stdio::null());
    process::run(&mut import, "docker import")
}

/// The programs at `/bin`, the libraries where the loader looks for them, and root certificates if the machine has any.
fn files() -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = PROGRAMS.iter().map(|name| Path::new("/bin").join(name)).collect();
    let shown = Command::new("ldd").args(&files).output().context("cannot start ldd")?;
    let linked = String::from_utf8(shown.stdout)?;
    let mut libraries: Vec<PathBuf> = linked.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from).collect();
    libraries.retain(|path| path.is_file() && !files.contains(path));
    let c_library = libraries.iter().find(|path| path.ends_with("libc.so.6")).context("this machine's shell has no libc.so.6")?;
    let beside: Vec<PathBuf> = LIBRARIES.iter().map(|name| c_library.with_file_name(name)).collect();
    let certificates = PathBuf::from("/etc/ssl/certs/ca-certificates.crt");
    files.extend(libraries.into_iter().chain(beside).chain([certificates]).filter(|path| path.is_file()));
    files.sort();
    files.dedup();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn a_logical_id_is_made_of_the_folders_name() {
        assert_eq!(logical_id("reserve"), "ReserveFunction");
        assert_eq!(logical_id("take-back-stock"), "TakeBackStockFunction");
    }

    #[test]
    fn the_gateway_is_named_or_the_first_address() {
        assert_eq!(parse_gateway("172.18.0.9 172.18.0.0/16"), Some(Ipv4Addr::new(172, 18, 0, 9)));
        assert_eq!(parse_gateway("172.17.0.0/16"), Some(Ipv4Addr::new(172, 17, 0, 1)));
        assert_eq!(parse_gateway(""), None);
    }

    #[test]
    fn only_the_network_of_the_containers_is_let_through() {
        let gateway = Ipv4Addr::new(172, 17, 0, 1);
        assert!(same_network("172.17.0.2".parse().unwrap(), gateway));
        assert!(!same_network("192.168.1.7".parse().unwrap(), gateway));
        assert!(!same_network("::1".parse().unwrap(), gateway));
    }

    #[test]
    fn what_a_container_sends_reaches_loopback_and_the_answer_comes_back() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = forward(Ipv4Addr::LOCALHOST, server.local_addr().unwrap().port()).unwrap();
        let echo = thread::spawn(move || {
            let (mut client, _) = server.accept().unwrap();
            let mut asked = Vec::new();
            client.read_to_end(&mut asked).unwrap();
            client.write_all(&asked).unwrap();
        });
        let mut client = TcpStream::connect(address).unwrap();
        client.write_all(b"hello").unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        echo.join().unwrap();
        assert_eq!(answer, "hello");
    }
}
