#!/usr/bin/env bash
# Resolve the locks again: every Python and architecture in one file, each with its hashes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
UV=${UV:-uv}
options=(--quiet --universal --python-version 3.11 --generate-hashes --no-header --only-binary :all: --no-binary lazy-import)
# lxml and fonttools are large and seldom used: they go into the extras.
"$UV" pip compile "${options[@]}" --no-emit-package lxml --no-emit-package fonttools core.in --output-file core.txt "$@"
"$UV" pip compile "${options[@]}" --constraint core.txt extras.in --output-file extras.txt "$@"
