#!/usr/bin/env bash
# Generates the REST client and compiles, into $WORK/rust. progenitor refuses a document with bodies that it does not know: the operations of
# WHIP and WHEP, which this program does not use, are left out.
set -euo pipefail
cd "$(dirname "$0")"

mkdir -p generated
node --input-type=module >generated/openapi.new <<'END'
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
const document = parse(readFileSync('../../../openapi/openapi-3.0.yaml', 'utf8'))
for (const path of Object.keys(document.paths)) if (/\/wh[ie]p\b/.test(path)) delete document.paths[path]
console.log(JSON.stringify(document))
END
# Compiling it takes minutes, so only if the document has changed.
cmp -s generated/openapi.new generated/openapi.json || mv generated/openapi.new generated/openapi.json
CARGO_TARGET_DIR=${WORK:-$PWD/.build}/rust cargo build --quiet
