#!/bin/sh
# Install Debian's Chromium, which the tests of pages drive, unless a browser is there already.
set -eu
for name in chromium-headless-shell chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && exit 0
done
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "no Chromium was found, and none can be installed from here; install it (Debian: apt install chromium)" >&2
    exit 1
fi
echo "installing Chromium, which the tests of pages drive" >&2
apt-get -qq update
export DEBIAN_FRONTEND=noninteractive
apt-get -qq install --yes --no-install-recommends chromium-headless-shell >/dev/null 2>&1 ||
    apt-get -qq install --yes --no-install-recommends chromium >/dev/null    # older releases have no other
