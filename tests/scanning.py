"""A camera for QR codes: what a phone would read."""

from collections.abc import Sequence

import numpy as np
import zxingcpp
from numpy.typing import NDArray

_PIXELS = 4
"""A module is this wide."""


def scanned(picture: NDArray[np.uint8]) -> str | None:
    """The text of the one code in a grey picture; None where there is none. Light on dark does not count: phones differ."""
    found = zxingcpp.read_barcodes(picture, try_invert=False)
    return found[0].text if len(found) == 1 and found[0].format == zxingcpp.BarcodeFormat.QRCode else None


def scanned_modules(rows: Sequence[Sequence[bool]]) -> str | None:
    """The same for modules, True is dark, seen on a light wall."""
    dark = np.pad(np.asarray(rows, dtype=bool), 4).repeat(_PIXELS, 0).repeat(_PIXELS, 1)
    return scanned(np.where(dark, 0, 255).astype(np.uint8))
