//! An HTTP server that runs `git http-backend` for each request, or answers as a test wants.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

pub(crate) struct Server {
    pub(crate) address: String,
    pub(crate) requests: Arc<Mutex<Vec<Request>>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

pub(crate) enum Answer {
    /// What Git says.
    Git,
    /// What Git says, without the new protocol.
    OldGit,
    Status(u16, &'static str),
    Redirect(String),
    /// Headers of a Git reply, then these bytes, again and again.
    Endless(&'static str, &'static [u8]),
    /// What Git says, without the last bytes.
    Truncated(usize),
    Nothing,
}

type Rule = dyn Fn(&Request) -> Answer + Send + Sync;

impl Server {
    pub(crate) fn start(root: &Path) -> Self {
        Self::with(root, |_| Answer::Git)
    }

    pub(crate) fn with(root: &Path, rule: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::listen(root, Arc::new(rule), |stream| Box::new(stream))
    }

    pub(crate) fn with_tls(root: &Path, config: Arc<rustls::ServerConfig>) -> Self {
        Self::listen(root, Arc::new(|_| Answer::Git), move |stream| {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            Box::new(rustls::StreamOwned::new(connection, stream))
        })
    }

    fn listen(
        root: &Path,
        rule: Arc<Rule>,
        wrap: impl Fn(TcpStream) -> Box<dyn Stream> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (root, log) = (root.to_owned(), Arc::clone(&requests));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = wrap(stream.unwrap());
                let (root, rule, log) = (root.clone(), Arc::clone(&rule), Arc::clone(&log));
                thread::spawn(move || serve(stream, &root, rule.as_ref(), &log));
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/app.git", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

/// Serves one request. A client that goes away early is no failure.
fn serve(stream: Box<dyn Stream>, root: &Path, rule: &Rule, log: &Mutex<Vec<Request>>) {
    let mut stream = BufReader::new(stream);
    let Some(request) = read_request(&mut stream) else {
        return;
    };
    log.lock().unwrap().push(request.clone());
    let out = stream.get_mut();
    let _ = match rule(&request) {
        Answer::Git => out.write_all(&backend(&request, root, true)),
        Answer::OldGit => out.write_all(&backend(&request, root, false)),
        Answer::Status(status, text) => write!(out, "HTTP/1.1 {status} X\r\nConnection: close\r\n\r\n{text}"),
        Answer::Redirect(to) => write!(out, "HTTP/1.1 302 X\r\nConnection: close\r\nLocation: {to}\r\n\r\n"),
        Answer::Truncated(length) => {
            let reply = backend(&request, root, true);
            out.write_all(&reply[..reply.len() - length])
        }
        Answer::Endless(head, bytes) => endless(out, head, bytes),
        Answer::Nothing => {
            thread::park();
            Ok(())
        }
    };
    let _ = out.flush();
}

fn endless(out: &mut Box<dyn Stream>, head: &str, bytes: &[u8]) -> std::io::Result<()> {
    out.write_all(head.as_bytes())?;
    loop {
        out.write_all(bytes)?;
    }
}

fn read_request(stream: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace().map(ToOwned::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Some(Request { method, path: path.to_owned(), query: query.to_owned(), headers, body })
}

fn backend(request: &Request, root: &Path, new_protocol: bool) -> Vec<u8> {
    let header = |name: &str| request.headers.get(name).cloned().unwrap_or_default();
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_PROJECT_ROOT", PathBuf::from(root))
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", request.path.strip_prefix("/moved").unwrap_or(&request.path))
        .env("QUERY_STRING", &request.query)
        .env("REQUEST_METHOD", &request.method)
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("GIT_PROTOCOL", if new_protocol { header("git-protocol") } else { String::new() })
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(&request.body);
    let output = child.wait_with_output().unwrap().stdout;
    let end = output.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&output[..end]).into_owned();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
    let body = &output[end + 4..];
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{head}\r\n\r\n");
    [head.as_bytes(), body].concat()
}
