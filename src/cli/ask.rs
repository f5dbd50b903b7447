//! Asks a running process by its API: as much of HTTP/1.1 as that takes (RFC 9112), over one connection for each request.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::CONFIG;
use crate::config::{self, Sites};
use crate::settings::Network;

/// A process on the same network answers in less, even a logout that waits for the store.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which process is asked.
#[derive(Debug, clap::Args)]
pub struct Whom {
    /// The API's address, such as http://127.0.0.1:8080 [default: every `admin` of the configuration]
    #[arg(long, value_name = "URL")]
    admin: Option<String>,
}

/// One process.
pub struct Admin {
    address: String,
    token: Option<String>,
}

impl Whom {
    /// The processes to ask, by the configuration; the token is that of the configuration, or `HOTDESK_ADMIN_TOKEN`.
    pub fn processes(&self, config: Option<&Path>) -> Result<Vec<Admin>, String> {
        let path = config.map_or_else(|| PathBuf::from(CONFIG), Path::to_owned);
        let network = match (&self.admin, config) {
            (Some(_), None) if !path.exists() => None,
            (Some(_) | None, _) => Some(network_of(&path)?),
        };
        let known = network.as_ref().and_then(|network| network.admin_token.as_ref());
        let token = std::env::var("HOTDESK_ADMIN_TOKEN").ok();
        let token = token.or_else(|| known.map(|token| String::from_utf8_lossy(&token.0).into_owned()));
        let addresses = match (&self.admin, network) {
            (Some(url), _) => vec![host_of(url)?],
            (None, Some(network)) => addresses(&network),
            (None, None) => Vec::new(),
        };
        if addresses.is_empty() {
            return Err(format!("{}: has no `admin`; set it, or name the process by --admin", path.display()));
        }
        Ok(addresses.into_iter().map(|address| Admin { address, token: token.clone() }).collect())
    }
}

impl Whom {
    /// Gives an order. The process of the site, or of the user's home, is the one to ask; another one only if it has no word on it.
    pub fn order(&self, config: Option<&Path>, path: &str) -> Result<Value, Vec<String>> {
        let processes = self.processes(config).map_err(|why| vec![why])?;
        let mut problems = Vec::new();
        for process in processes {
            match process.post(path) {
                Ok(done) => return Ok(done),
                Err(Refusal::Said { status, text }) if status != 404 => return Err(vec![text]),
                Err(why) => problems.push(why.to_string()),
            }
        }
        Err(problems)
    }
}

/// Whether a word can stand in a path as it is.
pub fn is_plain(word: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    word.bytes().all(fits) && !word.is_empty()
}

fn network_of(path: &Path) -> Result<Network, String> {
    let loaded = config::load(path, &Sites::Present).map_err(|errors| errors.to_string())?;
    Ok(Network::clone(&loaded.network))
}

/// Every `admin`, each once. Who listens everywhere is asked on loopback.
fn addresses(network: &Network) -> Vec<String> {
    let own = network.sites.values().filter_map(|site| site.admin.or(network.admin));
    let mut all: Vec<SocketAddr> = own.collect();
    all.sort();
    all.dedup();
    let asked = |address: SocketAddr| match address {
        SocketAddr::V4(at) if at.ip().is_unspecified() => format!("127.0.0.1:{}", at.port()),
        SocketAddr::V6(at) if at.ip().is_unspecified() => format!("[::1]:{}", at.port()),
        SocketAddr::V4(_) | SocketAddr::V6(_) => address.to_string(),
    };
    all.into_iter().map(asked).collect()
}

/// `host:port` of `http://host[:port][/]`.
fn host_of(url: &str) -> Result<String, String> {
    let host = match url.split_once("://") {
        Some(("http", rest)) => rest,
        Some((scheme, _)) => return Err(format!("--admin {url}: {scheme} is not spoken here, only http")),
        None => url,
    };
    let host = host.trim_end_matches('/');
    if host.is_empty() || host.contains(|c: char| c == '/' || c.is_whitespace() || c.is_control()) {
        return Err(format!("--admin {url}: is no URL such as http://127.0.0.1:8080"));
    }
    let has_port =
        host.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    Ok(if has_port { host.to_owned() } else { format!("{host}:80") })
}

