//! Ports: whether one is free, and whether a server answers on it yet.

use anyhow::{Result, bail};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Longest wait for one answer.
const ANSWER: Duration = Duration::from_secs(2);

/// Refuses a port that somebody else listens on; `option` is how another one is chosen.
pub fn require_free(port: u16, option: &str) -> Result<()> {
    if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err() {
        bail!(
            "port {port} is in use: end what listens there, or choose another one with `npm start -- {option} <port>`"
        );
    }
    Ok(())
}

/// Sends a GET and accepts any HTTP status as an answer.
pub fn answers(port: u16, path: &str) -> bool {
    first_bytes(port, path).is_ok_and(|bytes| bytes.starts_with(b"HTTP/1."))
}

fn first_bytes(port: u16, path: &str) -> std::io::Result<[u8; 12]> {
    let mut connection = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), ANSWER)?;
    connection.set_read_timeout(Some(ANSWER))?;
    write!(connection, "GET {path} HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\n\r\n")?;
    let mut bytes = [0; 12];
    connection.read_exact(&mut bytes)?;
    Ok(bytes)
}
