//! Single requests to the API server, each with a deadline.

use std::time::Duration;

use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Limited};
use kube::client::Body;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

mod error;
mod path;

pub(crate) use error::RequestError;
pub(crate) use path::{Path, collection_path, encode, kind_path, object_path};

/// Largest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 << 20;
/// How often a request is sent again that a busy API server has put off.
const PUT_OFF: usize = 5;
/// Longest pause between two such attempts, whatever the API server asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const ACCEPT_METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
const ACCEPT_METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
/// For watches: events carry metadata only.
pub(crate) const WATCH_METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
/// For watches: events carry whole objects.
pub(crate) const WATCH_OBJECTS: &str = "application/json";
const APPLY: &str = "application/apply-patch+yaml";
const JSON_PATCH: &str = "application/json-patch+json";

/// The client of one run, with the limits of that run.
#[derive(Clone)]
pub(crate) struct Calls {
    pub(crate) client: kube::Client,
    pub(crate) field_manager: String,
    /// When the run began.
    pub(crate) started: Instant,
    /// When the run as a whole gives up.
    pub(crate) deadline: Instant,
    /// How long one request may take.
    pub(crate) per_request: Duration,
    pub(crate) cancel: CancellationToken,
}

/// What an apply answered.
pub(crate) struct Answer {
    /// The object was not there before.
    pub(crate) created: bool,
    pub(crate) object: Value,
}

impl Calls {
    pub(crate) async fn get(&self, path: &Path) -> Result<Value, RequestError> {
        Ok(self.send(Method::GET, path.as_str(), &[], Vec::new()).await?.object)
    }

    /// Reads `apiVersion`, `kind` and `metadata` only.
    pub(crate) async fn get_metadata(&self, path: &Path) -> Result<Value, RequestError> {
        Ok(self.send(Method::GET, path.as_str(), &[("accept", ACCEPT_METADATA)], Vec::new()).await?.object)
    }

    /// Reads a list of `apiVersion`, `kind` and `metadata` only.
    pub(crate) async fn list_metadata<T: DeserializeOwned>(&self, target: &str) -> Result<T, RequestError> {
        let request = build(&Method::GET, target, &[("accept", ACCEPT_METADATA_LIST)], Vec::new())?;
        self.in_time(async {
            let (head, body) =
                self.client.send(request).await.map_err(RequestError::from_client)?.into_parts();
            if !head.status.is_success() {
                return Err(refusal(head, body).await?);
            }
            serde_json::from_slice(&whole(body).await?).map_err(RequestError::Decode)
        })
        .await
    }

    pub(crate) async fn get_raw(&self, path: &str, accept: &str) -> Result<Value, RequestError> {
        Ok(self.send(Method::GET, path, &[("accept", accept)], Vec::new()).await?.object)
    }

    /// Server-side apply; conflicts are always forced.
    pub(crate) async fn apply(
        &self,
        path: &Path,
        body: &Value,
        dry_run: bool,
    ) -> Result<Answer, RequestError> {
        let manager = encode(&self.field_manager);
        let dry_run = if dry_run { "&dryRun=All" } else { "" };
        let target = format!("{}?fieldManager={manager}&force=true{dry_run}", path.as_str());
        self.send(Method::PATCH, &target, &[("content-type", APPLY)], bytes(body)?).await
    }

    pub(crate) async fn json_patch(&self, path: &Path, patch: &Value) -> Result<Value, RequestError> {
        let target = format!("{}?fieldManager={}", path.as_str(), encode(&self.field_manager));
        Ok(self.send(Method::PATCH, &target, &[("content-type", JSON_PATCH)], bytes(patch)?).await?.object)
    }

    /// Asks whether the object could be created, were it not there.
    ///
    /// Validation and admission come before the name is looked up, so "already exists" means yes. What the live
    /// object itself holds (addresses, ports, quota) is no obstacle: it is free once the object is gone.
    pub(crate) async fn creatable(&self, path: &Path, body: &Value) -> Result<(), RequestError> {
        let manager = encode(&self.field_manager);
        let target = format!("{}?fieldManager={manager}&dryRun=All", path.collection());
        match self.send(Method::POST, &target, &[("content-type", "application/json")], bytes(body)?).await {
            Err(error) if !error.is_already_exists() && !error.is_taken_by_itself() => Err(error),
            _ => Ok(()),
        }
    }

