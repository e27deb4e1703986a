//! HTTP in front of `git http-backend`, which is a CGI program.

use std::{path::Path, process::Stdio};

use anyhow::{Context, Result};
use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{Response, StatusCode, header::HeaderName, request::Parts},
};
use tokio::{io::AsyncWriteExt, process::Command};

use crate::serve::status;

/// The largest request that is taken; pushes go past HTTP.
const LIMIT: usize = 16 << 20;

pub(super) fn password_required() -> Response<Body> {
    let mut response = Response::new(Body::from("password required\n"));
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response
        .headers_mut()
        .insert("www-authenticate", "Basic realm=\"git\"".parse().expect("the header value is ASCII"));
    response
}

/// Lets Git answer one request.
pub(super) async fn answer(root: &Path, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LIMIT).await else {
        return status(StatusCode::PAYLOAD_TOO_LARGE);
    };
    match run(root, &head, &body).await {
        Ok(response) => response,
        Err(error) => {
            eprintln!("git http-backend: {error:#}");
            status(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

async fn run(root: &Path, head: &Parts, body: &[u8]) -> Result<Response<Body>> {
    let mut child = command(root, head, body.len()).spawn().context("failed to start git")?;
    let mut stdin = child.stdin.take().context("stdin was asked for")?;
    // Both directions at once: an answer may begin before the request was read to its end.
    let (written, output) = tokio::join!(
        async move {
            stdin.write_all(body).await?;
            stdin.shutdown().await
        },
        child.wait_with_output()
    );
    // Git may answer without reading everything; then the pipe breaks.
    let _ = written;
    response(&output.context("failed to run git")?.stdout)
}

fn command(root: &Path, head: &Parts, length: usize) -> Command {
    let header =
        |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut command = Command::new("git");
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("PATH_INFO", head.uri.path())
        .env("QUERY_STRING", head.uri.query().unwrap_or_default())
        .env("REQUEST_METHOD", head.method.as_str())
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", length.to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Turns what a CGI program printed into an answer.
fn response(output: &[u8]) -> Result<Response<Body>> {
    let end = output.windows(4).position(|window| window == b"\r\n\r\n").context("git printed no header")?;
    let mut response = Response::new(Body::from(output[end + 4..].to_vec()));
    for line in std::str::from_utf8(&output[..end])?.split("\r\n") {
        let (name, value) = line.split_once(": ").with_context(|| format!("not a header: {line:?}"))?;
        if name.eq_ignore_ascii_case("status") {
            let code = value.split(' ').next().unwrap_or(value);
            *response.status_mut() = code.parse().context("not a status")?;
        } else {
            response.headers_mut().append(name.parse::<HeaderName>()?, value.parse()?);
        }
    }
    Ok(response)
}
