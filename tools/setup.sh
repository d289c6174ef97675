#!/bin/sh
# Builds .venv from the lock files: `tools/setup.sh server` is what running takes, `tools/setup.sh dev` adds the test tools.
# Wheels only and every hash checked. PYTHON names the interpreter; PIP_INDEX_URL, UV_INDEX_URL and UV_DEFAULT_INDEX name the index.
set -eu
cd "$(dirname "$0")/.."
level=${1:-dev}
case $level in server | dev) ;; *) echo "tools/setup.sh: say server or dev, not '$level'" >&2; exit 2 ;; esac

recent_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    if [ -n "${PYTHON:-}" ] && ! recent_enough "$PYTHON"; then
        echo "PYTHON=$PYTHON is no Python 3.11 or newer: looking for another one" >&2
    fi
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.14 python3.11; do
        if command -v "$candidate" >/dev/null 2>&1 && recent_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    cat >&2 <<'MESSAGE'
Seatwatch needs Python 3.11 or newer and found none on PATH.
  Debian 12 or newer, Ubuntu 24.04 or newer:  apt-get install python3 python3-venv
  elsewhere: install one, then name it:       make setup PYTHON=/path/to/python3.12
MESSAGE
    exit 1
}

: "${PIP_INDEX_URL:=${UV_DEFAULT_INDEX:-${UV_INDEX_URL:-}}}"
if [ -n "$PIP_INDEX_URL" ]; then export PIP_INDEX_URL; else unset PIP_INDEX_URL; fi
export PIP_DISABLE_PIP_VERSION_CHECK=1

if ! { [ -x .venv/bin/python ] && recent_enough .venv/bin/python; }; then
    python=$(find_python)
    rm -rf .venv
    if ! "$python" -m venv .venv; then
        rm -rf .venv
        echo "$python cannot build a virtual environment; on Debian: apt-get install python3-venv" >&2
        exit 1
    fi
fi

# `uv venv` makes one without pip; nothing but pip is missing in it.
if ! { .venv/bin/python -m pip --version || .venv/bin/python -m ensurepip; } >/dev/null 2>&1; then
    echo ".venv has no pip, and this Python cannot put one into it: remove .venv and run this again" >&2
    exit 1
fi

# The locks list every package, so pip has nothing to resolve (--no-deps); the project itself comes last, as an editable install.
if ! { .venv/bin/python -m pip install -qq --only-binary :all: --require-hashes --no-deps \
    -r "requirements/$level.txt" -r requirements/build.txt \
    && .venv/bin/python -m pip install -qq --no-build-isolation --no-deps --editable .; }; then
    index=$(echo "${PIP_INDEX_URL:-the index that pip is configured for}" | sed 's|//[^/@]*@|//|') # without a password
    echo "Seatwatch could not be installed from $index. Where pip says \"connection\" above, this machine does not reach it:" >&2
    echo "  name one that it does reach:  PIP_INDEX_URL=https://your-index/simple make demo" >&2
    exit 1
fi
touch ".venv/.installed-$level"
[ "$level" = server ] || touch .venv/.installed-server
echo ".venv is ready ($level): $(.venv/bin/python --version)"
