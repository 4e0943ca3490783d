# Joins a room with pymediasoup, receives the pictures of these users, and leaves. Arguments: URL of the server, room, token, users.
import asyncio
import sys
import uuid

import aiohttp
from pymediasoup import AiortcHandler, Device
from pymediasoup.models.transport import DtlsParameters
from pymediasoup.rtp_parameters import RtpCapabilities, RtpParameters

FRAMES = 10
WITHIN_S = 60


class Room:
    def __init__(self, http, url):
        self.http = http
        self.url = url

    async def send(self, method, path, body=None):
        async with self.http.request(method, f"{self.url}/{path}", json=body) as reply:
            assert reply.ok, f"{method} {path}: {await reply.text()}"
            return None if reply.status == 204 else await reply.json()


async def open_transport(room, device):
    transport = (await room.send("POST", "sfu/transports", {"transportId": str(uuid.uuid4())}))["transport"]
    receiving = device.createRecvTransport(
        id=transport["id"],
        iceParameters=transport["iceParameters"],
        iceCandidates=transport["iceCandidates"],
        dtlsParameters=transport["dtlsParameters"],
        sctpParameters=transport.get("sctpParameters"),
    )

    @receiving.on("connect")
    async def connect(dtls: DtlsParameters):
        body = {"dtlsParameters": dtls.model_dump(exclude_none=True)}
        await room.send("POST", f"sfu/transports/{receiving.id}/connect", body)

    return receiving


async def view(room, device, receiving, producer):
    body = {
        "participantId": producer["participantId"],
        "producerId": producer["producerId"],
        "transportId": receiving.id,
        "rtpCapabilities": device.rtpCapabilities.model_dump(exclude_none=True),
    }
    created = (await room.send("POST", "sfu/consumers", body))["consumer"]
    consumer = await receiving.consume(
        id=created["id"],
        producerId=created["producerId"],
        kind=created["kind"],
        rtpParameters=RtpParameters(**created["rtpParameters"]),
    )
    await room.send("POST", f"sfu/consumers/{created['id']}/resume")
    return count(consumer.track, producer["user"])


async def count(track, user):
    for _ in range(FRAMES):
        await track.recv()
    print(f"{FRAMES} frames of {user}", flush=True)


async def main(server, room_id, token, *users):
    headers = {"Authorization": f"Bearer {token}", "X-Device-Id": "python"}
    async with aiohttp.ClientSession(headers=headers) as http:
        room = Room(http, f"{server}/v1/rooms/{room_id}")
        joined = await room.send("POST", "participants", {})
        device = Device(handlerFactory=AiortcHandler.createFactory(tracks=[]))
        capabilities = (await room.send("GET", "sfu/capabilities"))["routerRtpCapabilities"]
        await device.load(RtpCapabilities(**capabilities))
        receiving = await open_transport(room, device)
        pictures = [each for each in joined["producers"] if each["kind"] == "video" and each["user"] in users]
        assert len(pictures) == len(users), joined["producers"]
        # One after the other: pymediasoup does not queue what changes its description.
        views = [await view(room, device, receiving, each) for each in pictures]
        await asyncio.wait_for(asyncio.gather(*views), WITHIN_S)
        await room.send("DELETE", f"participants/{joined['participantId']}")
        print("left", flush=True)
        await receiving.close()


asyncio.run(main(*sys.argv[1:]))
