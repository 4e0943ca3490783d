#!/usr/bin/env bash
# `run.sh answer`, or `run.sh call USER`. build.sh comes first.
set -euo pipefail
exec node "$(dirname "$0")/.build/client.js" "$@"
