#!/usr/bin/env bash
# Generates the REST client and compiles, into $WORK/rust. progenitor refuses a document with bodies that it does not know: the operations of
# WHIP and WHEP, which this program does not use, are left out.
set -euo pipefail
cd "$(dirname "$0")"

mkdir -p generated
TO_JSON="import { readFileSync } from 'node:fs'; import { parse } from 'yaml'; console.log(JSON.stringify(parse(readFileSync(0, 'utf8'))))"
node --input-type=module -e "$TO_JSON" <../../../openapi/openapi-3.0.yaml | node ../../generators/adapt.mjs progenitor >generated/openapi.new
# Compiling it takes minutes, so only if the document has changed.
cmp -s generated/openapi.new generated/openapi.json || mv generated/openapi.new generated/openapi.json
CARGO_TARGET_DIR=${WORK:-$PWD/.build}/rust cargo build --quiet
