#!/usr/bin/env bash
# Generates the REST client into generated/, and compiles.
set -euo pipefail
cd "$(dirname "$0")"

mkdir -p generated
go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 --config oapi-codegen.yaml ../../../openapi/openapi-3.0.yaml
go build -o "${WORK:-.build}/go-client" .
