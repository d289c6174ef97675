#!/bin/sh
# Makes dist/seatwatch-probe-windows.zip: Python, the probe and its libraries for 64-bit Windows, with deploy/windows/*.ps1.
#   tools/windows-bundle.sh python-3.12.10-embed-amd64.zip
# The argument is python.org's embeddable package; compare its SHA-256 with the one published there. Libraries are the locked ones.
set -eu
cd "$(dirname "$0")/.."
embedded=${1:?say which embeddable Python: tools/windows-bundle.sh python-3.12.10-embed-amd64.zip}
python=${PYTHON:-.venv/bin/python}
bundle=dist/seatwatch-probe-windows

rm -rf "$bundle" "$bundle.zip"
mkdir -p "$bundle/python"
"$python" -m zipfile -e "$embedded" "$bundle/python"
search_path=$(find "$bundle/python" -name 'python3*._pth' | head -n 1)
[ -n "$search_path" ] || { echo "tools/windows-bundle.sh: $embedded is not an embeddable Python" >&2; exit 2; }
version=$(basename "$search_path" ._pth)
# its own library, its own folder, ours; nothing of what else may be installed on the machine
printf '%s.zip\r\n.\r\n..\\packages\r\n' "$version" >"$search_path"

minor=${version#python3}
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
"$python" -m build --wheel --no-isolation --outdir "$wheels" . >/dev/null
"$python" -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: --platform win_amd64 \
    --implementation cp --python-version "3.$minor" --target "$bundle/packages" -r requirements/base.txt
"$python" -m pip install --quiet --disable-pip-version-check --no-deps --no-index --upgrade --target "$bundle/packages" "$wheels"/seatwatch-*.whl
find "$bundle/packages" -name __pycache__ -prune -exec rm -rf {} +

cp deploy/windows/install.ps1 deploy/windows/uninstall.ps1 "$bundle/"
"$python" -c 'import shutil; shutil.make_archive("dist/seatwatch-probe-windows", "zip", "dist", "seatwatch-probe-windows")'
echo "$bundle.zip"
