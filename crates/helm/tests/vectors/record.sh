#!/bin/sh
# Records all vectors anew from the versions of Helm named here. Needs Go and the module proxy.
set -eu
cd "$(dirname "$0")"
here=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GOFLAGS=-mod=mod

build() { # program, module, version
    mkdir "$work/$1"
    cp "$here/$1.go" "$work/$1/main.go"
    (cd "$work/$1" && go mod init record && go get "$2@$3" && go mod tidy && go build -o "../$1.bin" .)
}

build record helm.sh/helm/v4 v4.3.1
build record_v3 helm.sh/helm/v3 v3.22.0
for kind in archive coalesce dependencies ignore index input load save schema strvals values; do
    "$work/record.bin" "$kind" "$here/$kind.json"
done
"$work/record.bin" values "$here/mistakes.json"
"$work/record_v3.bin" "$here/coalesce.json"
