//! Keeps `src/gen` in step with the `.proto` files, without `protoc`.

use std::{fs, path::Path};

use protox::prost::Message;

const FILES: [&str; 1] = ["artifact/v1/artifact.proto"];

#[test]
fn the_committed_code_is_what_the_contract_generates() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let committed = root.join("src/gen");
    let fresh = tempfile::tempdir().expect("a temporary directory can be made");

    generate(root, fresh.path());

    let stale: Vec<_> = ["artifact.v1.rs", "descriptors.bin"]
        .into_iter()
        .filter(|file| replace_if_different(&fresh.path().join(file), &committed.join(file)))
        .collect();
    assert!(stale.is_empty(), "stale files were rewritten, commit them: {stale:?}");
}

fn generate(root: &Path, out: &Path) {
    let descriptors =
        protox::compile(FILES.map(|file| root.join(file)), [root]).expect("the contract compiles");
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec()).expect("the directory is writable");
    tonic_prost_build::configure()
        .out_dir(out)
        .bytes(".artifact.v1.FetchResponse.data")
        .btree_map(".artifact.v1.Artifact.metadata")
        .compile_fds(descriptors)
        .expect("the contract generates");
}

fn replace_if_different(fresh: &Path, committed: &Path) -> bool {
    let wanted = fs::read(fresh).expect("the file was generated");
    let stale = fs::read(committed).ok().as_ref() != Some(&wanted);
    if stale {
        fs::write(committed, wanted).expect("the source tree is writable");
    }
    stale
}
