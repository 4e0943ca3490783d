#!/usr/bin/env bash
# A whole call with curl: alice calls bob, bob answers, they exchange descriptions and candidates, and alice hangs up. Both
# receive events on a stream. Needs a running server, bash and curl.
#
#   BASE=http://127.0.0.1:8080 ALICE=<token> BOB=<token> examples/curl/call.sh
#
# With a development server the tokens may be left out: `npm run token` makes them. Any node serves any user, so alice and bob may
# use different nodes: ALICE_BASE and BOB_BASE.
set -euo pipefail

BASE=${BASE:-http://127.0.0.1:8080}
ALICE_BASE=${ALICE_BASE:-$BASE}
BOB_BASE=${BOB_BASE:-$BASE}
ROOT=$(dirname "${BASH_SOURCE[0]}")/../..
ALICE=${ALICE:-$(npm --prefix "$ROOT" run --silent token -- alice)}
BOB=${BOB:-$(npm --prefix "$ROOT" run --silent token -- bob)}
CALL=${CALL:-call-$RANDOM-$RANDOM}
SPOOL=$(mktemp -d)
STREAMS=()
trap 'kill "${STREAMS[@]}" 2>/dev/null || true; rm -rf "$SPOOL"' EXIT

# act_as NAME: sets the token and the node for the requests that follow.
act_as() {
  case $1 in
    alice) TOKEN=$ALICE URL=$ALICE_BASE/v1 ;;
    bob) TOKEN=$BOB URL=$BOB_BASE/v1 ;;
  esac
}

# open_stream NAME: keeps an event stream open and writes its frames to a file.
open_stream() {
  act_as "$1"
  curl -sSN --fail-with-body -H "Authorization: Bearer $TOKEN" -H "X-Device-Id: shell" "$URL/events" >"$SPOOL/$1" &
  STREAMS+=($!)
  echo $! >"$SPOOL/$1.pid"
  await "$1" hello
}

# await NAME EVENT: waits until NAME's stream has EVENT, for at most ten seconds. If it does not come, prints what the stream has.
await() {
  for _ in $(seq 200); do
    if grep -q "^event: $2\$" "$SPOOL/$1" 2>/dev/null; then
      echo "   $1 receives $2"
      return
    fi
    kill -0 "$(cat "$SPOOL/$1.pid")" 2>/dev/null || break
    sleep 0.05
  done
  echo "   $1 did not receive $2. Its stream:" >&2
  cat "$SPOOL/$1" >&2
  exit 1
}

# post NAME PATH BODY: if the reply is not a 2xx, prints the problem and fails.
post() {
  act_as "$1"
  curl -sS --fail-with-body -X POST -H "Authorization: Bearer $TOKEN" -H "X-Device-Id: shell" \
    -H "Content-Type: application/json" -d "$3" "$URL/$2" >"$SPOOL/reply" || { cat "$SPOOL/reply" >&2; exit 1; }
}

# sdp UFRAG: a session description like that of a browser for a data channel, as JSON text.
sdp() {
  printf 'v=0\\r\\no=- 1 2 IN IP4 127.0.0.1\\r\\ns=-\\r\\nt=0 0\\r\\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\\r\\n'
  printf 'c=IN IP4 0.0.0.0\\r\\na=ice-ufrag:%s\\r\\na=ice-pwd:x9cml/YzichV2+XlhiMu8g\\r\\na=setup:actpass\\r\\na=mid:0\\r\\n' "$1"
  printf 'a=fingerprint:sha-256 D1:2C:BE:AD:C4:F6:64:5C:25:16:11:9C:AF:E7:0F:73:79:36:4E:9C:1E:15:54:39:0C:06:8B:ED:96:86:00:39\\r\\n'
}

# candidates UFRAG: a body with one candidate and the end of candidates.
candidates() {
  printf '{"candidates":[{"candidate":"candidate:1 1 udp 2122260223 192.0.2.1 46154 typ host","sdpMid":"0",'
  printf '"sdpMLineIndex":0,"usernameFragment":"%s"}],"end":true}' "$1"
}

open_stream alice
open_stream bob

echo "alice calls bob"
post alice calls "{\"to\":\"bob\",\"media\":\"data\",\"callId\":\"$CALL\"}"
await bob call.incoming
echo "bob answers"
post bob "calls/$CALL/accept" '{}'
await alice call.accepted
echo "alice offers, bob answers"
post alice "calls/$CALL/offer" "{\"sdp\":\"$(sdp alice1)\"}"
await bob signal.offer
post bob "calls/$CALL/answer" "{\"sdp\":\"$(sdp bobby1)\"}"
await alice signal.answer
echo "both send candidates"
post alice "calls/$CALL/candidates" "$(candidates alice1)"
post bob "calls/$CALL/candidates" "$(candidates bobby1)"
await bob signal.candidates
await alice signal.candidates
echo "media flows"
post bob "calls/$CALL/connected" '{}'
await alice call.connected
echo "alice hangs up"
post alice "calls/$CALL/hangup" '{}'
await bob call.ended
echo "done: $CALL"
