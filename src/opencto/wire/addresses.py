"""Where the server is reached, on the wire, and what a device needs to trust it there."""

from typing import Literal

from pydantic import Field

from opencto.wire.base import Time, Wire


class QrImage(Wire):
    """A QR code as an SVG path: dark modules on a light ground, one unit each."""

    size: int = Field(description="Width and height, the ground around the code included.")
    path: str = Field(description="The `d` of the path.")


class Address(Wire):
    """One origin under which the server answers."""

    url: str
    is_public: bool = Field(description="Whether it is OPENCTO_PUBLIC_URL; the others are those of this machine.")
    qr: QrImage


class ServerCertificate(Wire):
    """The certificate that this process shows."""

    sha256: str = Field(description="The fingerprint as browsers show it: pairs in upper case with colons.")
    ends_at: Time
    names: list[str] = Field(description="Names and addresses for which it is good.")
    is_ours: bool = Field(
        description="Made by `--tls self-signed`: no device trusts it unasked, and it can be downloaded. False: the operator's."
    )


class Addresses(Wire):
    """How other devices reach this server, and how safely."""

    https: Literal["off", "self-signed", "certificate", "proxy"] = Field(
        description="Who makes HTTPS: nobody, our own certificate, the operator's certificate, or a proxy in front "
        "(OPENCTO_PUBLIC_URL begins with https)."
    )
    port: int = Field(description="Where it listens.")
    is_loopback_only: bool = Field(
        description="It listens on its own machine alone; others reach it through a proxy or not at all."
    )
    addresses: list[Address] = Field(description="For other devices, the public one first. Empty where there is none.")
    certificate: ServerCertificate | None = Field(description="Null where this process makes no HTTPS.")
