#!/usr/bin/env bash
# Builds the programs of the test bed once into a cache folder and prints that folder.
#
# The folder's name is a digest of the pinned go.mod files, of our own Go files and of this script, so another pin is
# another folder and an unchanged one costs nothing. Progress goes to standard error.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kubernetes_version=$(sed -n 's/.*k8s.io\/kubernetes \(v[0-9.]*\).*/\1/p' "$here/kubernetes/go.mod" | head -n 1)
pins=$(cat "$here"/*/go.mod "$here"/*/go.sum "$here"/*/*.go "${BASH_SOURCE[0]}" | sha256sum | cut -c 1-12)
cache=${FERRITE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ferrite}/testbed/$pins

say() { printf '%s testbed: %s\n' "$(date +%H:%M:%S)" "$*" >&2; }

command -v go >/dev/null || { say "needs Go 1.26 or newer to build etcd, kube-apiserver, kwok, kustomize and helm: install it and put it on PATH"; exit 1; }

# build NAME FOLDER PACKAGE [LDFLAGS]: one program, moved into place whole. It is built once for its own pins and linked
# into the folder of all, so that another pin of one program doesn't build the others.
build() {
    local name=$1 folder=$2 package=$3 ldflags=${4:-} own
    [ -x "$cache/$name" ] && return
    own=$programs/$name-$( (cat "$here/$folder/go.mod" "$here/$folder/go.sum"; cat "$here/$folder"/*.go 2>/dev/null || true
        echo "$package $ldflags") | sha256sum | cut -c 1-12)
    if [ ! -x "$own" ]; then
        say "building $name"
        (cd "$here/$folder" && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w $ldflags" -o "$own.part" "$package")
        mv "$own.part" "$own"
    fi
    ln -f "$own" "$cache/$name"
}

programs=$(dirname "$cache")/programs
mkdir -p "$cache" "$programs"
exec 9>"$programs/.lock"
flock 9

# Clients refuse a server that doesn't say its version.
stamp="-X k8s.io/component-base/version.gitVersion=$kubernetes_version"
stamp+=" -X k8s.io/component-base/version.gitMajor=1"
stamp+=" -X k8s.io/component-base/version.gitMinor=$(cut -d. -f2 <<<"$kubernetes_version")"
stamp+=" -X k8s.io/client-go/pkg/version.gitVersion=$kubernetes_version"

for program in kube-apiserver kube-controller-manager kube-scheduler kubectl; do
    build "$program" kubernetes "k8s.io/kubernetes/cmd/$program" "$stamp"
done
build etcd etcd go.etcd.io/etcd/server/v3
build kwok kwok sigs.k8s.io/kwok/cmd/kwok
build grpcurl grpcurl github.com/fullstorydev/grpcurl/cmd/grpcurl
# What the engines are compared with.
build kustomize kustomize sigs.k8s.io/kustomize/kustomize/v5
build helm helm helm.sh/helm/v4/cmd/helm
build helm3 helm3 helm.sh/helm/v3/cmd/helm
build gotemplate gotemplate .
build sops sops github.com/getsops/sops/v3/cmd/sops
build envsubst envsubst .
build health health .

# kwok's stages come as files of its module; they say how simulated Nodes and Pods behave.
if [ ! -d "$cache/stages" ]; then
    module=$(cd "$here/kwok" && go list -m -f '{{.Dir}}' sigs.k8s.io/kwok)
    mkdir -p "$cache/stages.part"
    for kind in node pod; do
        cp "$module/kustomize/stage/$kind/fast"/*.yaml "$cache/stages.part/"
    done
    chmod -R u+w "$cache/stages.part"
    rm -f "$cache/stages.part/kustomization.yaml"
    mv "$cache/stages.part" "$cache/stages"
fi

printf '%s\n' "$cache"
