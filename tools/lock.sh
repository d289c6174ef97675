#!/bin/sh
# Compiles requirements/*.txt from pyproject.toml: hashes of wheels and sdists, one file for every platform and Python 3.11 to 3.14.
# Pass e.g. `--upgrade` to move to newer versions; without it, what is locked stays unless pyproject.toml says otherwise.
set -eu
cd "$(dirname "$0")/.."
: "${UV_INDEX_URL:=${PIP_INDEX_URL:-}}"
if [ -n "$UV_INDEX_URL" ]; then export UV_INDEX_URL; else unset UV_INDEX_URL; fi

compile() {
    target=$1
    shift
    "${UV:-.venv/bin/uv}" pip compile --quiet --universal --python-version 3.11 --only-binary :all: --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" \
        --output-file "requirements/$target.txt" "$@"
}

compile dev --extra server --extra dev "$@" pyproject.toml
compile server --extra server --constraints requirements/dev.txt pyproject.toml
compile base --constraints requirements/dev.txt pyproject.toml
compile build --group build --constraints requirements/dev.txt "$@"
echo "requirements/base.txt, server.txt, dev.txt and build.txt are locked"
