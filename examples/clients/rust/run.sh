#!/usr/bin/env bash
# `run.sh answer`, or `run.sh call USER`. build.sh comes first.
set -euo pipefail
exec "${WORK:-$(dirname "$0")/.build}/rust/debug/signalpost-client" "$@"
