//! Repositories made by the `git` program and served by `git http-backend`, and files beside them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;
use tempfile::TempDir;

/// A server of all that is in a folder: `NAME.git` through Git, the rest as files. `/endless` never ends, and what is
/// in `/silent` is never answered.
pub(crate) struct Server {
    pub(crate) address: String,
    folder: TempDir,
    requests: Arc<Mutex<Vec<String>>>,
}

struct Request {
    method: String,
    path: String,
    query: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (root, log) = (folder.path().to_owned(), Arc::clone(&requests));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (root, log) = (root.clone(), Arc::clone(&log));
                thread::spawn(move || serve(stream.unwrap(), &root, &log));
            }
        });
        Self { address, folder, requests }
    }

    /// Serves a file.
    pub(crate) fn add_file(&self, name: &str, content: &str) {
        fs::write(self.folder.path().join(name), content).unwrap();
    }

    /// Serves a new repository as `NAME.git` and returns where to work on it.
    pub(crate) fn add_repository(&self, name: &str) -> Repository {
        let bare = self.folder.path().join(format!("{name}.git"));
        let work = tempfile::tempdir().unwrap();
        let repository = Repository { work };
        repository.git(&["init", "--quiet", "--initial-branch=main", "."]);
        repository.git(&["init", "--quiet", "--bare", "--initial-branch=main", bare.to_str().unwrap()]);
        repository.git(&["remote", "add", "origin", bare.to_str().unwrap()]);
        repository
    }

    /// The requests so far whose line has the text in it.
    pub(crate) fn count(&self, text: &str) -> usize {
        self.requests.lock().iter().filter(|line| line.contains(text)).count()
    }
}

/// A working tree of a repository that is served.
pub(crate) struct Repository {
    work: TempDir,
}

impl Repository {
    pub(crate) fn dir(&self) -> &Path {
        self.work.path()
    }

    /// Commits files, pushes all there is, and returns the hash.
    pub(crate) fn commit(&self, files: &[(&str, &str)]) -> String {
        for (name, content) in files {
            let path = self.dir().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "change"]);
        self.push();
        self.git(&["rev-parse", "HEAD"])
    }

    pub(crate) fn push(&self) {
        self.git(&["push", "--quiet", "--mirror", "origin"]);
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = git()
            .args(arguments)
            .current_dir(self.dir())
            .envs([("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a@example.com")])
            .envs([("GIT_COMMITTER_NAME", "c"), ("GIT_COMMITTER_EMAIL", "c@example.com")])
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// Git without the configuration of machine and user.
fn git() -> Command {
    let mut command = Command::new("git");
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    command
}

/// Serves one request. A client that goes away early is no failure.
fn serve(stream: TcpStream, root: &Path, log: &Mutex<Vec<String>>) {
    let mut stream = BufReader::new(stream);
    let Some(request) = read_request(&mut stream) else { return };
    log.lock().push(format!("{} {}?{}", request.method, request.path, request.query));
    match request.path.as_str() {
        "/endless" => return endless(stream.get_mut()),
        path if path.starts_with("/silent/") => return thread::park(),
        _ => {}
    }
    let file = root.join(request.path.trim_start_matches('/'));
    let reply = match fs::read(file) {
        Ok(content) => reply("200 OK", "", &content),
        Err(_) => backend(&request, root),
    };
    let _ = stream.get_mut().write_all(&reply);
}

fn endless(stream: &mut TcpStream) {
    let part = [b'#'; 64 << 10];
    let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    while sent.is_ok() {
        sent = stream.write_all(&part);
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
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Some(Request { method, path: path.to_owned(), query: query.to_owned(), headers, body })
}

fn backend(request: &Request, root: &Path) -> Vec<u8> {
    let header = |name: &str| request.headers.get(name).cloned().unwrap_or_default();
    let mut child = git()
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", PathBuf::from(root))
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", &request.path)
        .env("QUERY_STRING", &request.query)
        .env("REQUEST_METHOD", &request.method)
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("GIT_PROTOCOL", header("git-protocol"))
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
    reply(status, &format!("{head}\r\n"), &output[end + 4..])
}

fn reply(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}
