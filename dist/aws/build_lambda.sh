#!/usr/bin/env bash
# Build podpac_dist.zip and podpac_deps.zip beside this script.
#
#   bash build_lambda.sh [--runtime python3.12] [--architecture x86_64] [--plugin my_nodes.py] [--force] [--docker]
#
# RUNTIME and ARCHITECTURE may be given as variables instead. Without either, the archives are for this machine's own
# Python and architecture, which is what the embedded AWS runs; with --docker, for python3.12.
# A plugin is a .py file, a package's folder, or a module that can be imported; --plugin may be given several times.
set -euo pipefail
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"

runtime=${RUNTIME:-}
docker=
options=()
plugin() {
  # A path is seen from where the script was called.
  if [[ -e $called_from/$1 ]]; then options+=(--plugin "$called_from/$1"); else options+=(--plugin "$1"); fi
}
[[ -n ${ARCHITECTURE:-} ]] && options+=(--architecture "$ARCHITECTURE")
while (($#)); do
  case $1 in
    --docker) docker=yes ;;
    --runtime) runtime=${2:?--runtime needs a value} && shift ;;
    --runtime=*) runtime=${1#*=} ;;
    --plugin) plugin "${2:?--plugin needs a value}" && shift ;;
    --plugin=*) plugin "${1#*=}" ;;
    *) options+=("$1") ;;
  esac
  shift
done

if [[ -n $docker ]]; then
  if [[ ${options[*]-} == *--plugin* ]]; then
    echo "A plugin is described where podpac is installed, which it is not in Lambda's image. Leave out --docker." >&2
    exit 1
  fi
  # Lambda's image of the runtime compiles the modules; it also is what the runtime defaults to.
  python_version=${runtime:-python3.12}
  python_version=${python_version#python}
  docker build --tag podpac-lambda-archives --build-arg "PYTHON=${python_version}" --file Dockerfile ../..
  exec docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/out" podpac-lambda-archives ${options[@]+"${options[@]}"}
fi

[[ -n $runtime ]] && options+=(--runtime "$runtime")
python=../../.venv/bin/python
[[ -x $python ]] || python=python3
exec "$python" -m podpac_lambda_widgets.packaging --recipe . --output . ${options[@]+"${options[@]}"}
