"""QR codes of addresses, made on this machine: nothing is asked of anybody, and nobody learns the address."""

from dataclasses import dataclass

_GROUND = 2
"""Light modules around the code. The standard asks for four; readers of phones do with two, and a terminal is small."""
_BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


@dataclass(frozen=True)
class QrCode:
    """A square of modules, the light ground around it included."""

    rows: tuple[tuple[bool, ...], ...]
    """True is dark."""

    @property
    def size(self) -> int:
        return len(self.rows)

    def svg_path(self) -> str:
        """The dark modules as the `d` of an SVG path, one unit a module."""
        found: list[str] = []
        for y, row in enumerate(self.rows):
            x = 0
            while x < self.size:
                end = x
                while end < self.size and row[end]:
                    end += 1
                if end > x:
                    found.append(f"M{x} {y}h{end - x}v1h-{end - x}z")
                x = end + 1
        return "".join(found)

    def lines(self, *, is_inked: bool) -> list[str]:
        """For a terminal, two rows of modules in a line of text.

        `is_inked`: dark modules are drawn, for dark ink on a light ground that the caller sets. Else the light ones are,
        for the dark ground that most terminals have.
        """
        pairs = [*self.rows, *[(False,) * self.size] * (self.size % 2)]
        return [
            "".join(_BLOCKS[upper is is_inked, lower is is_inked] for upper, lower in zip(above, below, strict=True))
            for above, below in zip(pairs[::2], pairs[1::2], strict=True)
        ]


def qr_code(text: str) -> QrCode:
    """The smallest code of `text`, with as much redundancy as fits into its size."""
    import segno

    code = segno.make(text, error="l", micro=False)
    return QrCode(tuple(tuple(bool(module) for module in row) for row in code.matrix_iter(border=_GROUND)))
