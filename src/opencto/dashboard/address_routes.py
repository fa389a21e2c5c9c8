"""`/api/v1/addresses`: where other devices reach this server, and the certificate that they may be told to trust."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from opencto.core.describe import fails_with
from opencto.core.problems import NotFound
from opencto.dashboard.addresses import AddressBook
from opencto.identity import access
from opencto.identity.guard import GuardedRoute
from opencto.wire.addresses import Addresses
from opencto.wire.identity import Scope

router = APIRouter(route_class=GuardedRoute, tags=["server"])

_KIND = "application/x-x509-ca-cert"
"""By which iPhone and Android know that it can be installed."""


async def _book(request: Request) -> AddressBook:
    return request.app.state.addresses


Book = Annotated[AddressBook, Depends(_book)]


@router.get("/api/v1/addresses")
@access.signed_in(Scope.STATUS_READ)
def read_addresses(book: Book) -> Addresses:
    """Where other devices reach this server, with a QR code each; who makes HTTPS; and the certificate, to be compared."""
    return book.show()


@router.get(
    "/api/v1/addresses/certificate",
    response_class=Response,
    responses={
        200: {"description": "PEM.", "content": {_KIND: {"schema": {"type": "string"}}}},
        **fails_with(NotFound),
    },
)
@access.signed_in(Scope.STATUS_READ)
def download_certificate(book: Book) -> Response:
    """The certificate that `--tls self-signed` made, for a device to trust; 404 where there is none. Compare its fingerprint with the one that the terminal printed before you do."""
    headers = {"Content-Disposition": 'inline; filename="opencto.crt"', "Cache-Control": "no-store"}
    return Response(book.certificate_file(), 200, headers, _KIND)
