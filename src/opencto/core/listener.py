"""The one listening socket of a server: bound once, before anything slow, and shared by every worker process."""

import errno
import socket

from opencto.core.errors import StartError

BACKLOG = 2048
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
EVERYWHERE = frozenset({"0.0.0.0", "::"})


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket. Raises StartError with the remedy when the address cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError):
        raise StartError(
            f"{host!r} is not an address of this machine. Use --host 127.0.0.1, or 0.0.0.0 for all interfaces.",
            exit_code=2,
        ) from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and host == "::":
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _refused(host, port, error) from None
    listener.setblocking(False)
    return listener


def bound_port(listener: socket.socket) -> int:
    """The port, also where 0 asked for a free one."""
    return listener.getsockname()[1]


def lan_addresses() -> list[str]:
    """This machine's addresses towards others. No packet is sent to find out."""
    found: list[str] = []
    for family, elsewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((elsewhere, 9))  # a datagram socket only looks up the route
            except OSError:
                continue  # no route of this kind: no address
            found.append(str(probe.getsockname()[0]))
    return found


def network_urls(scheme: str, port: int) -> list[str]:
    """Where other machines of this network find a server that listens on all interfaces."""
    return [f"{scheme}://{f'[{one}]' if ':' in one else one}:{port}" for one in lan_addresses()]


def _refused(host: str, port: int, error: OSError) -> StartError:
    match error.errno:
        case errno.EADDRINUSE:
            return StartError(
                f"Port {port} on {host} is taken by another program. Stop that one, or choose another port with --port (0 takes a free one)."
            )
        case errno.EACCES:
            return StartError(f"Port {port} may not be used by this user. Choose one above 1023 with --port.")
        case errno.EADDRNOTAVAIL:
            return StartError(
                f"{host} is not an address of this machine. Use --host 127.0.0.1, or 0.0.0.0 for all interfaces.",
                exit_code=2,
            )
        case _:
            return StartError(
                f"Cannot listen on {host} port {port}: {error.strerror}. Choose others with --host and --port."
            )