    /// Deletes in the background exactly the object that was read.
    pub(crate) async fn delete(&self, path: &Path, preconditions: Value) -> Result<(), RequestError> {
        let options = json!({
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "propagationPolicy": "Background",
            "preconditions": preconditions,
        });
        let headers = [("content-type", "application/json")];
        self.send(Method::DELETE, path.as_str(), &headers, bytes(&options)?).await.map(|_| ())
    }

    /// Opens an answer that goes on, such as a watch; only its beginning has the deadline of a request.
    pub(crate) async fn open(&self, target: &str, accept: &str) -> Result<Body, RequestError> {
        // One member of a gzip stream an event is more than the client unpacks.
        let headers = [("accept", accept), ("accept-encoding", "identity")];
        let request = build(&Method::GET, target, &headers, Vec::new())?;
        let (head, body) = self
            .in_time(async { self.client.send(request).await.map_err(RequestError::from_client) })
            .await?
            .into_parts();
        if head.status.is_success() {
            return Ok(body);
        }
        Err(self.in_time(refusal(head, body)).await?)
    }

    /// Pauses, unless the run ends before.
    pub(crate) async fn pause(&self, duration: Duration) -> Result<(), RequestError> {
        let until = (Instant::now() + duration).min(self.deadline);
        tokio::select! {
            () = self.cancel.cancelled() => Err(RequestError::Canceled),
            () = tokio::time::sleep_until(until) => {
                if until == self.deadline { Err(RequestError::Deadline) } else { Ok(()) }
            }
        }
    }

    async fn send(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, RequestError> {
        let mut attempt = 0;
        loop {
            let request = build(&method, target, headers, body.clone())?;
            let error = match self.in_time(self.exchange(request)).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let Some(pause) = error.retry_after().filter(|_| attempt < PUT_OFF) else { return Err(error) };
            attempt += 1;
            let left = self.deadline.saturating_duration_since(Instant::now());
            if pause >= left {
                return Err(error);
            }
            self.pause(pause.min(LONGEST_PAUSE)).await?;
        }
    }

    /// Ends at the deadline of a request or of the run, whichever comes first.
    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, RequestError>>,
    ) -> Result<T, RequestError> {
        let until = (Instant::now() + self.per_request).min(self.deadline);
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(RequestError::Canceled),
            result = work => result,
            () = tokio::time::sleep_until(until) => Err(RequestError::Deadline),
        }
    }

    async fn exchange(&self, request: Request<Body>) -> Result<Answer, RequestError> {
        let (head, body) = self.client.send(request).await.map_err(RequestError::from_client)?.into_parts();
        if !head.status.is_success() {
            return Err(refusal(head, body).await?);
        }
        let body = whole(body).await?;
        let object = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body).map_err(RequestError::Decode)?
        };
        Ok(Answer { created: head.status == http::StatusCode::CREATED, object })
    }
}

fn build(
    method: &Method,
    target: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Result<Request<Body>, RequestError> {
    let mut request = Request::builder().method(method).uri(target);
    if headers.iter().all(|(name, _)| *name != "accept") {
        request = request.header("accept", "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body)).map_err(RequestError::Build)
}

async fn whole(body: Body) -> Result<impl AsRef<[u8]> + std::ops::Deref<Target = [u8]>, RequestError> {
    Ok(Limited::new(body, MAX_ANSWER).collect().await.map_err(RequestError::Read)?.to_bytes())
}

async fn refusal(head: http::response::Parts, body: Body) -> Result<RequestError, RequestError> {
    let body = whole(body).await?;
    Ok(RequestError::from_answer(&Response::from_parts(head, body)))
}

fn bytes(body: &Value) -> Result<Vec<u8>, RequestError> {
    serde_json::to_vec(body).map_err(RequestError::Decode)
}
