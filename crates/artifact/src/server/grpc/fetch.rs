//! The call `Fetch`.

use std::{fs::File, io, pin::Pin, sync::Arc};

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use proto::artifact::v1::{FetchRequest, FetchResponse};
use tonic::Status;
use tracing::Span;

use super::Service;
use crate::{
    catalog::Catalog,
    digest::Digest,
    server::transfer::Transfer,
    storage::{Error, Storage},
};

pub(super) type Responses = Pin<Box<dyn Stream<Item = Result<FetchResponse, Status>> + Send>>;

pub(super) async fn fetch(service: &Service, request: FetchRequest) -> Result<Responses, Status> {
    let digest: Digest = request
        .digest
        .parse()
        .map_err(|error| Status::invalid_argument(format!("digest can't be used: {error}")))?;
    let permit = service
        .fetches
        .clone()
        .try_acquire_owned()
        .map_err(|_| Status::resource_exhausted("too many transfers, try again later"))?;

    let (storage, catalog) = (service.storage.clone(), service.catalog.clone());
    let open = move || open(&storage, &catalog, &request.path, &digest);
    let (file, total_size) = tokio::task::spawn_blocking(open).await.map_err(|_| unreadable())??;
    if request.offset > total_size {
        let offset = request.offset;
        return Err(Status::out_of_range(format!("offset {offset} lies beyond the end at {total_size}")));
    }
    if request.offset == total_size {
        let empty = FetchResponse { data: Bytes::new(), offset: total_size, total_size };
        return Ok(stream::once(async { Ok(empty) }).boxed());
    }

    let transfer = Transfer::start(file, request.offset..total_size, permit);
    // Without it the span would end where the transfer begins.
    let call = Span::current();
    let mut offset = request.offset;
    let responses = transfer.map(move |piece| {
        let _entered = call.enter();
        let data = piece.map_err(|error| transfer_status(&error))?;
        let response = FetchResponse { offset, total_size, data };
        offset += response.data.len() as u64;
        Ok(response)
    });
    Ok(responses.boxed())
}

fn open(
    storage: &Storage,
    catalog: &Arc<Catalog>,
    path: &str,
    digest: &Digest,
) -> Result<(File, u64), Status> {
    let hint = (!path.is_empty()).then(|| path.to_owned());
    let candidates = [hint, catalog.path_of(&digest.to_string()), storage.path_of(digest)];
    for path in candidates.into_iter().flatten() {
        match storage.open_digest(&path, digest) {
            Ok(file) => {
                let size = file.metadata().map_err(|_| unreadable())?.len();
                return Ok((file, size));
            }
            Err(Error::Missing { .. }) => {}
            Err(error @ Error::Path { .. }) => return Err(Status::invalid_argument(error.to_string())),
            Err(error) => {
                tracing::warn!(%error, %digest, "failed to open artifact");
                return Err(unreadable());
            }
        }
    }
    Err(Status::not_found(format!("no artifact with digest {digest}")))
}

fn transfer_status(error: &io::Error) -> Status {
    if error.kind() == io::ErrorKind::TimedOut {
        return Status::deadline_exceeded("client reads too slowly");
    }
    tracing::warn!(%error, "failed to read artifact");
    unreadable()
}

fn unreadable() -> Status {
    Status::internal("artifact can't be read")
}
