import time

import httpx
from httpx_sse import connect_sse

from lines import STREAM_URL, headers_after, print_event, print_note, print_version

# By default httpx gives up after 5 s without a byte. A heartbeat arrives every 15 s.
TIMEOUT = httpx.Timeout(10, read=40)

print_version("httpx-sse")
last_id = ""
retry_ms = 1000
while True:
    try:
        with httpx.Client(timeout=TIMEOUT) as client, connect_sse(
            client, "GET", STREAM_URL, headers=headers_after(last_id)
        ) as source:
            source.response.raise_for_status()
            for event in source.iter_sse():
                print_event(event.event, event.id, event.data)
                last_id = event.id or last_id
                retry_ms = event.retry or retry_ms
        break  # The body is complete: the server does not want the client back.
    except httpx.HTTPError as error:
        print_note(error)
        time.sleep(retry_ms / 1000)
