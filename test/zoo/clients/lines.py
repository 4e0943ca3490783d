"""What a client prints: a line of JSON for its version, for each event, and for what may explain a failure."""

import json
import os
from importlib.metadata import version

STREAM_URL = os.environ["STREAM_URL"]
HEADERS = {"Authorization": f"Bearer {os.environ['TOKEN']}", "Accept": "text/event-stream"}


def _print(line):
    print(json.dumps(line), flush=True)


def print_version(library):
    _print({"version": version(library)})


def print_note(note):
    _print({"note": repr(note)})


def print_event(event, event_id, data):
    """`data` is the text of the event: each client of Signalpost parses it as JSON."""
    _print({"event": event, "id": event_id or "", "data": json.loads(data)})


def headers_after(last_id):
    return {**HEADERS, "Last-Event-ID": last_id} if last_id else HEADERS
