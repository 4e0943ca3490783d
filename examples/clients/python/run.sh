#!/usr/bin/env bash
# `run.sh answer`, or `run.sh call USER`. build.sh comes first.
set -euo pipefail
cd "$(dirname "$0")"
PYTHONPATH=generated exec "${WORK:-$PWD/.build}/python/bin/python" client.py "$@"
