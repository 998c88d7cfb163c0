#!/usr/bin/env bash
# Build podpac_dist.zip and podpac_deps.zip beside this script.
#
#   bash build_lambda.sh [--runtime python3.12] [--architecture x86_64] [--docker] [--force]
#
# RUNTIME and ARCHITECTURE may be given as variables instead. Without either, the archives are for this machine's own
# Python and architecture, which is what the embedded AWS runs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

options=()
[[ -n ${RUNTIME:-} ]] && options+=(--runtime "$RUNTIME")
[[ -n ${ARCHITECTURE:-} ]] && options+=(--architecture "$ARCHITECTURE")
docker=
for argument in "$@"; do
  if [[ $argument == --docker ]]; then docker=yes; else options+=("$argument"); fi
done

if [[ -n $docker ]]; then
  docker build --tag podpac-lambda-archives --file Dockerfile ../..
  docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/out" podpac-lambda-archives "${options[@]}"
  exit
fi

python=../../.venv/bin/python
[[ -x $python ]] || python=python3
exec "$python" -m podpac_lambda_widgets.packaging --recipe . --output . "${options[@]}"
