#!/bin/sh
# A doorbell: rings a user once, on all devices, and prints what becomes of it. Needs a POSIX shell, sed and curl.
#
#   URL=http://127.0.0.1:8080 TOKEN=<token> UNLOCK='gpioset 0 17=1' examples/clients/shell/doorbell.sh bob
#
# The message "unlock" of the other side runs UNLOCK. The doorbell has no media: a user who answers hears nothing, so it hangs up.
set -eu

API=${URL:?the server}/v1
TO=${1:?the user that is rung}
CALL=doorbell-$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')

# request METHOD PATH [BODY]: prints the reply. Repeats what had no reply, and what may succeed if it is repeated as it is.
request() {
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    reply=$(curl -sS --max-time 40 -X "$1" -H "Authorization: Bearer ${TOKEN:?}" -H 'X-Device-Id: doorbell' \
      -H 'Content-Type: application/json' ${3:+-d "$3"} -w '\n%{http_code}' "$API/$2" 2>/dev/null) || true
    status=${reply##*
}
    case $status in
      2??) printf '%s' "${reply%?$status}" && return ;;
      409) break ;;
      4??) case $reply in *'"retryable":false'*) break ;; esac ;;
    esac
    sleep "$attempt"
  done
  echo "$1 $2: ${reply:-no reply}" >&2
  exit 1
}

# part_of EXPRESSION TEXT: what the first group of the expression matches.
part_of() { printf '%s\n' "$2" | sed -n "s/$1/\\1/p"; }

called=$(request POST calls "{\"to\":\"$TO\",\"callId\":\"$CALL\",\"media\":\"audio\"}")
cursor=$(part_of '.*"cursor":"\([^"]*\)"}$' "$called")
trap 'request POST "calls/$CALL/hangup" >/dev/null; exit 1' INT TERM
echo "ringing at $TO"

while :; do
  # One event at a time: its type comes right after its id. A signal is handled when the poll returns.
  polled=$(request GET "events/poll?cursor=$cursor&limit=1&wait=5")
  cursor=$(part_of '.*"cursor":"\([^"]*\)"}$' "$polled")
  case $polled in *"\"callId\":\"$CALL\""*) ;; *) continue ;; esac
  case $(part_of '{"events":\[{"id":"[^"]*","type":"\([^"]*\)".*' "$polled") in
    call.accepted)
      echo "$TO is coming"
      request POST "calls/$CALL/hangup" >/dev/null
      break ;;
    call.message)
      text=$(part_of '.*"content":"\([^"\\]*\)".*' "$polled")
      echo "$TO says: $text"
      [ "$text" != unlock ] || sh -c "${UNLOCK:-true}" ;;
    call.ended)
      part_of '.*"reason":"\([^"]*\)".*' "$polled"
      break ;;
  esac
done
