#!/usr/bin/env bash
# Writes the lock files from pyproject.toml. Each names exact versions and hashes and no host,
# so that an installation takes the files from wherever pip is configured to look.
#   requirements.txt        what a run needs
#   requirements-build.txt  what installing the checkout needs
#   requirements-dev.txt    the first, and what tests and checks need
#   requirements-bench.txt  the third, and the peers of the benchmarks
#   requirements-models.txt what models of other libraries need beside the fourth
#   requirements-spark.txt  what Spark needs beside the third: half a gigabyte, which only its own tests install
# Arguments are passed on: `scripts/lock.sh --upgrade`.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}

compile() {
    local out=$1
    shift
    "$python" -m piptools compile --quiet --strip-extras --generate-hashes --allow-unsafe --no-header \
        --no-annotate --no-emit-options --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
        --output-file "$out" "$@" pyproject.toml
    { printf '# Written by scripts/lock.sh; do not edit.\n'; grep -v '^#' "$out"; } > "$out.new"
    mv "$out.new" "$out"
    if grep -nE '://|^-' "$out"; then
        echo "lock: $out names a place or an option" >&2
        exit 1
    fi
}

compile requirements.txt "$@"
compile requirements-dev.txt --extra dev --constraint requirements.txt "$@"
compile requirements-bench.txt --extra dev --extra bench --constraint requirements-dev.txt "$@"
compile requirements-models.txt --extra lightgbm --extra models --extra onnx --extra sklearn \
    --constraint requirements-bench.txt "$@"
compile requirements-spark.txt --extra spark --constraint requirements-dev.txt "$@"
compile requirements-build.txt --build-deps-for editable --only-build-deps --constraint requirements-dev.txt "$@"
