"""Where a server of ours listens, and by which names it may be called."""

from __future__ import annotations

import ipaddress
import socket

from assay.errors import InputError

BACKLOG = 1024


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def hosts_of(host: str) -> frozenset[str]:
    """Names under which a request may come to a server at `host`, lower case, addresses of IPv6 in brackets."""
    names = {host, f"[{host}]"}
    if is_loopback(host):
        names |= {"localhost", "127.0.0.1", "[::1]"}
    return frozenset(name.lower() for name in names)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there, so that a second server on the port is told at once and not after its model is read.

    port: 0 for any that is free. Raises InputError where the address is taken or not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # By its name: asyncio sends at once (TCP_NODELAY) only on a socket that says that it is TCP, and else the second
    # part of an answer waits 40 ms for the client's system to acknowledge the first.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(BACKLOG)
    except OSError as error:
        found.close()
        raise InputError(
            f"{host}, port {port}: the system says {error.strerror or error}. Does another server listen there? Give "
            "--port another number, or --host an address of this machine."
        ) from None
    return found
