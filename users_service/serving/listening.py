"""Sockets that listen: shared by processes, accepted from in one go, closed without loss."""

import ctypes
import errno
import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import BaseWSGIServer
from waitress.utilities import cleanup_unix_socket

from users_service.serving.arguments import adjustments, refuse

# Linux: a filter program for the packets of a socket, of one instruction: take none.
SO_ATTACH_FILTER = 26
TAKE_NOTHING = struct.pack("HBBI", 0x06, 0, 0, 0)


MAX_PORT = 65_535  # the system would take the rest of a division

# What a name may lead to that this machine does not have, such as IPv6 for `localhost`.
NOT_HERE = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


def bind(made: Adjustments, places: list[str], *, reuse_port: bool) -> list[socket.socket]:
    """Bind the sockets that waitress's arguments ask for, before anything else is begun.

    Of a name with several addresses, and of `*`, those are left out that this machine does not
    have.

    :param places: the addresses, as `host:port`.
    :param reuse_port: whether other processes may serve on the same ports: the system shares the
        clients out.
    :raises SystemExit: if nothing can listen, for the operator.
    """
    if made.unix_socket:
        return [_bind_unix(made.unix_socket, made.unix_socket_perms)]
    known: set[Any] = set()
    with ExitStack() as stack:
        bound: list[socket.socket] = []
        for place in places:
            addresses = [each for each in _addresses(made, place) if each[1] not in known]
            for sock in _bind_those_here(place, addresses, reuse_port=reuse_port):
                bound.append(stack.enter_context(sock))
            known |= {address for _, address in addresses if address[1]}
        stack.pop_all()  # they stay open
    return bound


def _addresses(made: Adjustments, place: str) -> list[tuple[int, Any]]:
    port = place.rpartition(":")[2]
    if port.isdecimal() and int(port) > MAX_PORT:
        refuse(f"{place}: a port is at most {MAX_PORT}")
    options = {"listen": place, "ipv4": str(made.ipv4), "ipv6": str(made.ipv6)}
    try:
        found = adjustments(options).listen
    except ValueError:
        refuse(f"{place}: there is no such host or port")
    return [(family, address) for family, _kind, _protocol, address in found]


def _bind_those_here(
    place: str, addresses: list[tuple[int, Any]], *, reuse_port: bool
) -> Iterator[socket.socket]:
    fault, some = "", False
    for family, address in addresses:
        try:
            sock = _bind(family, address, reuse_port=reuse_port)
        except OSError as error:
            fault = f"{place}: {error.strerror or error}"
            if error.errno not in NOT_HERE:
                refuse(fault)
        else:
            some = True
            yield sock
    if fault and not some:
        refuse(fault)


def _bind(family: int, address: Any, *, reuse_port: bool) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
    except BaseException:
        sock.close()
        raise
    return sock


def _bind_unix(path: str, permissions: int) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        cleanup_unix_socket(path)
        sock.bind(path)
        os.chmod(path, permissions)
    except OSError as error:
        sock.close()
        refuse(f"unix_socket = {path}: {error.strerror or error}")
    return sock


def accept_all(server: BaseWSGIServer) -> None:
    """Accept the connections that wait, as far as `connection_limit` allows: waitress accepts one
    at each look at the sockets, and under load it looks seldom.
    """
    while server.readable() and _accept(server):
        continue


def close(server: BaseWSGIServer) -> None:
    """Accept the connections that wait, and stop listening.

    A connection that was established between the two would be lost. So new ones are ignored first:
    a client whose SYN is not answered sends it again after a second, and is refused then, or comes
    to another process.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            ignore_packets(server.socket)
    while _accept(server):
        continue
    # The server's own close() would take along what threads wake up the main one with.
    wasyncore.dispatcher.close(server)


def ignore_packets(sock: socket.socket) -> None:
    """Drop every packet that comes for a socket from now on."""
    program = ctypes.create_string_buffer(TAKE_NOTHING)
    option = struct.pack("HL", 1, ctypes.addressof(program))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, option)


def _accept(server: BaseWSGIServer) -> bool:
    connected = len(server.active_channels)
    BaseWSGIServer.handle_accept(server)
    return len(server.active_channels) > connected
