#!/usr/bin/env bash
# Installs what the clients of the zoo need: all of it, or `test/zoo/install.sh python go`.
set -euo pipefail
cd "$(dirname "$0")"

debian() {
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
}

[ $# -gt 0 ] || set -- node python go java curl chromium firefox
for part in "$@"; do
  case $part in
    node) npm ci --no-audit --no-fund ;;
    python)
      python3 -m venv .venv
      .venv/bin/pip install --quiet --requirement requirements.txt
      ;;
    go) go build -o .build/r3labs ./clients/r3labs ;;
    java) debian openjdk-17-jdk-headless ;;
    curl | chromium) debian "$part" ;;
    firefox) debian firefox-esr ;;
    *)
      echo "$part is none of: node python go java curl chromium firefox" >&2
      exit 1
      ;;
  esac
done
