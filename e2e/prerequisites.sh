#!/usr/bin/env bash
# Says what is missing on this machine to build and test Ferrite; silent when nothing is.
set -euo pipefail

missing=0
need() { # NAME WHY CHECK...
    local name=$1 why=$2
    shift 2
    if ! "$@" >/dev/null 2>&1; then
        printf 'missing: %s (%s)\n' "$name" "$why" >&2
        missing=1
    fi
}

go_is_new_enough() {
    local version
    version=$(go env GOVERSION) || return 1
    printf '%s\n' go1.26 "$version" | sort -V -C
}
git_serves_http() { [ -x "$(git --exec-path)/git-http-backend" ]; }

need cargo 'Rust by rustup; rust-toolchain.toml names the version' cargo --version
need 'a C compiler' 'the crates for TLS and memory allocation are built with it' cc --version
need 'Go 1.26' 'etcd and the Kubernetes control plane of the test bed are built with it' go_is_new_enough
need git 'test repositories are made with it' git --version
need git-http-backend "part of git; serves the test repositories" git_serves_http
need flock 'util-linux; two builds of the test bed must not meet' flock --version
exit "$missing"
