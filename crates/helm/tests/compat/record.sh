#!/bin/sh
# Records anew what three versions of Helm print for each of the cases. Needs Go and the module proxy.
# With COMPAT_WORK set, the programs are kept in that directory, and taken from there next time.
set -eu
cd "$(dirname "$0")"
here=$PWD
work=${COMPAT_WORK:-}
if [ -z "$work" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi
export GOFLAGS=-mod=mod HELM_CACHE_HOME="$work/cache" HELM_CONFIG_HOME="$work/config" HELM_DATA_HOME="$work/data"

build() { # program, package, version
    [ -x "$work/$1" ] && return
    mkdir -p "$work/$1.module"
    (cd "$work/$1.module" && go mod init record && go get "$2@$3" && CGO_ENABLED=0 go build -o "../$1" "$2")
}

# Writes the files of a case into the directory `chart`, and its flags into `flags`.
unpack() { # case
    rm -rf chart flags
    awk '
        /^-- recorded .* --$/ { exit }
        /^-- .* --$/ {
            file = "chart/" substr($0, 4, length($0) - 6)
            directory = file
            sub("/[^/]*$", "", directory)
            system("mkdir -p \"" directory "\"")
            printf "" > file
            next
        }
        file != "" { print > file }
        file == "" && /^--/ { print > "flags" }
    ' "$1"
    touch flags
}

# Prints what a version of Helm prints: its output, or its error.
run() { # program
    set -- "$work/$1" template demo chart --namespace apps --kube-version v1.34.0
    while IFS= read -r flag; do
        set -- "$@" "$flag"
    done <flags
    if ! "$@" >output 2>error; then
        sed -n '/^Error: /,$p' error >output
    fi
}

build v3 helm.sh/helm/v3/cmd/helm v3.22.0
build v4.1 helm.sh/helm/v4/cmd/helm v4.1.4
build v4.3 helm.sh/helm/v4/cmd/helm v4.3.1
mkdir -p "$work/run"
cd "$work/run"
for case in "$here"/cases/*.txt; do
    unpack "$case"
    for version in v3 v4.1 v4.3; do
        run "$version"
        mv output "output.$version"
    done
    sed -i '/^-- recorded .* --$/,$d' "$case"
    if cmp -s output.v3 output.v4.1 && cmp -s output.v4.1 output.v4.3; then
        { echo "-- recorded v3 v4.1 v4.3 --"; cat output.v3; } >>"$case"
    elif cmp -s output.v3 output.v4.1; then
        { echo "-- recorded v3 v4.1 --"; cat output.v3; echo "-- recorded v4.3 --"; cat output.v4.3; } >>"$case"
    elif cmp -s output.v4.1 output.v4.3; then
        { echo "-- recorded v3 --"; cat output.v3; echo "-- recorded v4.1 v4.3 --"; cat output.v4.1; } >>"$case"
    else
        for version in v3 v4.1 v4.3; do
            { echo "-- recorded $version --"; cat "output.$version"; } >>"$case"
        done
    fi
done
