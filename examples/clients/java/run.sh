#!/usr/bin/env bash
# `run.sh answer`, or `run.sh call USER`. build.sh comes first.
set -euo pipefail
WORK=${WORK:-$(dirname "$0")/.build}/java
exec java -cp "$WORK:$WORK/api.jar:$(cat "$WORK/classpath")" Client "$@"
