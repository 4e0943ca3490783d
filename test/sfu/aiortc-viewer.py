# Views by WHEP with aiortc, prints what it has received, and ends the session. Arguments: URL and token.
import asyncio
import sys
from urllib.parse import urljoin

import aiohttp
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

FRAMES = 20


async def count(track, counts):
    try:
        while counts[track.kind] < FRAMES:
            await track.recv()
            counts[track.kind] += 1
    except MediaStreamError:
        pass


async def main(url, token):
    connection = RTCPeerConnection()
    counts = {"audio": 0, "video": 0}
    tasks = []
    connection.on("track", lambda track: tasks.append(asyncio.ensure_future(count(track, counts))))
    for kind in counts:
        connection.addTransceiver(kind, direction="recvonly")
    await connection.setLocalDescription(await connection.createOffer())
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        offer = connection.localDescription.sdp
        async with http.post(url, data=offer, headers={"Content-Type": "application/sdp"}) as reply:
            answer = await reply.text()
            assert reply.status == 201, answer
            session = urljoin(url, reply.headers["Location"])
        await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await asyncio.wait_for(asyncio.gather(*tasks), 30)
        print(f"received audio {counts['audio']} video {counts['video']}", flush=True)
        async with http.delete(session) as reply:
            print(f"ended {reply.status}", flush=True)
    await connection.close()


asyncio.run(main(*sys.argv[1:]))
