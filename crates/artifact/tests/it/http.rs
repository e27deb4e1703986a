//! The file server, as Flux's consumers and the readiness probe use it.

use std::{net::SocketAddr, os::unix::fs::symlink};

use reqwest::{Client, Method, StatusCode, header};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::server::Server;

async fn get(url: &str, headers: &[(header::HeaderName, &str)]) -> reqwest::Response {
    let mut request = Client::new().get(url);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    request.send().await.unwrap()
}

/// Sends a path as it is, which a client wouldn't.
async fn raw(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_file_is_served_whole_with_its_headers() {
    let server = Server::start().await;
    let artifact = server.store("web", b"0123456789");
    let response = get(&artifact.url, &[]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/gzip");
    assert_eq!(response.headers()[header::CONTENT_LENGTH], "10");
    assert_eq!(response.headers()[header::ACCEPT_RANGES], "bytes");
    assert!(response.headers().contains_key(header::LAST_MODIFIED));
    assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
    assert_eq!(response.bytes().await.unwrap(), "0123456789");
}

#[tokio::test]
async fn a_large_file_arrives_unchanged() {
    let server = Server::start().await;
    let content = crate::server::noise(3_000_001);
    let artifact = server.store("web", &content);
    assert_eq!(get(&artifact.url, &[]).await.bytes().await.unwrap(), content);
}

#[tokio::test]
async fn head_tells_the_size_and_sends_nothing() {
    let server = Server::start().await;
    let artifact = server.store("web", b"0123456789");
    let response = Client::new().head(&artifact.url).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_LENGTH], "10");
    assert_eq!(response.bytes().await.unwrap(), "");
}

#[tokio::test]
async fn a_range_is_served_alone() {
    let server = Server::start().await;
    let artifact = server.store("web", b"0123456789");
    for (range, status, content_range, body) in [
        ("bytes=2-4", 206, Some("bytes 2-4/10"), "234"),
        ("bytes=7-", 206, Some("bytes 7-9/10"), "789"),
        ("bytes=-2", 206, Some("bytes 8-9/10"), "89"),
        ("bytes=0-", 206, Some("bytes 0-9/10"), "0123456789"),
        ("bytes=10-", 416, Some("bytes */10"), ""),
        ("bytes=0-1,3-4", 200, None, "0123456789"),
    ] {
        let response = get(&artifact.url, &[(header::RANGE, range)]).await;
        assert_eq!(response.status(), status, "{range}");
        let found =
            response.headers().get(header::CONTENT_RANGE).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(found.as_deref(), content_range, "{range}");
        assert_eq!(response.text().await.unwrap(), body, "{range}");
    }
}

#[tokio::test]
async fn conditions_on_the_date_are_honoured() {
    let server = Server::start().await;
    let artifact = server.store("web", b"0123456789");
    let modified =
        get(&artifact.url, &[]).await.headers()[header::LAST_MODIFIED].to_str().unwrap().to_owned();
    let old = "Thu, 01 Jan 1970 00:00:01 GMT";
    let range = (header::RANGE, "bytes=0-0");
    for (headers, status) in [
        (vec![(header::IF_MODIFIED_SINCE, &*modified)], 304),
        (vec![(header::IF_MODIFIED_SINCE, old)], 200),
        (vec![(header::IF_MODIFIED_SINCE, "nonsense")], 200),
        (vec![(header::IF_UNMODIFIED_SINCE, old)], 412),
        (vec![(header::IF_RANGE, &*modified), range.clone()], 206),
        (vec![(header::IF_RANGE, old), range], 200),
    ] {
        assert_eq!(get(&artifact.url, &headers).await.status(), status, "{headers:?}");
    }
}

#[tokio::test]
async fn the_root_is_ready_and_folders_are_not_listed() {
    let server = Server::start().await;
    server.store("web", b"x");
    assert_eq!(get(&format!("http://{}/", server.http), &[]).await.status(), StatusCode::OK);
    for path in ["gitrepository", "gitrepository/", "gitrepository/apps/web/", "gitrepository/apps/web"] {
        assert_eq!(get(&format!("http://{}/{path}", server.http), &[]).await.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn nothing_outside_the_store_is_reached() {
    let server = Server::start().await;
    let artifact = server.store("web", b"x");
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "secret").unwrap();
    let folder = server.dir.path().join("gitrepository/apps/web");
    symlink(outside.path().join("secret"), folder.join("leak.tar.gz")).unwrap();
    symlink("a.tar.gz", folder.join("latest.tar.gz")).unwrap();

    for path in [
        "/../../../etc/passwd",
        "/gitrepository/apps/web/../../../../etc/passwd",
        "/gitrepository/apps/web/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/gitrepository/apps/web/leak.tar.gz",
        "/gitrepository/apps/web/a.tar.gz.lock",
        "/gitrepository/apps/web/a.tar.gz%00",
        "/gitrepository/apps/web/a.tar.gz/",
        "/gitrepository/apps/web/%zz",
        "/gitrepository/apps/web/%ff",
        "/gitrepository/apps/web/missing.tar.gz",
    ] {
        assert!(raw(server.http, path).await.starts_with("HTTP/1.1 404"), "{path}");
    }
    for path in ["/gitrepository/apps/web/latest.tar.gz", "/gitrepository/apps/web/a%2Etar.gz"] {
        assert!(raw(server.http, path).await.starts_with("HTTP/1.1 200"), "{path}");
    }
    assert_eq!(get(&artifact.url, &[]).await.text().await.unwrap(), "x");
}

#[tokio::test]
async fn other_methods_are_refused() {
    let server = Server::start().await;
    let artifact = server.store("web", b"x");
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let response = Client::new().request(method, &artifact.url).body("y").send().await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers()[header::ALLOW], "GET, HEAD");
    }
}

#[tokio::test]
async fn the_servers_end_when_they_are_told_to() {
    let mut server = Server::start().await;
    let artifact = server.store("web", b"x");
    let client = Client::new();
    client.get(&artifact.url).send().await.unwrap().bytes().await.unwrap();
    server.stop.cancel();
    for serving in server.serving.drain(..) {
        serving.await.unwrap();
    }
    assert!(client.get(&artifact.url).send().await.is_err());
}
