//! Single requests to the API server, each with a deadline.

use std::time::Duration;

use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Limited};
use kube::client::Body;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

mod error;
mod path;

pub(crate) use error::RequestError;
pub(crate) use path::{Path, encode, object_path};

/// Largest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 << 20;
const ACCEPT_METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
const APPLY: &str = "application/apply-patch+yaml";
const JSON_PATCH: &str = "application/json-patch+json";

/// The client of one run, with the limits of that run.
#[derive(Clone)]
pub(crate) struct Calls {
    pub(crate) client: kube::Client,
    pub(crate) field_manager: String,
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
        let mut request = Request::builder().method(method).uri(target);
        if headers.iter().all(|(name, _)| *name != "accept") {
            request = request.header("accept", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body)).map_err(RequestError::Build)?;
        let until = (Instant::now() + self.per_request).min(self.deadline);
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(RequestError::Canceled),
            answer = self.exchange(request) => answer,
            () = tokio::time::sleep_until(until) => Err(RequestError::Deadline),
        }
    }

    async fn exchange(&self, request: Request<Body>) -> Result<Answer, RequestError> {
        let (head, body) = self.client.send(request).await.map_err(RequestError::from_client)?.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(RequestError::Read)?.to_bytes();
        if !head.status.is_success() {
            return Err(RequestError::from_answer(&Response::from_parts(head, body)));
        }
        let object = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body).map_err(RequestError::Decode)?
        };
        Ok(Answer { created: head.status == http::StatusCode::CREATED, object })
    }
}

fn bytes(body: &Value) -> Result<Vec<u8>, RequestError> {
    serde_json::to_vec(body).map_err(RequestError::Decode)
}
