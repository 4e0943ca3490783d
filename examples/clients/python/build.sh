#!/usr/bin/env bash
# Generates the REST client into generated/, and makes a Python environment in $WORK.
set -euo pipefail
cd "$(dirname "$0")"

VENV=${WORK:=$PWD/.build}/python LOG=$WORK/python.log
mkdir -p "$WORK"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11) and "This example needs Python 3.11 or later.")'
if ! cmp -s requirements.txt "$VENV/requirements.txt"; then
  echo "Installing $(paste -sd ' ' requirements.txt) into $VENV"
  rm -rf "$VENV"
  python3 -m venv "$VENV"
  "$VENV/bin/pip" install --quiet --disable-pip-version-check -r requirements.txt
  cp requirements.txt "$VENV"
fi
# It warns of media types that it does not know: those of WHIP and WHEP, which the example does not use.
PATH="$VENV/bin:$PATH" openapi-python-client generate --path ../../../openapi/openapi-3.0.yaml --output-path generated --overwrite \
  >"$LOG" 2>&1 || { cat "$LOG" >&2; exit 1; }
echo "The client is in $PWD/generated, and the generator's warnings are in $LOG. Next: ./run.sh answer"
