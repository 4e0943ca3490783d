#!/usr/bin/env bash
# Generates the REST client into generated/, and makes a Python environment in $WORK.
set -euo pipefail
cd "$(dirname "$0")"

VENV=${WORK:=$PWD/.build}/python
mkdir -p "$WORK"
if ! cmp -s requirements.txt "$VENV/requirements.txt"; then
  rm -rf "$VENV"
  python3 -m venv "$VENV"
  "$VENV/bin/pip" install --quiet --disable-pip-version-check -r requirements.txt
  cp requirements.txt "$VENV"
fi
PATH="$VENV/bin:$PATH" openapi-python-client generate --path ../../../openapi/openapi.yaml --output-path generated --overwrite
