"""Makes a call, or answers one: REST by the generated client, events by Server-Sent Events, a data channel by aiortc.

    SIGNALPOST_TOKEN=… ./run.sh answer
    SIGNALPOST_TOKEN=… ./run.sh call bob

`npm run --silent token -- bob` in the root of the repository prints a token of bob. A device with a key of its own (device.py) sets
SIGNALPOST_DEVICE_FILE instead.
"""
import asyncio
import json
import os
import sys
from contextlib import aclosing
from uuid import uuid4

import httpx
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp
from device import authentication
from httpx_sse import aconnect_sse
from signalpost_client import AuthenticatedClient
from signalpost_client.api.calls import accept_call, create_call, hang_up_call
from signalpost_client.api.events import get_snapshot
from signalpost_client.api.ice import list_ice_servers
from signalpost_client.api.signals import send_answer
from signalpost_client.models import (
    AcceptCallRequest, AnswerDescription, AnswerRequest, CreateCallRequest, OfferDescription, Problem)
from signalpost_client.types import UNSET

URL = os.environ.get("SIGNALPOST_URL", "http://127.0.0.1:8080")
AUTH, HEADERS = authentication(URL, __doc__)
api = AuthenticatedClient(URL, "", headers=HEADERS, timeout=httpx.Timeout(10), httpx_args={"auth": AUTH})


class Refused(SystemExit):
    """A reply that no repeat changes. If it is not caught, the program prints it and ends."""


async def request(operation, *path, **parameters):
    """Repeats the request until there is a reply. Repeats do no harm, because a call has an id that its caller chose."""
    while True:
        try:
            reply = await operation.asyncio(*path, client=api, **parameters)
        except httpx.TransportError as error:
            print(f"no reply from {URL}: {error!r}", file=sys.stderr, flush=True)
            await asyncio.sleep(1)
            continue
        if not isinstance(reply, Problem):
            return reply
        if not reply.retryable or reply.status == 409:
            raise Refused(f"{reply.code}: {reply.detail}")
        await asyncio.sleep(1)


async def events_after(cursor):
    """All events after the cursor, each once and in order, although the connection breaks."""
    retry_s = 1
    while True:
        try:
            # A heartbeat arrives every 15 s. Without one the connection is dead, even if it is open.
            async with httpx.AsyncClient(timeout=httpx.Timeout(10, read=40), headers=HEADERS, auth=AUTH) as http:
                async with aconnect_sse(http, "GET", f"{URL}/v1/events", headers={"Last-Event-ID": cursor}) as stream:
                    stream.response.raise_for_status()
                    async for event in stream.aiter_sse():
                        await AUTH.heed(event, http, URL)
                        yield event.event, json.loads(event.data)["data"]
                        cursor = event.id or cursor
                        retry_s = event.retry / 1000 if event.retry else retry_s
        except httpx.TransportError:
            await asyncio.sleep(retry_s)


class Media:
    """A data channel named `echo`. aiortc gathers its candidates first, so that its descriptions have them all."""

    def __init__(self, ice_servers):
        self.connection = RTCPeerConnection(RTCConfiguration([RTCIceServer(**each) for each in ice_servers]))
        self.echo = asyncio.get_running_loop().create_future()

    async def offer(self):
        channel = self.connection.createDataChannel("echo")
        channel.on("open", lambda: channel.send("hello"))
        channel.on("message", lambda text: self.echo.set_result(text))
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return self.connection.localDescription.sdp

    async def answer(self, offer):
        self.connection.on("datachannel", lambda channel: channel.on("message", channel.send))
        await self.connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await self.connection.setLocalDescription(await self.connection.createAnswer())
        return self.connection.localDescription.sdp

    async def complete(self, answer):
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def add(self, candidates):
        """Those of the other side, which may come with its description or after it."""
        for each in candidates:
            candidate = candidate_from_sdp(each["candidate"].removeprefix("candidate:"))
            candidate.sdpMid, candidate.sdpMLineIndex = each.get("sdpMid"), each.get("sdpMLineIndex")
            await self.connection.addIceCandidate(candidate)


async def make_call(user):
    media = Media((await request(list_ice_servers)).to_dict()["iceServers"])
    call_id = str(uuid4())
    body = CreateCallRequest(to=user, call_id=call_id, offer=OfferDescription(sdp=await media.offer()))
    try:
        created = await request(create_call, body=body)
    except asyncio.CancelledError:  # Ctrl-C: the server may have the call.
        await request(hang_up_call, call_id)
        raise
    following = asyncio.create_task(follow_call(call_id, created.cursor, media))
    try:
        # Only a call that has ended, or that is without media, is followed to its end.
        await asyncio.wait([following, media.echo], return_when=asyncio.FIRST_COMPLETED)
        if following.done():
            following.result()
        else:
            print(f"echo: {media.echo.result()}", flush=True)
    finally:
        following.cancel()
        await request(hang_up_call, call_id)
        await media.connection.close()
    print("ended: hangup")


async def follow_call(call_id, cursor, media):
    async with aclosing(events_after(cursor)) as events:
        async for kind, data in events:
            if data.get("callId") != call_id:
                continue
            if kind == "call.ended":
                raise SystemExit(f"ended: {data['reason']}")
            if kind == "call.accepted":
                print("accepted", flush=True)
            # The answer comes with the accept, or after it.
            answer = data["sdp"] if kind == "signal.answer" else data.get("answer", {}).get("sdp")
            if answer and os.environ.get("MEDIA") == "none":
                return
            if answer:
                await media.complete(answer)
            await media.add(data.get("candidates", []))


async def answer_call():
    snapshot = await request(get_snapshot)
    call_id = None
    try:
        async with aclosing(events_after(snapshot.cursor)) as events:
            async for kind, data in events:
                if kind == "caught-up":
                    print("ready", flush=True)
                elif kind == "call.incoming" and call_id is None:
                    print(f"incoming from {data['from']['user']}", flush=True)
                    media = Media((await request(list_ice_servers)).to_dict()["iceServers"])
                    sdp = await media.answer(data["offer"]["sdp"]) if "offer" in data else None
                    body = AcceptCallRequest(answer=AnswerDescription(sdp=sdp) if sdp else UNSET)
                    try:
                        await request(accept_call, data["callId"], body=body)
                    except Refused as refusal:
                        # The caller hung up, or another device answered.
                        print(refusal, flush=True)
                        await media.connection.close()
                        continue
                    call_id = data["callId"]
                    await media.add(data.get("candidates", []))
                elif kind == "signal.offer" and data["callId"] == call_id:
                    sdp = await media.answer(data["sdp"])
                    await request(send_answer, call_id, body=AnswerRequest(sdp=sdp, revision=data["revision"]))
                elif kind == "signal.candidates" and data["callId"] == call_id:
                    await media.add(data["candidates"])
                elif kind == "call.ended" and data["callId"] == call_id:
                    await media.connection.close()
                    print(f"ended: {data['reason']}")
                    return
    except asyncio.CancelledError:  # Ctrl-C
        await asyncio.gather(*(request(hang_up_call, each) for each in [call_id] if each))
        raise


command, *arguments = sys.argv[1:] or ["help"]
if command == "call" and arguments:
    asyncio.run(make_call(arguments[0]))
elif command == "answer":
    asyncio.run(answer_call())
else:
    raise SystemExit(__doc__)
