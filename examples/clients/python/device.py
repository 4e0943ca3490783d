"""A device with a key of its own: it enrolls, gets tokens, and replaces its key. It needs no clock.

    SIGNALPOST_DEVICE_FILE=camera.json python device.py enroll 7KQ2-M4XA-0TRB-9WSE-HC6N-1VJD-8YPG
    SIGNALPOST_DEVICE_FILE=camera.json python device.py token
    SIGNALPOST_DEVICE_FILE=camera.json python device.py rotate

The file holds the private key. client.py runs as this device if the variable is set. docs/guides/devices.md explains each step.
"""
import asyncio
import base64
import json
import os
import sys
import time

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class Refused(SystemExit):
    """A reply that no repeat changes. If it is not caught, the program prints it and ends."""

    def __init__(self, problem):
        super().__init__(f"{problem['code']}: {problem['detail']}")
        self.problem_code = problem["code"]


def to_base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed_bytes(purpose, *fields):
    """The purpose and a zero byte, then each field after its length."""
    parts = [field if isinstance(field, bytes) else field.encode() for field in fields]
    return purpose.encode() + b"\0" + b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def sign(key, *message):
    return to_base64url(key.sign(signed_bytes(*message)))


def public_of(key):
    return key.public_key().public_bytes_raw()


class Device:
    def __init__(self, url, path):
        self.url, self.path = url, path
        with open(path) if os.path.exists(path) else open(os.devnull) as file:
            kept = json.loads(file.read() or "{}")
        self.user, self.device = kept.get("user"), kept.get("device")
        # While a key is replaced there are two, and the reply that says which one is valid may be lost.
        self.keys = [Ed25519PrivateKey.from_private_bytes(bytes.fromhex(each)) for each in kept.get("keys", [])]

    def save(self):
        kept = {"user": self.user, "device": self.device, "keys": [key.private_bytes_raw().hex() for key in self.keys]}
        with open(os.open(f"{self.path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(kept, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(f"{self.path}.new", self.path)

    def request(self, method, path, body=None, token=None):
        """Repeats the request until there is a reply. Repeats do no harm."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        while True:
            try:
                reply = httpx.request(method, f"{self.url}{path}", json=body, headers=headers, timeout=10)
            except httpx.TransportError as error:
                print(f"no reply from {self.url}: {error!r}", file=sys.stderr, flush=True)
                time.sleep(1)
                continue
            if reply.is_success:
                return reply.json() if reply.content else None
            if not reply.headers.get("content-type", "").startswith("application/problem+json"):
                time.sleep(1)  # A proxy.
                continue
            problem = reply.json()
            if not problem["retryable"] or problem["status"] == 409:
                raise Refused(problem)
            time.sleep(int(reply.headers.get("retry-after", "1")))

    def enroll(self, code):
        code = code.upper().replace("-", "").replace(" ", "").replace("O", "0").replace("I", "1").replace("L", "1")
        # The key is kept first: if the reply is lost, the same key has to come again.
        self.keys = self.keys[:1] or [Ed25519PrivateKey.generate()]
        self.save()
        key = self.keys[0]
        signature = sign(key, "signalpost-device-enroll-v1", code, public_of(key))
        body = {"code": code, "publicKey": to_base64url(public_of(key)), "signature": signature}
        owner = self.request("POST", "/v1/device/enroll", body)
        self.user, self.device = owner["user"], owner["device"]
        self.save()

    def token(self):
        for key in self.keys:
            nonce = self.request("POST", "/v1/device/nonce")["nonce"]
            signature = sign(key, "signalpost-device-token-v1", nonce, self.user, self.device)
            body = {"user": self.user, "device": self.device, "nonce": nonce, "signature": signature}
            try:
                token = self.request("POST", "/v1/device/token", body)["token"]
            except Refused as refusal:
                if refusal.problem_code != "invalid_credential" or key is self.keys[-1]:
                    raise
                continue
            if len(self.keys) > 1:
                self.keys = [key]
                self.save()
            return token
        raise SystemExit(f"{self.path} has no key: enroll first.")

    def rotate(self):
        token = self.token()
        current, new = self.keys[0], Ed25519PrivateKey.generate()
        self.keys = [current, new]
        self.save()
        message = ("signalpost-device-key-v1", self.user, self.device, public_of(new))
        body = {"publicKey": to_base64url(public_of(new)), "signature": sign(new, *message),
                "currentSignature": sign(current, *message)}
        self.request("PUT", "/v1/device/key", body, token)
        self.keys = [new]
        self.save()


class StreamAuth(httpx.Auth):
    async def heed(self, event, http, url):
        """What a stream says about its token, and about its end."""
        data = json.loads(event.data)["data"]
        if event.event == "auth.expiring":
            await self.extend_stream(http, url)
        if event.event == "end" and not data["reconnect"] and data["reason"] != "auth_expired":
            raise SystemExit(f"the stream has ended: {data['reason']}")


class TokenAuth(StreamAuth):
    """A token that another part of the program fetches."""

    def __init__(self, token):
        self.token = token

    def auth_flow(self, request):
        request.headers["Authorization"] = f"Bearer {self.token}"
        yield request

    async def extend_stream(self, http, url):
        """It ends with its token."""


class DeviceAuth(StreamAuth):
    """Gets a token for the first request, and another one after a 401."""

    def __init__(self, device):
        self.device, self.kept, self.lock = device, None, asyncio.Lock()

    async def renew(self, refused=None):
        async with self.lock:
            # Of many requests that are refused at the same time, one gets the token.
            if self.kept is None or self.kept == refused:
                self.kept = await asyncio.to_thread(self.device.token)
            return self.kept

    async def async_auth_flow(self, request):
        token = await self.renew()
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == 401:
            request.headers["Authorization"] = f"Bearer {await self.renew(token)}"
            yield request

    async def extend_stream(self, http, url):
        """Any request with a newer token keeps the stream open."""
        await self.renew(self.kept)
        await http.put(f"{url}/v1/presence")


def authentication(url, usage):
    """By the environment, with the headers that belong to it: the token of a device names the device."""
    path, token = os.environ.get("SIGNALPOST_DEVICE_FILE"), os.environ.get("SIGNALPOST_TOKEN")
    if path:
        return DeviceAuth(Device(url, path)), {}
    if not token:
        raise SystemExit(f"Set SIGNALPOST_TOKEN.\n\n{usage}")
    return TokenAuth(token), {"X-Device-Id": os.environ.get("DEVICE", "python")}


if __name__ == "__main__":
    url, path = os.environ.get("SIGNALPOST_URL", "http://127.0.0.1:8080"), os.environ.get("SIGNALPOST_DEVICE_FILE")
    command, *arguments = sys.argv[1:] or ["help"]
    if not path or command not in ("enroll", "token", "rotate") or len(arguments) != (command == "enroll"):
        raise SystemExit(__doc__)
    device = Device(url, path)
    if command == "enroll":
        device.enroll(arguments[0])
        print(f"enrolled as {device.user}, device {device.device}")
    elif command == "token":
        print(device.token())
    else:
        device.rotate()
        print("the new key is valid")
