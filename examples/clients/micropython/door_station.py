# A door station on a microcontroller: rings its bell while a call comes in, answers it, and does what messages ask for.
#
# MicroPython 1.22 or later, with nothing but its own modules; CPython runs it too. Signaling only: it accepts without a description.
#
#   import door_station
#   door_station.DoorStation("https://calls.example.com", token, bell=Pin(2, Pin.OUT), ca=open("ca.pem", "rb").read()).run()
import json
import socket
import time

# The server replies to a poll after this time if there is no event.
WAIT_S = 25
# The largest reply to a poll. An event that is larger comes alone.
MAX_BYTES = 4096
RETRY_S = 2


class Refused(Exception):
    """A request that must not be repeated: .args are the status and the code of the problem."""


def quote(text):
    """Percent-encodes an id for a path (RFC 3986, section 2.1)."""
    plain = b"-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    return "".join(chr(byte) if byte in plain else "%%%02X" % byte for byte in text.encode())


class Connection:
    """One HTTP/1.1 connection that is kept open. Opens itself again when it was closed."""

    def __init__(self, url, ca=None):
        """ca: the certificate authority that the server's certificate must be from, for https."""
        scheme, _, host, *_ = url.split("/")
        self.is_tls = scheme == "https:"
        self.host, _, port = host.partition(":")
        self.port = int(port or (443 if self.is_tls else 80))
        self.ca = ca
        self.stream = None

    def open(self):
        address = socket.getaddrinfo(self.host, self.port, 0, socket.SOCK_STREAM)[0][-1]
        stream = socket.socket()
        stream.settimeout(WAIT_S + 15)
        stream.connect(address)
        if self.is_tls:
            import ssl

            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(cadata=self.ca)
            stream = context.wrap_socket(stream, server_hostname=self.host)
        # MicroPython's sockets are streams; CPython's need a file.
        self.stream = stream.makefile("rwb") if hasattr(stream, "makefile") else stream

    def close(self):
        if self.stream:
            self.stream.close()
        self.stream = None

    def request(self, method, path, headers, body=b""):
        """Returns the status and the body. Raises OSError if there is no whole reply."""
        if not self.stream:
            self.open()
        head = "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n%s\r\n" % (
            method, path, self.host, len(body), "".join("%s: %s\r\n" % pair for pair in headers.items()))
        self.stream.write(head.encode() + body)
        if hasattr(self.stream, "flush"):
            self.stream.flush()
        return self.read_reply()

    def read_reply(self):
        line = self.stream.readline()
        if not line.startswith(b"HTTP/1."):
            raise OSError("the connection was closed")
        status = int(line.split()[1])
        headers = self.read_headers()
        if headers.get("transfer-encoding") == "chunked":
            body = self.read_chunks()
        elif "content-length" in headers:
            body = self.read_exactly(int(headers["content-length"]))
        else:
            body = b"" if status == 204 else self.stream.read()
        has_end = status == 204 or "content-length" in headers or "transfer-encoding" in headers
        if line.startswith(b"HTTP/1.0") or headers.get("connection") == "close" or not has_end:
            self.close()
        return status, body

    def read_headers(self):
        headers = {}
        while True:
            name, _, value = self.stream.readline().decode().partition(":")
            if not value:
                return headers
            headers[name.strip().lower()] = value.strip().lower()

    def read_chunks(self):
        body = b""
        while True:
            size = int(self.stream.readline(), 16)
            if size == 0:
                self.read_headers()
                return body
            body += self.read_exactly(size)
            self.stream.readline()

    def read_exactly(self, size):
        body = self.stream.read(size) if size else b""
        if len(body) < size:
            raise OSError("the reply broke off")
        return body


class DoorStation:
    def __init__(self, url, token, bell=None, on_message=print, ca=None):
        """bell has a method value(0 or 1), as machine.Pin does. on_message receives the text of each message of a caller."""
        self.connection = Connection(url, ca)
        self.headers = {"Authorization": "Bearer " + token, "X-Device-Id": "door", "Content-Type": "application/json"}
        self.bell = bell
        self.on_message = on_message
        self.cursor = None
        self.call_id = None

    def send(self, method, path, body=None):
        """Repeats until there is a reply, so every request here is one that may be repeated. Raises Refused."""
        text = b"" if body is None else json.dumps(body).encode()
        while True:
            try:
                status, reply = self.connection.request(method, "/v1/" + path, self.headers, text)
                value = json.loads(reply) if reply else None
                if status < 300:
                    return value
                if status < 500 and not value.get("retryable"):
                    raise Refused(status, value.get("code"))
            except (OSError, ValueError):
                self.connection.close()
            time.sleep(RETRY_S)

    def act(self, action):
        try:
            self.send("POST", "calls/%s/%s" % (quote(self.call_id), action))
            return True
        except Refused as refusal:
            # The call has ended meanwhile.
            print(action, refusal.args)
            return False

    def ring(self, is_ringing):
        if self.bell:
            self.bell.value(1 if is_ringing else 0)

    def begin(self):
        """Finds out where to begin, and which call rings already."""
        snapshot = self.send("GET", "snapshot")
        self.cursor, self.call_id = snapshot["cursor"], None
        self.ring(False)
        for call in snapshot["calls"]:
            if call["state"] == "ringing" and call["callee"]["user"] == snapshot["presence"]["user"]:
                self.answer(call["callId"])

    def answer(self, call_id):
        """Rings the bell once, and answers."""
        self.call_id = call_id
        self.ring(True)
        time.sleep(1)
        self.ring(False)
        if not self.act("accept"):
            self.call_id = None

    def handle(self, event):
        kind, data = event["type"], event["data"]
        if kind == "reset":
            self.begin()
        elif kind == "call.incoming" and not self.call_id:
            self.answer(data["callId"])
        elif self.call_id and data.get("callId") == self.call_id:
            if kind == "call.message":
                self.on_message(data["content"])
            elif kind == "call.ended":
                print("ended:", data["reason"])
                self.call_id = None

    def run(self, is_running=lambda: True):
        self.begin()
        while is_running():
            path = "events/poll?cursor=%s&wait=%d&maxBytes=%d" % (self.cursor, WAIT_S, MAX_BYTES)
            polled = self.send("GET", path)
            # Before the events are handled: a reset among them brings a cursor of its own.
            self.cursor = polled["cursor"]
            for event in polled["events"]:
                self.handle(event)
