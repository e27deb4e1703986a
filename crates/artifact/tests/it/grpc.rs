//! The artifact service over a real port.

use std::sync::{Arc, Mutex};

use api::meta::Artifact;
use artifact::server::grpc::Options;
use proto::artifact::v1::{
    FetchRequest, GetRequest, ListRequest, Source, WatchRequest, WatchResponse,
    artifact_service_client::ArtifactServiceClient, watch_response::Event,
};
use tokio_stream::StreamExt;
use tonic::{Code, Request, Streaming, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::server::{Server, key, noise};

async fn channel(server: &Server) -> Channel {
    Channel::from_shared(format!("http://{}", server.grpc)).unwrap().connect().await.unwrap()
}

async fn client(server: &Server) -> ArtifactServiceClient<Channel> {
    ArtifactServiceClient::new(channel(server).await)
}

fn source(name: &str) -> Source {
    Source { kind: "GitRepository".into(), namespace: "apps".into(), name: name.into() }
}

async fn fetch(
    client: &mut ArtifactServiceClient<Channel>,
    digest: &str,
    offset: u64,
    path: &str,
) -> Result<Vec<u8>, Code> {
    let request = FetchRequest { digest: digest.into(), offset, path: path.into() };
    let mut stream = client.fetch(request).await.map_err(|status| status.code())?.into_inner();
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|status| status.code())?;
        assert!(chunk.data.len() <= 1 << 20);
        assert_eq!(chunk.offset, offset + bytes.len() as u64);
        bytes.extend_from_slice(&chunk.data);
        assert!(offset + bytes.len() as u64 <= chunk.total_size);
    }
    Ok(bytes)
}

#[tokio::test]
async fn fetch_sends_the_bytes_from_any_offset() {
    let server = Server::start().await;
    let content = noise(1_500_000);
    let artifact = server.store("web", &content);
    let mut client = client(&server).await;
    for offset in [0, 1, 700_000, 1_499_999, 1_500_000] {
        let bytes = fetch(&mut client, &artifact.digest, offset, &artifact.path).await.unwrap();
        assert_eq!(bytes, content[usize::try_from(offset).unwrap()..], "{offset}");
    }
}

#[tokio::test]
async fn fetch_finds_a_current_artifact_without_its_path() {
    let server = Server::start().await;
    let artifact = server.store("web", b"content");
    let mut client = client(&server).await;
    assert_eq!(fetch(&mut client, &artifact.digest, 0, "").await.unwrap(), b"content");

    // Nothing is known after a start, until the controller says what is current.
    let second = Server::start().await;
    let path = second.dir.path().join(&artifact.path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, "content").unwrap();
    let mut client = self::client(&second).await;
    assert_eq!(fetch(&mut client, &artifact.digest, 0, "").await, Err(Code::NotFound));
    second.catalog.publish(key("web"), artifact.clone());
    assert_eq!(fetch(&mut client, &artifact.digest, 0, "").await.unwrap(), b"content");
}

#[tokio::test]
async fn fetch_refuses_what_it_cannot_give() {
    let server = Server::start().await;
    let artifact = server.store("web", b"content");
    let Artifact { digest, path, .. } = &artifact;
    let other = format!("sha256:{}", "0".repeat(64));
    let mut client = client(&server).await;
    for (digest, offset, path, code) in [
        (&**digest, 8, &**path, Code::OutOfRange),
        (digest, u64::MAX, path, Code::OutOfRange),
        (&other, 0, path, Code::NotFound),
        (&other, 0, "", Code::NotFound),
        (&other, 0, "gitrepository/apps/web/missing.tar.gz", Code::NotFound),
        (digest, 0, "../../etc/passwd", Code::InvalidArgument),
        ("", 0, path, Code::InvalidArgument),
        ("md5:abc", 0, path, Code::InvalidArgument),
        (&digest.to_uppercase(), 0, path, Code::InvalidArgument),
    ] {
        assert_eq!(fetch(&mut client, digest, offset, path).await, Err(code), "{digest} {offset} {path}");
    }
    server.storage.remove(&artifact).unwrap();
    assert_eq!(fetch(&mut client, digest, 0, path).await, Err(Code::NotFound));
}

#[tokio::test]
async fn transfers_over_the_limit_are_refused() {
    let server = Server::with(Options { max_fetches: 1, ..Options::default() }).await;
    let artifact = server.store("web", &noise(20_000_000));
    let mut client = client(&server).await;
    let request = FetchRequest { digest: artifact.digest.clone(), offset: 0, path: artifact.path.clone() };
    // The windows hold less than the file, so that the first transfer can't end while nobody reads.
    let first = client.fetch(request).await.unwrap();
    assert_eq!(fetch(&mut client, &artifact.digest, 0, &artifact.path).await, Err(Code::ResourceExhausted));
    drop(first);
}

