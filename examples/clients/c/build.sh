#!/usr/bin/env bash
# Compiles packages/c-client and client.c into $WORK/c. Nothing is generated.
set -euo pipefail
cd "$(dirname "$0")"

BUILD=${WORK:-$PWD/.build}/c
PACKAGE=../../../packages/c-client
make --silent -C "$PACKAGE" BUILD="$BUILD" "$BUILD/libsignalpost.a"
"${CC:-cc}" -std=c99 -Wall -Wextra -Werror -I"$PACKAGE/include" -I"$PACKAGE/port" \
  client.c "$PACKAGE/port/sockets.c" "$BUILD/libsignalpost.a" -o "$BUILD/client"
