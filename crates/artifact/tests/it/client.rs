//! The consumer's side: where the bytes come from, what is refused, and that a tree is made once.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    path::Path,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use api::meta::Artifact;
use artifact::{
    client::{Client, Error, Kept, Options},
    digest::{Algorithm, Digest},
};
use futures::{FutureExt, Stream, StreamExt, future::join_all, stream};
use proto::artifact::v1::{
    FetchRequest, FetchResponse, GetRequest, ListRequest, ListResponse, WatchRequest, WatchResponse,
    artifact_service_server::{ArtifactService, ArtifactServiceServer},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::server::{Server, archive, bind, noise};

struct Fixture {
    client: Client,
    requests: Arc<AtomicUsize>,
    dir: TempDir,
}

/// Makes a client that doesn't wait between attempts and counts its requests.
fn client(options: Options) -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = requests.clone();
    let headers = move || {
        counter.fetch_add(1, Ordering::SeqCst);
        vec![("traceparent".to_owned(), "00-1-2-01".to_owned())]
    };
    let options = Options {
        dir: dir.path().to_owned(),
        min_wait: Duration::ZERO,
        headers: Some(Arc::new(headers)),
        ..options
    };
    Fixture { client: Client::new(options).unwrap(), requests, dir }
}

fn http_only() -> Options {
    Options { grpc_port: None, retries: 2, ..Options::default() }
}

impl Fixture {
    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    async fn fails(&self, artifact: &Artifact) -> Error {
        self.client.fetch(artifact).await.unwrap_err()
    }
}

fn artifact(address: SocketAddr, bytes: &[u8]) -> Artifact {
    let path = "gitrepository/apps/web/a.tar.gz";
    Artifact {
        digest: Digest::of(Algorithm::Sha256, bytes).to_string(),
        size: Some(i64::try_from(bytes.len()).unwrap()),
        path: path.into(),
        url: format!("http://{address}/{path}"),
        ..Artifact::default()
    }
}

/// An address at which nobody listens.
async fn closed() -> SocketAddr {
    bind().await.1
}

async fn gone(path: &Path) {
    let wait = async {
        while path.exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.expect("the folder is removed");
}

/// Answers one connection after the other with what is in the script, and keeps the heads of the requests.
async fn scripted(answers: Vec<Vec<u8>>) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let (listener, address) = bind().await;
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = requests.clone();
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let head = read_head(&mut stream).await;
            seen.lock().unwrap().push(head);
            stream.write_all(&answer).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    (address, requests)
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn with_length(status: &str, length: usize, body: &[u8]) -> Vec<u8> {
    answer(status, &format!("Content-Length: {length}\r\n"), body)
}

/// An artifact service that sends so many bytes in each call and then fails.
struct Cutting {
    content: Vec<u8>,
    lengths: Mutex<VecDeque<usize>>,
    offsets: Arc<Mutex<Vec<u64>>>,
}

type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl ArtifactService for Cutting {
    type WatchStream = Responses<WatchResponse>;
    type FetchStream = Responses<FetchResponse>;

    async fn get(&self, _: Request<GetRequest>) -> Result<Response<proto::artifact::v1::Artifact>, Status> {
        Err(Status::unimplemented("no"))
    }

    async fn list(&self, _: Request<ListRequest>) -> Result<Response<ListResponse>, Status> {
        Err(Status::unimplemented("no"))
    }

    async fn watch(&self, _: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("no"))
    }

    async fn fetch(&self, request: Request<FetchRequest>) -> Result<Response<Self::FetchStream>, Status> {
        let offset = request.get_ref().offset;
        self.offsets.lock().unwrap().push(offset);
        let Some(length) = self.lengths.lock().unwrap().pop_front() else {
            return Err(Status::unimplemented("nothing more"));
        };
        let start = usize::try_from(offset).unwrap();
        let end = self.content.len().min(start + length);
        let chunk = FetchResponse {
            data: self.content[start..end].to_vec().into(),
            offset,
            total_size: self.content.len() as u64,
        };
        Ok(Response::new(stream::iter([Ok(chunk), Err(Status::unavailable("cut"))]).boxed()))
    }
}