#[tokio::test]
async fn get_and_list_tell_what_is_current() {
    let server = Server::start().await;
    let artifact = server.store("web", b"content");
    for name in ["web", "b", "a"] {
        server.catalog.publish(key(name), artifact.clone());
    }
    let mut client = client(&server).await;

    let got = client.get(GetRequest { source: Some(source("web")) }).await.unwrap().into_inner();
    assert_eq!((&got.digest, &got.url, got.size), (&artifact.digest, &artifact.url, Some(7)));
    assert!(got.last_update_time.is_some());
    let missing = client.get(GetRequest { source: Some(source("x")) }).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    for incomplete in [None, Some(Source { kind: String::new(), ..source("web") }), Some(source("../x"))] {
        let error = client.get(GetRequest { source: incomplete }).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
    }

    let mut names = Vec::new();
    let mut request = ListRequest { kind: "GitRepository".into(), page_size: 2, ..ListRequest::default() };
    loop {
        let page = client.list(request.clone()).await.unwrap().into_inner();
        names.extend(page.artifacts.into_iter().map(|artifact| artifact.source.unwrap().name));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(names, ["a", "b", "web"]);
    request.page_token = "nonsense".into();
    assert_eq!(client.list(request).await.unwrap_err().code(), Code::InvalidArgument);
    let none = ListRequest { namespace: "other".into(), ..ListRequest::default() };
    assert!(client.list(none).await.unwrap().into_inner().artifacts.is_empty());
}

async fn next(stream: &mut Streaming<WatchResponse>) -> (String, Event) {
    let response = stream.next().await.unwrap().unwrap();
    (response.resume_token, response.event.unwrap())
}

#[tokio::test]
async fn watch_tells_of_changes_and_goes_on_at_a_token() {
    let server = Server::start().await;
    let artifact = server.store("web", b"content");
    let mut client = client(&server).await;
    let request = WatchRequest { namespace: "apps".into(), ..WatchRequest::default() };
    let mut stream = client.watch(request.clone()).await.unwrap().into_inner();
    let (start, event) = next(&mut stream).await;
    assert!(matches!(event, Event::Bookmark(_)));

    server.catalog.publish(key("web"), artifact.clone());
    server.catalog.remove(&key("web"));
    let (_, event) = next(&mut stream).await;
    assert!(matches!(event, Event::Published(found) if found.digest == artifact.digest));
    let (_, event) = next(&mut stream).await;
    assert!(matches!(event, Event::Removed(found) if found == source("web")));

    let request = WatchRequest { resume_token: start, ..request };
    let mut resumed = client.watch(request.clone()).await.unwrap().into_inner();
    next(&mut resumed).await;
    let (_, event) = next(&mut resumed).await;
    assert!(matches!(event, Event::Published(_)));

    for n in 0..9 {
        server.catalog.publish(key("web"), Artifact { revision: n.to_string(), ..Artifact::default() });
    }
    assert_eq!(client.watch(request.clone()).await.unwrap_err().code(), Code::OutOfRange);
    let nonsense = WatchRequest { resume_token: "x".into(), ..request };
    assert_eq!(client.watch(nonsense).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_quiet_watch_gets_bookmarks_and_ends_with_the_server() {
    let bookmark_interval = std::time::Duration::from_millis(5);
    let server = Server::with(Options { bookmark_interval, max_watches: 1, ..Options::default() }).await;
    let mut client = client(&server).await;
    let mut stream = client.watch(WatchRequest::default()).await.unwrap().into_inner();
    let (first, _) = next(&mut stream).await;
    let (second, event) = next(&mut stream).await;
    assert!(matches!(event, Event::Bookmark(_)));
    assert_eq!(first, second);
    let refused = client.watch(WatchRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);

    server.stop.cancel();
    let end = loop {
        match stream.next().await {
            Some(Ok(_)) => {}
            Some(Err(status)) => break status.code(),
            None => panic!("the stream ended without a status"),
        }
    };
    assert_eq!(end, Code::Unavailable);
}

#[tokio::test]
async fn health_and_reflection_answer() {
    let server = Server::start().await;
    let channel = channel(&server).await;
    for service in ["", "artifact.v1.ArtifactService"] {
        let request = HealthCheckRequest { service: service.into() };
        let answer = HealthClient::new(channel.clone()).check(request).await.unwrap();
        assert_eq!(answer.get_ref().status(), ServingStatus::Serving, "{service}");
    }

    let ask = |message_request| ServerReflectionRequest {
        host: String::new(),
        message_request: Some(message_request),
    };
    let questions = tokio_stream::iter([
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol("artifact.v1.ArtifactService".into())),
    ]);
    let mut answers =
        ServerReflectionClient::new(channel).server_reflection_info(questions).await.unwrap().into_inner();
    let Some(MessageResponse::ListServicesResponse(list)) =
        answers.message().await.unwrap().unwrap().message_response
    else {
        panic!("no list of services");
    };
    let mut names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
    names.sort();
    assert_eq!(
        names,
        ["artifact.v1.ArtifactService", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"]
    );
    let file = answers.message().await.unwrap().unwrap().message_response;
    assert!(matches!(file, Some(MessageResponse::FileDescriptorResponse(_))), "{file:?}");
}

#[tokio::test]
async fn the_hook_sees_the_trace_of_the_caller() {
    let seen = Arc::new(Mutex::new(None));
    let hook = {
        let seen = seen.clone();
        move |headers: &http::HeaderMap, _: &tracing::Span| {
            *seen.lock().unwrap() =
                headers.get("traceparent").map(|value| value.to_str().unwrap().to_owned());
        }
    };
    let server = Server::with(Options { on_request: Some(Arc::new(hook)), ..Options::default() }).await;
    let mut request = Request::new(ListRequest::default());
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    request.metadata_mut().insert("traceparent", traceparent.parse().unwrap());
    client(&server).await.list(request).await.unwrap();
    assert_eq!(seen.lock().unwrap().as_deref(), Some(traceparent));
}
