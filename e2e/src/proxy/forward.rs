//! Passing requests on to the API server.

use std::io;

use anyhow::{Context, Result};
use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, Response, StatusCode, header},
};
use futures::{StreamExt, future, stream};
use tokio::sync::watch;

use crate::serve::status;

/// The largest request that is taken; the API server takes 3 MiB.
const LIMIT: usize = 16 << 20;

/// Headers that say how one connection is used.
const HOP: [header::HeaderName; 4] =
    [header::CONNECTION, header::TRANSFER_ENCODING, header::HOST, header::CONTENT_LENGTH];

/// Where requests go.
pub(super) struct Upstream {
    address: String,
    client: reqwest::Client,
}

impl Upstream {
    pub(super) fn new(address: String) -> Result<Self> {
        let client = reqwest::Client::builder()
            // The other end of a cable on loopback.
            .tls_danger_accept_invalid_certs(true)
            .no_proxy()
            .http1_only()
            .no_gzip()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("failed to make a client")?;
        Ok(Self { address, client })
    }

    /// Passes a request on; the answer's body comes piece by piece.
    pub(super) async fn pass(&self, request: Request) -> Response<Body> {
        match self.send(request).await {
            Ok(answer) => {
                let (code, headers) = (answer.status(), answer.headers().clone());
                response(code, &headers, Body::from_stream(answer.bytes_stream()))
            }
            Err(_) => hung_up(),
        }
    }

    /// Passes a request on; the answer is whole before it is returned.
    pub(super) async fn pass_whole(&self, request: Request) -> Response<Body> {
        let whole = async {
            let answer = self.send(request).await?;
            let (code, headers) = (answer.status(), answer.headers().clone());
            anyhow::Ok(response(code, &headers, Body::from(answer.bytes().await?)))
        };
        whole.await.unwrap_or_else(|_| hung_up())
    }

    async fn send(&self, request: Request) -> Result<reqwest::Response> {
        let (head, body) = request.into_parts();
        let body = to_bytes(body, LIMIT).await?;
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let request = self
            .client
            .request(head.method, format!("{}{path}", self.address))
            .headers(end_to_end(&head.headers))
            .body(body);
        Ok(request.send().await?)
    }
}

/// An answer whose body breaks off at once, and the connection with it.
pub(super) fn hung_up() -> Response<Body> {
    Response::new(Body::from_stream(stream::once(async { Err::<Vec<u8>, _>(broken()) })))
}

/// Breaks the answer off at the next cut, if it hasn't ended by then.
pub(super) fn until_cut(answer: Response<Body>, mut cuts: watch::Receiver<u64>) -> Response<Body> {
    answer.map(|body| {
        let cut = async move {
            // An error means that the proxy is gone.
            let _ = cuts.changed().await;
            Err(broken())
        };
        let data = body.into_data_stream().map(|piece| piece.map(Some).map_err(io::Error::other));
        // Nothing more comes after the body's end, no cut either.
        let data = data.chain(stream::once(async { Ok(None) }));
        let pieces = stream::select(data, stream::once(cut));
        Body::from_stream(pieces.scan((), |(), piece| future::ready(piece.transpose())))
    })
}

pub(super) fn broken() -> io::Error {
    io::Error::from(io::ErrorKind::ConnectionAborted)
}

fn response(code: StatusCode, headers: &HeaderMap, body: Body) -> Response<Body> {
    let mut response = status(code);
    *response.headers_mut() = end_to_end(headers);
    *response.body_mut() = body;
    response
}

fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in HOP {
        headers.remove(name);
    }
    headers
}
