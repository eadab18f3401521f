#!/bin/sh
# Write requirements.txt anew: the newest versions that pyproject.toml allows, each with its hashes,
# for every platform and Python that it names. The file holds no index and no host.
set -eu
cd "$(dirname "$0")/../.."
uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --upgrade \
    --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
    --output-file requirements.txt