impl Admin {
    /// GET.
    pub fn get(&self, path: &str) -> Result<Value, Refusal> {
        self.ask("GET", path, "")
    }

    /// POST of an empty object.
    pub fn post(&self, path: &str) -> Result<Value, Refusal> {
        self.ask("POST", path, "Content-Type: application/json\r\n")
    }

    fn ask(&self, method: &str, path: &str, more: &str) -> Result<Value, Refusal> {
        let body = if method == "POST" { "{}" } else { "" };
        let token = self.token.as_ref().map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let (host, length) = (&self.address, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{token}{more}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        let answer = self.exchange(&request).map_err(|why| {
            let late = matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
            let late = late.then(|| format!("it did not answer within {} s", PATIENCE.as_secs()));
            Refusal::Unreachable(format!("http://{host}: {}", late.unwrap_or_else(|| why.to_string())))
        })?;
        let (status, value) = read(&answer)
            .ok_or_else(|| Refusal::Unreachable(format!("http://{host}: what came is no answer of hotdesk")))?;
        if (200..300).contains(&status) {
            return Ok(value);
        }
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or("no reason is given").to_owned();
        Err(Refusal::Said { status, text: format!("{} ({})", text("error"), text("hint")) })
    }

    fn exchange(&self, request: &str) -> std::io::Result<Vec<u8>> {
        let mut last = std::io::Error::other("the name has no address");
        for address in self.address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(mut stream) => {
                    stream.set_read_timeout(Some(PATIENCE))?;
                    stream.set_write_timeout(Some(PATIENCE))?;
                    stream.write_all(request.as_bytes())?;
                    let mut answer = Vec::new();
                    stream.read_to_end(&mut answer)?;
                    return Ok(answer);
                }
                Err(why) => last = why,
            }
        }
        Err(last)
    }
}

/// Why there is no answer to show.
#[derive(Debug)]
pub enum Refusal {
    /// Nobody there.
    Unreachable(String),
    /// The process said no.
    Said {
        /// As HTTP has it.
        status: u16,
        /// Error and hint.
        text: String,
    },
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable(text) | Self::Said { text, .. } => f.write_str(text),
        }
    }
}

/// Status and body. The length is said, or the body goes on to the end of the connection: RFC 9112 §6.3.
fn read(answer: &[u8]) -> Option<(u16, Value)> {
    let at = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, rest) = answer.split_at(at);
    let head = std::str::from_utf8(head).ok()?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    if lines.any(|(name, _)| name.eq_ignore_ascii_case("Transfer-Encoding")) {
        return None;
    }
    Some((status, serde_json::from_slice(rest.get(4..)?).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_host_and_a_port() {
        assert_eq!(host_of("http://127.0.0.1:8080/").as_deref(), Ok("127.0.0.1:8080"));
        assert_eq!(host_of("localhost:1").as_deref(), Ok("localhost:1"));
        assert_eq!(host_of("http://[::1]").as_deref(), Ok("[::1]:80"));
        assert_eq!(host_of("http://site").as_deref(), Ok("site:80"));
        for wrong in ["https://a:1", "http://", "http://a/b", "http://a\r\nb", "ftp://a"] {
            assert!(host_of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_answer_is_read_and_anything_else_is_none() {
        let read = |text: &str| read(text.as_bytes());
        assert_eq!(read("HTTP/1.1 200 OK\r\nA: b\r\n\r\n{\"a\":1}"), Some((200, serde_json::json!({ "a": 1 }))));
        for wrong in [
            "",
            "HTTP/1.1",
            "HTTP/1.1 2",
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n<html>",
            "SSH-2.0\r\n\r\n{}",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}"), None);
    }
}
