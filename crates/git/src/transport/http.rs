//! The client as gix's transport wants it.

use std::{
    cell::RefCell,
    io::{self, BufRead, Read, Write},
    rc::Rc,
};

use bytes::{Buf, Bytes};
use gix_transport::client::blocking_io::http::{GetResponse, Http, PostBodyDataKind, PostResponse};
use reqwest::header::HeaderMap;
use url::Url;

use super::client::{Body, Client, Reply, header_map};
use crate::error::Cause;

pub(super) struct Backend {
    client: Rc<Client>,
    redirected: Option<String>,
}

impl Backend {
    pub(super) fn new(client: Rc<Client>) -> Self {
        Self { client, redirected: None }
    }

    fn parse(&self, url: &str) -> gix::Result<Url> {
        Url::parse(url).map_err(|error| self.failed(Cause::Protocol(error.to_string())))
    }

    fn failed(&self, cause: Cause) -> gix::Error {
        gix::Error::from_error(self.client.fail(cause))
    }
}

impl Http for Backend {
    type Headers = Headers;
    type ResponseBody = ResponseBody;
    type PostBody = PostBody;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::Result<GetResponse<Headers, ResponseBody>> {
        let parsed = self.parse(url)?;
        let reply =
            self.client.get(&parsed, base_url, &header_map(headers)).map_err(|cause| self.failed(cause))?;
        if reply.url != parsed {
            let tail = url.strip_prefix(base_url).unwrap_or_default();
            self.redirected = reply.url.as_str().strip_suffix(tail).map(ToOwned::to_owned);
        }
        let exchange = Exchange::answered(Rc::clone(&self.client), reply);
        Ok(GetResponse { headers: Headers::new(&exchange), body: ResponseBody::new(exchange) })
    }

    fn post(
        &mut self,
        url: &str,
        _base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _kind: PostBodyDataKind,
    ) -> gix::Result<PostResponse<Headers, ResponseBody, PostBody>> {
        let exchange = Exchange::open(Rc::clone(&self.client), self.parse(url)?, header_map(headers));
        Ok(PostResponse {
            post_body: PostBody(Rc::clone(&exchange)),
            headers: Headers::new(&exchange),
            body: ResponseBody::new(exchange),
        })
    }

    fn configure(&mut self, _config: &dyn std::any::Any) -> gix::Result {
        Ok(())
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.redirected.clone()
    }
}

/// A request and its reply. The request leaves when the first byte of the reply is asked for.
struct Exchange {
    client: Rc<Client>,
    state: State,
}

enum State {
    Collecting { url: Url, headers: HeaderMap, body: Vec<u8> },
    Receiving { content_type: String, body: Body },
    Failed,
}

impl Exchange {
    fn open(client: Rc<Client>, url: Url, headers: HeaderMap) -> Rc<RefCell<Self>> {
        let state = State::Collecting { url, headers, body: Vec::new() };
        Rc::new(RefCell::new(Self { client, state }))
    }

    fn answered(client: Rc<Client>, reply: Reply) -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self { client, state: State::received(reply) }))
    }

    fn send(&mut self) -> io::Result<()> {
        let State::Collecting { url, headers, body } = &mut self.state else {
            return Ok(());
        };
        let reply = self.client.post(url, headers, std::mem::take(body));
        match reply {
            Ok(reply) => self.state = State::received(reply),
            Err(cause) => {
                self.state = State::Failed;
                return Err(self.client.fail(cause));
            }
        }
        Ok(())
    }

    fn content_type(&mut self) -> io::Result<&str> {
        self.send()?;
        match &self.state {
            State::Receiving { content_type, .. } => Ok(content_type),
            _ => Ok(""),
        }
    }

    /// Receives on; nothing is the end.
    fn chunk(&mut self) -> io::Result<Bytes> {
        self.send()?;
        match &mut self.state {
            State::Receiving { body, .. } => self.client.chunk(body).map_err(|cause| self.client.fail(cause)),
            _ => Ok(Bytes::new()),
        }
    }
}

impl State {
    fn received(reply: Reply) -> Self {
        Self::Receiving { content_type: reply.content_type, body: reply.body }
    }
}

/// The only header that gix looks at.
pub(super) struct Headers {
    exchange: Rc<RefCell<Exchange>>,
    line: Option<io::Cursor<Vec<u8>>>,
}

impl Headers {
    fn new(exchange: &Rc<RefCell<Exchange>>) -> Self {
        Self { exchange: Rc::clone(exchange), line: None }
    }
}

impl Read for Headers {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Headers {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.line.is_none() {
            let line = format!("content-type: {}\n", self.exchange.borrow_mut().content_type()?);
            self.line = Some(io::Cursor::new(line.into_bytes()));
        }
        self.line.as_mut().map_or(Ok(&[]), BufRead::fill_buf)
    }

    fn consume(&mut self, amount: usize) {
        if let Some(line) = &mut self.line {
            line.consume(amount);
        }
    }
}

pub(super) struct ResponseBody {
    exchange: Rc<RefCell<Exchange>>,
    chunk: Bytes,
}

impl ResponseBody {
    fn new(exchange: Rc<RefCell<Exchange>>) -> Self {
        Self { exchange, chunk: Bytes::new() }
    }
}

impl Read for ResponseBody {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for ResponseBody {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.chunk.is_empty() {
            self.chunk = self.exchange.borrow_mut().chunk()?;
        }
        Ok(&self.chunk)
    }

    fn consume(&mut self, amount: usize) {
        self.chunk.advance(amount);
    }
}

pub(super) struct PostBody(Rc<RefCell<Exchange>>);

impl Write for PostBody {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let State::Collecting { body, .. } = &mut self.0.borrow_mut().state {
            body.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
