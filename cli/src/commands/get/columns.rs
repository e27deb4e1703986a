//! The columns of each kind's table.

use crate::kind::{EXTERNAL_ARTIFACT, GIT_REPOSITORY, KUSTOMIZATION, Kind};
use crate::object::Object;
use crate::truncate::truncate_hex;

/// A kind and the columns of its table, those of the name aside.
pub(super) struct Listing {
    pub(super) kind: &'static Kind,
    columns: &'static [Column],
}

struct Column {
    name: &'static str,
    cell: fn(&Object, &Kind) -> String,
}

pub(super) const GIT_REPOSITORIES: Listing =
    Listing { kind: &GIT_REPOSITORY, columns: &[REVISION, SUSPENDED, READY, MESSAGE] };
pub(super) const EXTERNAL_ARTIFACTS: Listing =
    Listing { kind: &EXTERNAL_ARTIFACT, columns: &[REVISION, SOURCE, READY, MESSAGE] };
pub(super) const KUSTOMIZATIONS: Listing =
    Listing { kind: &KUSTOMIZATION, columns: &[REVISION, SUSPENDED, READY, MESSAGE] };
pub(super) const KUSTOMIZATIONS_AND_SOURCES: Listing =
    Listing { kind: &KUSTOMIZATION, columns: &[SOURCE, REVISION, SUSPENDED, READY, MESSAGE] };

const REVISION: Column =
    Column { name: "Revision", cell: |object, kind| truncate_hex(object.text(kind.revision)) };
const SOURCE: Column = Column { name: "Source", cell: |object, _| source(object) };
const SUSPENDED: Column = Column {
    name: "Suspended",
    cell: |object, _| if object.suspended() { "True" } else { "False" }.to_owned(),
};
const READY: Column = Column {
    name: "Ready",
    cell: |object, _| object.ready().map_or("False", |condition| condition.status).to_owned(),
};
const MESSAGE: Column = Column {
    name: "Message",
    cell: |object, _| {
        truncate_hex(object.ready().map_or("waiting to be reconciled", |condition| condition.message))
    },
};

impl Listing {
    /// The names of the columns.
    pub(super) fn header(&self, with_namespace: bool) -> Vec<&'static str> {
        let first: &[_] = if with_namespace { &["Namespace", "Name"] } else { &["Name"] };
        first.iter().copied().chain(self.columns.iter().map(|column| column.name)).collect()
    }

    /// The cells of one object.
    pub(super) fn row(&self, object: &Object, with_namespace: bool, with_kind: bool) -> Vec<String> {
        let name = if with_kind {
            format!("{}/{}", self.kind.name.to_lowercase(), object.name())
        } else {
            object.name().to_owned()
        };
        let namespace = with_namespace.then(|| object.namespace().to_owned());
        let cells = self.columns.iter().map(|column| (column.cell)(object, self.kind));
        namespace.into_iter().chain([name]).chain(cells).collect()
    }
}

/// `spec.sourceRef` as `Kind/namespace/name`; the namespace is the object's own unless given.
fn source(object: &Object) -> String {
    let kind = object.text("/spec/sourceRef/kind");
    if kind.is_empty() {
        return String::new();
    }
    let namespace = match object.text("/spec/sourceRef/namespace") {
        "" => object.namespace(),
        namespace => namespace,
    };
    format!("{kind}/{namespace}/{}", object.text("/spec/sourceRef/name"))
}
