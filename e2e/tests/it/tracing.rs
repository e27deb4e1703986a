//! What a collector of OpenTelemetry traces is told, and that nobody is told unless asked for.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, TcpListener},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::{
    Bed, Push, fixtures,
    git::{PASSWORD, USER},
    wait,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::{KeyValue, any_value::Value as Any},
    trace::v1::{Span, status::StatusCode},
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};

use crate::stage::{SOON, Scene, alone, plain};

/// What a Secret among the manifests holds.
const TOKEN: &str = "token-of-the-application";
const FETCH: &str = "/artifact.v1.ArtifactService/Fetch";

#[test]
fn a_reconcile_is_one_trace_that_spans_both_controllers() {
    alone(async || {
        let collector = Collector::start().await?;
        let bed = Bed::start(&[&format!("--otlp-endpoint={}", collector.url)]).await?;
        install_with_secrets(&bed).await?;

        let path =
            wait::until("the trace of the download", SOON, async || Ok(collector.path(is_fetch))).await?;
        let shown: Vec<_> =
            path.iter().map(|sent| (sent.service.as_str(), sent.span.name.as_str())).collect();
        assert_eq!(
            shown,
            [
                ("source-controller", "artifact_call"),
                ("kustomize-controller", "fetch"),
                ("kustomize-controller", "reconcile"),
            ]
        );
        let root = &path[path.len() - 1].span;
        let object = ["controllerKind", "namespace", "name"].map(|key| attribute(&root.attributes, key));
        assert_eq!(object, [Some("Kustomization"), Some("traced"), Some("app")]);
        assert_eq!(collector.children(root), ["fetch", "build", "apply", "wait"]);
        assert_ne!(root.status.as_ref().map(|status| status.code), Some(StatusCode::Error as i32));

        wait::until("the trace of the source", SOON, async || Ok(collector.path(is_reconcile_of_source)))
            .await?;
        collector.assert_silent_about(&[PASSWORD, &STANDARD.encode(format!("{USER}:{PASSWORD}"))]);
        collector.assert_silent_about(&[TOKEN, &STANDARD.encode(TOKEN)]);
        Ok(())
    });
}

#[test]
fn nothing_is_traced_unless_asked_for() {
    alone(async || {
        // Where OpenTelemetry's exporters go when nobody tells them.
        let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, 4317)) else {
            eprintln!("skipped: port 4317 is taken");
            return Ok(());
        };
        listener.set_nonblocking(true)?;
        let bed = Bed::start(&[]).await?;
        let mut scene = Scene::new(&bed, "untraced").await?;
        let files = fixtures::config_maps(&["settings"], "blue");
        scene.install(&Push { files, ..Push::default() }, &plain()).await?;
        // At the end an exporter would send what it has.
        bed.kustomize.stop(SOON).await?;
        bed.source.stop(SOON).await?;
        assert_eq!(listener.accept().map_err(|error| error.kind()).err(), Some(ErrorKind::WouldBlock));
        Ok(())
    });
}

/// Installs a Secret from a repository behind a password.
async fn install_with_secrets(bed: &Bed) -> Result<()> {
    let mut scene = Scene::new(bed, "traced").await?;
    let mut push = Push::default();
    push.files.set("secret.yaml", secret("token", &json!({ "token": TOKEN })).to_string());
    let commit = scene.repository.push(&push).await?;

    bed.objects.apply(&secret("login", &json!({ "username": USER, "password": PASSWORD }))).await?;
    let mut source = fixtures::git_repository("traced", &format!("http://{}", bed.git.password_host()));
    source["spec"]["secretRef"] = json!({ "name": "login" });
    bed.objects.apply(&source).await?;
    bed.objects.apply(&fixtures::kustomization("traced", &json!({ "wait": true }))).await?;
    scene.applied(&commit).await.map(drop)
}

fn secret(name: &str, data: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": name, "namespace": "traced" },
        "stringData": data,
    })
}

/// A span and the process it comes from.
#[derive(Clone)]
struct Sent {
    service: String,
    span: Span,
}

fn is_fetch(sent: &Sent) -> bool {
    attribute(&sent.span.attributes, "method") == Some(FETCH)
}

fn is_reconcile_of_source(sent: &Sent) -> bool {
    attribute(&sent.span.attributes, "controllerKind") == Some("GitRepository")
        && sent.service == "source-controller"
}

fn attribute<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Any::StringValue(text) => Some(text),
        _ => None,
    }
}

/// Takes traces over OTLP/gRPC and keeps them.
struct Collector {
    url: String,
    requests: Requests,
    task: JoinHandle<()>,
}

#[derive(Clone, Default)]
struct Requests(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

impl Requests {
    fn lock(&self) -> MutexGuard<'_, Vec<ExportTraceServiceRequest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[tonic::async_trait]
impl TraceService for Requests {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.lock().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    async fn start() -> Result<Self> {
        let listener =
            tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("failed to listen")?;
        let url = format!("http://{}", listener.local_addr()?);
        let requests = Requests::default();
        let service = TraceServiceServer::new(requests.clone());
        let task = tokio::spawn(async move {
            // A failure shows as traces that don't arrive.
            let _ =
                Server::builder().add_service(service).serve_with_incoming(TcpIncoming::from(listener)).await;
        });
        Ok(Self { url, requests, task })
    }

    /// All spans so far, in the order in which each process sent them.
    fn spans(&self) -> Vec<Sent> {
        let requests = self.requests.lock();
        let of_processes = requests.iter().flat_map(|request| &request.resource_spans);
        of_processes
            .flat_map(|process| {
                let attributes = process.resource.as_ref().map_or(&[][..], |resource| &resource.attributes);
                let service = attribute(attributes, "service.name").unwrap_or_default();
                let spans = process.scope_spans.iter().flat_map(|scope| &scope.spans);
                spans.map(move |span| Sent { service: service.to_owned(), span: span.clone() })
            })
            .collect()
    }

    /// From the first span that is wanted up to the root of its trace; `None` until all of these are there.
    fn path(&self, wanted: impl Fn(&Sent) -> bool) -> Option<Vec<Sent>> {
        let spans = self.spans();
        let mut path = vec![spans.iter().find(|sent| wanted(sent))?.clone()];
        loop {
            let last = &path[path.len() - 1].span;
            if last.parent_span_id.is_empty() {
                return Some(path);
            }
            let is_parent =
                |span: &Span| span.trace_id == last.trace_id && span.span_id == last.parent_span_id;
            path.push(spans.iter().find(|sent| is_parent(&sent.span))?.clone());
        }
    }

    /// The names of the spans right below one, in the order they began.
    fn children(&self, parent: &Span) -> Vec<String> {
        let mut children: Vec<Span> = self.spans().into_iter().map(|sent| sent.span).collect();
        children.retain(|span| span.trace_id == parent.trace_id && span.parent_span_id == parent.span_id);
        children.sort_by_key(|span| span.start_time_unix_nano);
        children.into_iter().map(|span| span.name).collect()
    }

    /// Nothing that was sent, be it attribute, event or status, contains any of these.
    fn assert_silent_about(&self, secrets: &[&str]) {
        let all = format!("{:?}", self.requests.lock());
        for secret in secrets {
            assert!(!all.contains(secret), "{secret} was sent to the collector");
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}
