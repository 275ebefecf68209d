//! A site on this machine with a few fixed files.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    thread,
};

/// A file's type and its content.
type File = (&'static str, String);

/// A server that lives as long as the test's process.
pub(crate) struct Site(SocketAddr);

impl Site {
    /// Serves these files, by path.
    pub(crate) fn of(files: BTreeMap<&'static str, File>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A browser may open a connection and close it without a request.
                _ = answer(&client, &files);
            }
        });
        Self(address)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.0)
    }
}

fn answer(mut client: &TcpStream, files: &BTreeMap<&'static str, File>) -> std::io::Result<()> {
    let mut lines = BufReader::new(client).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    lines.by_ref().take_while(|line| !line.is_empty()).for_each(drop);
    let path = first.split(' ').nth(1).unwrap_or_default();
    let (status, (kind, body)) = match files.get(path) {
        Some(file) => ("200 OK", file.clone()),
        None => ("404 Not Found", ("text/plain", String::new())),
    };
    write!(
        client,
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}
