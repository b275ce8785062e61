"""An echoing server, or a client that checks one, of Python's websockets or aiohttp.

    peer.py websockets|aiohttp server off|no-takeover|takeover
    peer.py websockets|aiohttp client off|no-takeover|takeover URL

The client prints what was negotiated. Whatever is not as it should be ends it with an exception.
"""

import asyncio
import sys

MESSAGE_BYTES_MAX = 4 << 20
LENGTHS = [0, 1, 125, 126, 65_535, 65_536, 200_000, 1_000_000]
FRAGMENTS = ["조각", "난 ", "", "말"]


def messages():
    for length in LENGTHS:
        yield "수다 " * (length // 7)
        yield bytes(at * at >> 7 & 0xFF for at in range(length))


def listening(port):
    print(f"listening on http://127.0.0.1:{port}/", flush=True)


def check(condition, what):
    if not condition:
        raise AssertionError(what)


async def websockets_server(deflate):
    from websockets.asyncio.server import serve
    from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

    async def echo(peer):
        async for message in peer:
            await peer.send(message)

    forget = deflate == "no-takeover"
    factory = ServerPerMessageDeflateFactory(
        server_no_context_takeover=forget, client_no_context_takeover=forget
    )
    async with serve(
        echo,
        "127.0.0.1",
        0,
        compression=None,
        extensions=[] if deflate == "off" else [factory],
        max_size=MESSAGE_BYTES_MAX,
    ) as server:
        listening(server.sockets[0].getsockname()[1])
        await server.serve_forever()


async def websockets_client(deflate, url):
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed
    from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

    forget = deflate == "no-takeover"
    factory = ClientPerMessageDeflateFactory(
        server_no_context_takeover=forget,
        client_no_context_takeover=forget,
        client_max_window_bits=True,
    )

    def dial():
        return connect(
            url,
            compression=None,
            extensions=[] if deflate == "off" else [factory],
            max_size=MESSAGE_BYTES_MAX,
            proxy=None,
        )

    async with dial() as peer:
        for message in messages():
            await peer.send(message)
            check(await peer.recv() == message, f"{len(message)} came back as another")
        await peer.send(FRAGMENTS)
        check(await peer.recv() == "".join(FRAGMENTS), "fragmented")
        await (await peer.ping(b"are you there?"))
        await peer.close(4001, "bye")
        check(peer.close_code == 4001, f"closed with {peer.close_code}")
        print(peer.response.headers.get("Sec-WebSocket-Extensions", "none"))
    async with dial() as peer:
        try:
            await peer.send(b"x" * (MESSAGE_BYTES_MAX + 1))
            await peer.recv()
            check(False, "a message over the limit was taken")
        except ConnectionClosed as closed:
            check(closed.rcvd and closed.rcvd.code == 1009, f"over the limit: {closed}")


async def aiohttp_server(deflate):
    from aiohttp import WSMsgType, web

    async def echo(request):
        peer = web.WebSocketResponse(compress=deflate != "off", max_msg_size=MESSAGE_BYTES_MAX)
        await peer.prepare(request)
        async for message in peer:
            if message.type == WSMsgType.TEXT:
                await peer.send_str(message.data)
            elif message.type == WSMsgType.BINARY:
                await peer.send_bytes(message.data)
        return peer

    app = web.Application()
    app.router.add_get("/{path:.*}", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    listening(site._server.sockets[0].getsockname()[1])
    await asyncio.Event().wait()


async def aiohttp_client(deflate, url):
    import aiohttp

    async with aiohttp.ClientSession() as session:
        compress = 0 if deflate == "off" else 15
        async with session.ws_connect(
            url, compress=compress, max_msg_size=MESSAGE_BYTES_MAX
        ) as peer:
            for message in messages():
                if isinstance(message, str):
                    await peer.send_str(message)
                else:
                    await peer.send_bytes(message)
                back = await peer.receive()
                check(back.data == message, f"{len(message)} came back as another")
            await peer.ping(b"are you there?")
            await peer.send_str("after a ping")
            check((await peer.receive()).data == "after a ping", "after a ping")
            extensions = peer._response.headers.get("Sec-WebSocket-Extensions", "none")
            await peer.close(code=4001, message=b"bye")
            check(peer.close_code == 4001, f"closed with {peer.close_code}")
            print(extensions)


library, role, *rest = sys.argv[1:]
asyncio.run(globals()[f"{library}_{role}"](*rest))
