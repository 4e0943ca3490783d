#!/usr/bin/env bash
# curl in a loop. Prints a line of JSON for its version, for each event, and for what may explain a failure.
set -uo pipefail

id='' retry=1000

# Reads one stream. curl's exit status comes as the last line. An event that the end of the body cuts short is dropped.
read_stream() {
  local line event='' data='' new_id='' resume=()
  [ -z "$id" ] || resume=(-H "Last-Event-ID: $id")
  while IFS= read -r line; do
    case $line in
      'id: '*) new_id=${line#id: } ;;
      'event: '*) event=${line#event: } ;;
      'data: '*) data=${line#data: } ;;
      'retry: '*) retry=${line#retry: } ;;
      '')
        [ -z "$data" ] || printf '{"event":"%s","id":"%s","data":%s}\n' "$event" "$new_id" "$data"
        [ -z "$new_id" ] || id=$new_id
        data='' new_id=''
        ;;
      'exit: '*) return "${line#exit: }" ;;
    esac
  done < <(
    curl -sSN --fail --speed-limit 1 --speed-time 40 -H "Authorization: Bearer $TOKEN" ${resume[@]+"${resume[@]}"} "$STREAM_URL"
    printf '\nexit: %s\n' $?
  )
}

printf '{"version":"%s"}\n' "$(curl --version | awk 'NR == 1 { print $2 }')"
# 0: the body is complete, so the server does not want the client back.
until read_stream; do
  printf '{"note":"curl ended with %s"}\n' $?
  sleep "$(printf '%d.%03d' $((retry / 1000)) $((retry % 1000)))"
done
