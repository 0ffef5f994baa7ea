"""Sockets that listen: shared by processes, accepted from in one go, closed without loss."""

import ctypes
import socket
import struct
import sys
from contextlib import suppress

from waitress import wasyncore
from waitress.server import BaseWSGIServer

# Linux: a filter program for the packets of a socket, of one instruction: take none.
SO_ATTACH_FILTER = 26
TAKE_NOTHING = struct.pack("HBBI", 0x06, 0, 0, 0)


def shared_socket(host: str, port: int) -> socket.socket:
    """Listen on a port together with other processes: the system shares the clients out."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, reuse_port=True)


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
