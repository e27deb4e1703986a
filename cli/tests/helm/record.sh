#!/usr/bin/env bash
# Records what helm v4.3.1 answers to each command line of cases.txt, in a copy of the charts.
#
# usage: record.sh PATH_TO_HELM
set -euo pipefail
helm=$(realpath "$1")
cd "$(dirname "$0")"
rm -f recorded/*.txt
while read -r name line; do
    dir=$(mktemp -d)
    cp -r charts/. "$dir"
    read -ra words <<<"$line"
    code=0
    (cd "$dir" && env -i HOME="$dir" "$helm" "${words[@]}" >stdout.part 2>stderr.part </dev/null) || code=$?
    {
        printf 'code %s\n--- stdout\n' $code
        cat "$dir/stdout.part"
        printf -- '--- stderr\n'
        sed "s|$dir|DIRECTORY|g" "$dir/stderr.part"
        (cd "$dir" && [[ ! -d out ]] || find out -type f | LC_ALL=C sort | while read -r file; do
            printf -- '--- file %s\n' "$file"
            cat "$file"
        done)
    } >"recorded/$name.txt"
    rm -rf "$dir"
done <cases.txt
