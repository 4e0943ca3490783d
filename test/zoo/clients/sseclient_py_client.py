import time

import requests
import sseclient

from lines import STREAM_URL, headers_after, print_event, print_note, print_version

print_version("sseclient-py")
last_id = ""
retry_ms = 1000
while True:
    try:
        with requests.get(STREAM_URL, headers=headers_after(last_id), stream=True, timeout=(10, 40)) as response:
            response.raise_for_status()
            for event in sseclient.SSEClient(response).events():
                print_event(event.event, event.id, event.data)
                last_id = event.id or last_id
                retry_ms = int(event.retry or retry_ms)
        break  # The body is complete: the server does not want the client back.
    except requests.RequestException as error:
        print_note(error)
        time.sleep(retry_ms / 1000)
