"""The address of who asks. A forwarded one counts only when the peer is a proxy that the operator trusts."""

import functools
import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

FORWARDED_FOR = b"x-forwarded-for"
FORWARDING_HEADERS = frozenset({FORWARDED_FOR, b"forwarded", b"x-real-ip"})

_WITH_PORT = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<v4>[0-9.]+))(?::[0-9]{1,5})?")


class ClientAddress:
    """Checks addresses against OPENCTO_TRUSTED_PROXIES."""

    def __init__(self, trusted: tuple[str, ...]) -> None:
        self._trusted = tuple(ip_network(one, strict=False) for one in trusted)

    def resolve(self, client: Sequence[object] | None, forwarded: Mapping[bytes, bytes]) -> tuple[str, bool]:
        """(address, is_loopback), from the peer and the request's forwarding headers.

        Loopback is believed only of a peer that does not speak for somebody else, and of a trusted proxy only when it
        says that the caller sits on the same machine.
        """
        host = str(client[0]) if client else ""
        if not forwarded:
            return _direct(host)
        peer = _parse(host)
        if peer is None:
            return "unknown", False
        if not self._is_trusted(peer):
            return str(peer), False
        hops = [hop.strip() for hop in forwarded.get(FORWARDED_FOR, b"").decode("latin-1").split(",") if hop.strip()]
        if not hops:
            return str(peer), False
        for hop in reversed(hops):
            address = _parse(hop)
            if address is None:
                return str(peer), False  # "unknown" or junk: whoever it is, it is not the proxy itself
            peer = address
            if not self._is_trusted(address):
                break
        return str(peer), peer.is_loopback

    def _is_trusted(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address.version == network.version and address in network for network in self._trusted)


@functools.lru_cache(maxsize=4096)
def _direct(host: str) -> tuple[str, bool]:
    peer = _parse(host)
    return ("unknown", False) if peer is None else (str(peer), peer.is_loopback)


@functools.lru_cache(maxsize=4096)
def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """An address as proxies write it: bare, in brackets, with a port. None for anything else."""
    match = _WITH_PORT.fullmatch(text)
    try:
        address = ip_address((match["v6"] or match["v4"]) if match else text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
