#!/usr/bin/env bash
# Builds the SDK (with the packages that `npm ci` in the root installs), and client.ts into .build/. Nothing is generated here: the types in the SDK are (packages/client/src/api.ts).
set -euo pipefail
cd "$(dirname "$0")"

if ! cmp -s package-lock.json node_modules/installed-lock.json; then
  npm ci --silent --no-audit --no-fund
  cp package-lock.json node_modules/installed-lock.json
fi
node ../../../scripts/build-client.mjs
npx tsc -p ../../../packages/client
npx tsc
