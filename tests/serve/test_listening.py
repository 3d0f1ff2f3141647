"""Where a server listens: what a connection that comes in is like."""

from __future__ import annotations

import asyncio
import socket

from assay.listening import listen


def test_an_answer_in_two_writes_does_not_wait_for_the_client_s_word() -> None:
    """Else the second waits for the acknowledgement of the first, which a client's system holds back for 40 ms."""

    async def nodelay() -> int:
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def came(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            found.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listening = listen("127.0.0.1", 0)
        async with await asyncio.start_server(came, sock=listening):
            _, writer = await asyncio.open_connection(*listening.getsockname())
            told = await found
            writer.close()
        return told

    assert asyncio.run(nodelay()) != 0