async fn cutting(content: &[u8], lengths: &[usize]) -> (SocketAddr, Arc<Mutex<Vec<u64>>>) {
    let (listener, address) = bind().await;
    let offsets = Arc::new(Mutex::new(Vec::new()));
    let service = Cutting {
        content: content.to_vec(),
        lengths: Mutex::new(lengths.iter().copied().collect()),
        offsets: offsets.clone(),
    };
    let serving = tonic::transport::Server::builder()
        .add_service(ArtifactServiceServer::new(service))
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(serving);
    (address, offsets)
}

#[tokio::test]
async fn a_tree_comes_over_grpc_from_the_host_of_the_url() {
    let server = Server::start().await;
    let mut artifact = server.store_archive("web", "app.yaml", b"kind: App");
    artifact.url = artifact.url.replace(&server.http.to_string(), &closed().await.to_string());
    let fixture = client(Options { grpc_port: Some(server.grpc.port()), retries: 0, ..Options::default() });
    let tree = fixture.client.fetch(&artifact).await.unwrap();
    assert_eq!(std::fs::read(tree.path().join("app.yaml")).unwrap(), b"kind: App");
    assert_eq!(tree.digest().to_string(), artifact.digest);
    assert_eq!((tree.extracted().files, tree.extracted().bytes), (1, 9));
}

#[tokio::test]
async fn a_given_endpoint_is_asked_whatever_the_url_says() {
    let server = Server::start().await;
    let artifact =
        Artifact { url: "https://elsewhere.invalid/x".into(), ..server.store_archive("web", "a", b"x") };
    let grpc = Some(format!("http://{}", server.grpc).parse().unwrap());
    client(Options { grpc, ..Options::default() }).client.fetch(&artifact).await.unwrap();
}

#[tokio::test]
async fn a_tree_comes_over_http_if_there_is_no_grpc() {
    let server = Server::start().await;
    let artifact = server.store_archive("web", "app.yaml", b"kind: App");
    let fixture = client(Options { grpc_port: Some(closed().await.port()), ..Options::default() });
    let tree = fixture.client.fetch(&artifact).await.unwrap();
    assert_eq!(std::fs::read(tree.path().join("app.yaml")).unwrap(), b"kind: App");
}

