#!/bin/sh
# Make .venv with exactly the versions and hashes of requirements.txt, this project, and compiled bytecode;
# and compile UMAP and HDBSCAN for this machine.
# PYTHON=/path/to/python chooses the Python; otherwise the first of 3.13, 3.12, 3.11 that is complete.
set -eu
cd "$(dirname "$0")/.."

fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; }
whole() { "$1" -c 'import venv, ensurepip' 2>/dev/null; }

incomplete=
for python in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
    fits "$python" || continue
    whole "$python" && found=$python && break
    incomplete=$python
done
if [ -z "${found:-}" ] && [ -n "$incomplete" ]; then
    version=$("$incomplete" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "$incomplete has no venv or no ensurepip; install them (Debian, Ubuntu: apt install python$version-venv)" >&2
    exit 1
elif [ -z "${found:-}" ]; then
    echo "no Python 3.11, 3.12 or 3.13 was found; install one, or say where it is: make PYTHON=/path/to/python" >&2
    exit 1
fi

[ -x .venv/bin/python ] && fits .venv/bin/python && .venv/bin/python -c 'import pip' 2>/dev/null \
    || "$found" -m venv --clear .venv
pip() { .venv/bin/python -m pip --disable-pip-version-check --quiet "$@"; }

echo "installing requirements.txt into .venv (a few GB the first time)" >&2
awk '/^uv==/ {take = 1} take {print} take && !/\\$/ {exit}' requirements.txt > .venv/uv.txt
index=${UV_DEFAULT_INDEX:-${PIP_INDEX_URL:-$(pip config get global.index-url 2>/dev/null || true)}}
[ -z "$index" ] || export UV_DEFAULT_INDEX="$index"    # a mirror that pip was told of serves uv as well
if pip install --no-deps --require-hashes -r .venv/uv.txt && .venv/bin/uv pip install --quiet \
    --python .venv/bin/python --require-hashes --compile-bytecode -r requirements.txt; then
    .venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
else
    echo "uv did not manage; trying pip, which takes some minutes" >&2
    pip install --require-hashes -r requirements.txt
    pip install --no-deps --no-build-isolation --editable .
    .venv/bin/python -m compileall -q -j 0 .venv/lib >/dev/null || true
fi
.venv/bin/python -m compileall -q src
echo "compiling UMAP and HDBSCAN for this machine (a minute or two)" >&2
.venv/bin/python scripts/make/compile.py || echo "they will compile when they are first used" >&2
touch .venv/.ready
