import asyncio

import aiohttp

from lines import STREAM_URL, headers_after, print_event, print_note, print_version

# By default aiohttp ends a request after 5 minutes, and refuses lines of more than 128 KiB.
TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=40)
BUFFER_BYTES = 2**20


async def blocks(lines):
    """The fields of each event. A block that the end of the body cuts short is dropped."""
    fields = {}
    async for line in lines:
        name, _, value = line.decode().rstrip("\r\n").partition(":")
        if name:
            fields[name] = value.removeprefix(" ")
        elif fields:
            yield fields
            fields = {}


async def main():
    print_version("aiohttp")
    last_id = ""
    retry_ms = 1000
    async with aiohttp.ClientSession(timeout=TIMEOUT, read_bufsize=BUFFER_BYTES) as session:
        while True:
            try:
                async with session.get(STREAM_URL, headers=headers_after(last_id)) as response:
                    response.raise_for_status()
                    async for event in blocks(response.content):
                        print_event(event["event"], event.get("id"), event["data"])
                        last_id = event.get("id", last_id)
                        retry_ms = int(event.get("retry", retry_ms))
                return  # The body is complete: the server does not want the client back.
            except (aiohttp.ClientError, asyncio.TimeoutError) as error:
                print_note(error)
                await asyncio.sleep(retry_ms / 1000)


asyncio.run(main())