#[tokio::test]
async fn a_host_without_the_service_is_not_asked_again_for_a_while() {
    let server = Server::start().await;
    // Without any bytes to send, the service is there but doesn't implement the call.
    let (grpc, offsets) = cutting(b"", &[]).await;
    let fixture = client(Options { grpc_port: Some(grpc.port()), ..Options::default() });
    for name in ["a", "b", "c"] {
        fixture.client.fetch(&server.store_archive(name, name, b"x")).await.unwrap();
    }
    assert_eq!(offsets.lock().unwrap().len(), 1);

    let impatient =
        client(Options { grpc_port: Some(grpc.port()), grpc_pause: Duration::ZERO, ..Options::default() });
    for name in ["a", "b"] {
        impatient.client.fetch(&server.store_archive(name, name, b"x")).await.unwrap();
    }
    assert_eq!(offsets.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_transfer_over_grpc_goes_on_where_it_was_cut() {
    let content = archive("a", &noise(1000));
    let (grpc, offsets) = cutting(&content, &[400, 400, 4000]).await;
    let fixture = client(Options { grpc_port: Some(grpc.port()), ..Options::default() });
    fixture.client.fetch(&artifact(closed().await, &content)).await.unwrap();
    assert_eq!(*offsets.lock().unwrap(), [0, 400, 800]);
}

#[tokio::test]
async fn a_transfer_that_grpc_cannot_end_goes_on_over_http() {
    let server = Server::start().await;
    let artifact = server.store_archive("web", "a", &noise(1000));
    let content = std::fs::read(server.dir.path().join(&artifact.path)).unwrap();
    let (grpc, offsets) = cutting(&content, &[400]).await;
    let fixture = client(Options { grpc_port: Some(grpc.port()), ..Options::default() });
    fixture.client.fetch(&artifact).await.unwrap();
    assert_eq!(*offsets.lock().unwrap(), [0, 400]);
}

#[tokio::test]
async fn a_transfer_over_http_goes_on_where_it_was_cut() {
    let content = archive("a", &noise(1000));
    let range = format!("Content-Range: bytes 400-{}/{}\r\n", content.len() - 1, content.len());
    let (address, requests) = scripted(vec![
        with_length("200 OK", content.len(), &content[..400]),
        answer("206 Partial Content", &range, &content[400..]),
    ])
    .await;
    client(http_only()).client.fetch(&artifact(address, &content)).await.unwrap();
    let requests = requests.lock().unwrap();
    assert!(!requests[0].contains("range:"), "{}", requests[0]);
    assert!(requests[1].contains("range: bytes=400-\r\n"), "{}", requests[1]);
    assert!(requests[1].contains("traceparent: 00-1-2-01\r\n"));
}

#[tokio::test]
async fn a_server_without_ranges_starts_over() {
    let content = archive("a", &noise(1000));
    let (address, _) = scripted(vec![
        with_length("200 OK", content.len(), &content[..400]),
        answer("206 Partial Content", "Content-Range: bytes 0-1/2\r\n", b"xx"),
        with_length("200 OK", content.len(), &content),
    ])
    .await;
    client(http_only()).client.fetch(&artifact(address, &content)).await.unwrap();
}

#[tokio::test]
async fn failures_of_the_server_are_tried_again() {
    let content = archive("a", b"x");
    let failing = with_length("503 Service Unavailable", 0, b"");
    let (address, _) =
        scripted(vec![failing.clone(), failing.clone(), with_length("200 OK", content.len(), &content)])
            .await;
    client(http_only()).client.fetch(&artifact(address, &content)).await.unwrap();

    let (address, _) = scripted(vec![failing; 3]).await;
    let artifact = artifact(address, &content);
    let error = client(http_only()).fails(&artifact).await.to_string();
    assert_eq!(
        error,
        format!("failed to download archive from {} (status: 503 Service Unavailable)", artifact.url)
    );
}

#[tokio::test]
async fn a_refusal_is_final_and_shows_no_credentials() {
    let (address, _) = scripted(vec![with_length("403 Forbidden", 0, b"")]).await;
    let mut artifact = artifact(address, b"x");
    artifact.url = artifact.url.replace("http://", "http://user:secret@") + "?sig=secret";
    let fixture = client(http_only());
    let error = fixture.fails(&artifact).await.to_string();
    assert!(error.ends_with("a.tar.gz (status: 403 Forbidden)"), "{error}");
    assert!(!error.contains("secret"), "{error}");
    assert_eq!(fixture.requests(), 1);
}

#[tokio::test]
async fn what_the_store_has_no_more_is_not_found() {
    let server = Server::start().await;
    let artifact = server.store_archive("web", "a", b"x");
    server.storage.remove(&artifact).unwrap();
    let both = Options { grpc_port: Some(server.grpc.port()), ..Options::default() };
    // The artifact service doesn't know the digest; HTTP has the last word, as it tells a file that is gone from one
    // that isn't what its digest says.
    for (options, requests) in [(http_only(), 1), (both, 2)] {
        let fixture = client(options);
        assert!(fixture.fails(&artifact).await.is_not_found());
        assert_eq!(fixture.requests(), requests);
    }
}

#[tokio::test]
async fn other_bytes_than_the_digest_stands_for_are_not_unpacked() {
    let (good, bad) = (archive("a", b"good"), archive("a", b"evil"));
    let longer = [good.clone(), b"more".to_vec()].concat();
    for sent in [bad, good[..good.len() - 1].to_vec(), longer] {
        let (address, _) = scripted(vec![with_length("200 OK", sent.len(), &sent)]).await;
        let artifact = artifact(address, &good);
        let fixture = client(http_only());
        let error = fixture.fails(&artifact).await;
        assert_eq!(
            error.to_string(),
            format!(
                "failed to verify archive: computed digest doesn't match provided '{}' \
                 (check whether file size exceeds max download size)",
                artifact.digest
            )
        );
    }
}

#[tokio::test]
async fn digests_that_cannot_be_trusted_are_refused() {
    let address = closed().await;
    let fixture = client(http_only());
    for (digest, message) in [
        ("", "failed to verify archive: empty digest"),
        ("md5:abc", "failed to verify archive: invalid digest \"md5:abc\""),
        (
            "sha1:a9993e364706816aba3e25717850c26c9cd0d89d",
            "failed to verify archive: invalid digest \"sha1:a9993e364706816aba3e25717850c26c9cd0d89d\"",
        ),
    ] {
        let artifact = Artifact { digest: digest.into(), ..artifact(address, b"x") };
        assert_eq!(fixture.fails(&artifact).await.to_string(), message);
    }
    assert_eq!(fixture.requests(), 0);

    let server = Server::start().await;
    let mut bare = server.store_archive("web", "a", b"x");
    bare.digest = bare.digest.replace("sha256:", "");
    client(http_only()).client.fetch(&bare).await.unwrap();
}

#[tokio::test]
async fn downloads_are_limited() {
    let server = Server::start().await;
    let artifact = server.store_archive("web", "a", &noise(1000));
    let size = u64::try_from(artifact.size.unwrap()).unwrap();
    let unsized_artifact = Artifact { size: None, ..artifact.clone() };
    for artifact in [&artifact, &unsized_artifact] {
        client(Options { max_download: size, ..http_only() }).client.fetch(artifact).await.unwrap();
        let fixture = client(Options { max_download: size - 1, ..http_only() });
        assert!(matches!(fixture.fails(artifact).await, Error::TooBig { .. }));
    }
}

#[tokio::test]
async fn what_cannot_be_unpacked_leaves_nothing_behind() {
    let server = Server::start().await;
    let artifact = server.store("web", b"no archive");
    let fixture = client(http_only());
    let error = fixture.fails(&artifact).await;
    assert!(matches!(error, Error::Extract(_)), "{error:?}");
    let folders = std::fs::read_dir(fixture.dir.path()).unwrap().flatten().filter(|e| e.path().is_dir());
    for folder in folders {
        let left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().flatten().map(|e| e.file_name()).collect();
        assert_eq!(left, [".lock"]);
    }
}

#[tokio::test]
async fn urls_of_other_schemes_are_refused() {
    let fixture = client(http_only());
    for url in ["", "file:///etc/passwd", "ftp://x/y", "x"] {
        let artifact = Artifact { url: url.into(), ..artifact(closed().await, b"x") };
        assert!(matches!(fixture.fails(&artifact).await, Error::Url { .. }), "{url}");
    }
}

#[tokio::test]
async fn the_host_can_be_replaced() {
    let server = Server::start().await;
    let mut artifact = server.store_archive("web", "a", b"x");
    artifact.url = format!("http://source-controller.flux-system.svc.cluster.local./{}", artifact.path);
    let host_override = Some(server.http.to_string());
    client(Options { host_override, ..http_only() }).client.fetch(&artifact).await.unwrap();
}

#[tokio::test]
async fn many_who_ask_at_once_share_one_tree() {
    let server = Server::start().await;
    let artifact = server.store_archive("web", "a", b"x");
    let fixture = client(http_only());
    let trees = join_all((0..50).map(|_| fixture.client.fetch(&artifact))).await;
    let first = trees[0].as_ref().unwrap();
    assert!(trees.iter().all(|tree| Arc::ptr_eq(tree.as_ref().unwrap(), first)));
    assert!(Arc::ptr_eq(&fixture.client.fetch(&artifact).await.unwrap(), first));
    assert_eq!(fixture.requests(), 1);
}

#[tokio::test]
async fn many_who_ask_at_once_share_one_failure_and_the_next_tries_again() {
    let content = archive("a", b"x");
    let (address, _) =
        scripted(vec![with_length("404 Not Found", 0, b""), with_length("200 OK", content.len(), &content)])
            .await;
    let artifact = artifact(address, &content);
    let fixture = client(http_only());
    let results = join_all((0..50).map(|_| fixture.client.fetch(&artifact))).await;
    assert!(results.iter().all(|result| result.as_ref().is_err_and(Error::is_not_found)));
    assert_eq!(fixture.requests(), 1);
    fixture.client.fetch(&artifact).await.unwrap();
}

#[tokio::test]
async fn one_who_gives_up_does_not_stop_the_others() {
    let (listener, address) = bind().await;
    let content = archive("a", b"x");
    let artifact = artifact(address, &content);
    let fixture = client(http_only());
    let mut first = Box::pin(fixture.client.fetch(&artifact));
    let mut second = Box::pin(fixture.client.fetch(&artifact));
    let mut stream = tokio::select! {
        result = &mut first => panic!("nobody has answered yet: {result:?}"),
        accepted = listener.accept() => accepted.unwrap().0,
    };
    assert!((&mut second).now_or_never().is_none());
    drop(first);
    let serve = async {
        read_head(&mut stream).await;
        stream.write_all(&with_length("200 OK", content.len(), &content)).await.unwrap();
    };
    let (second, ()) = tokio::join!(second, serve);
    second.unwrap();
    assert_eq!(fixture.requests(), 1);
}

#[tokio::test]
async fn trees_over_the_limit_go_once_nobody_uses_them() {
    let server = Server::start().await;
    let artifacts: Vec<_> = ["a", "b", "c"].map(|name| server.store_archive(name, name, b"x")).to_vec();
    let fixture = client(Options { kept: Kept { trees: 2, bytes: u64::MAX }, ..http_only() });
    let in_use = fixture.client.fetch(&artifacts[0]).await.unwrap();
    let path = fixture.client.fetch(&artifacts[1]).await.unwrap().path().to_owned();
    fixture.client.fetch(&artifacts[2]).await.unwrap();
    fixture.client.fetch(&artifacts[1]).await.unwrap();
    assert!(path.exists());
    assert_eq!(fixture.requests(), 3);

    // Out of the cache, but still there for who has it and who asks for it.
    assert!(in_use.path().exists());
    assert!(Arc::ptr_eq(&in_use, &fixture.client.fetch(&artifacts[0]).await.unwrap()));
    assert_eq!(fixture.requests(), 3);

    let path = in_use.path().to_owned();
    drop(in_use);
    fixture.client.fetch(&artifacts[1]).await.unwrap();
    fixture.client.fetch(&artifacts[2]).await.unwrap();
    gone(&path).await;
}

#[tokio::test]
async fn trees_are_kept_up_to_a_number_of_bytes() {
    let server = Server::start().await;
    let large = server.store_archive("large", "a", &noise(2000));
    let small = server.store_archive("small", "a", &noise(500));
    let fixture = client(Options { kept: Kept { trees: 9, bytes: 1000 }, ..http_only() });
    let kept = fixture.client.fetch(&small).await.unwrap().path().to_owned();
    let path = fixture.client.fetch(&large).await.unwrap().path().to_owned();
    gone(&path).await;
    let _ = kept;
}

#[tokio::test]
async fn the_folder_goes_with_the_client_and_its_trees() {
    let server = Server::start().await;
    let Fixture { client, dir, .. } = client(http_only());
    let tree = client.fetch(&server.store_archive("a", "a", b"x")).await.unwrap();
    drop(client);
    let folder = tree.path().parent().unwrap().to_owned();
    assert!(tree.path().exists());
    drop(tree);
    gone(&folder).await;
    assert!(dir.path().exists());
}
