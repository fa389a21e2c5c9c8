"""What `opencto up` says when it is open: a calm page for a person, one JSON line for a machine."""

import json
import os
import sys
from typing import TYPE_CHECKING

from opencto import __version__

if TYPE_CHECKING:
    from rich.console import Console

    from opencto.cli.start import Started
    from opencto.core.settings import Settings


def progress(sentence: str) -> None:
    """Something that takes time has begun."""
    if sys.stdout.isatty():
        sys.stdout.write(f"→ {sentence}\n")


def announce(started: "Started") -> None:
    """The server answers now. The claim link is printed here and nowhere else."""
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.text import Text

        console = Console(highlight=False, color_system=None if os.environ.get("NO_COLOR") else "auto")
        console.print()
        for label, text in _rows(started):
            style = "cyan" if label in {"Open", "Claim"} else ""
            # a link is never broken, so that it can be clicked and copied
            console.print(Text.assemble((f"  {label:<10}", "dim"), (text, style)), soft_wrap=True)
        _print_code(started, console)
        console.print()
    else:
        sys.stdout.write(json.dumps(_line(started)) + "\n")
    sys.stdout.flush()


def _rows(started: "Started") -> list[tuple[str, str]]:
    settings = started.settings
    rows = [("OpenCTO", __version__), ("Open", settings.origin)]
    rows += [("Network", url) for url in started.network_urls]
    if started.network_urls and not settings.origin.startswith("https://"):
        rows.append(("", "Phones give no microphone to http://. Add --tls self-signed."))
    if started.claim_url:
        rows += [("Claim", started.claim_url), ("", "The link makes the server yours and works once.")]
        if not started.serves_loopback_only:
            rows.append(("", "Until then it answers other machines with 403 NOT_CLAIMED."))
    if started.certificate:
        rows += [("SHA-256", started.certificate.fingerprint[:47]), ("", started.certificate.fingerprint[48:])]
    rows += [("OpenAI", openai_state(settings)), ("Data", str(settings.data_dir))]
    if started.migrated.copy:
        rows.append(("Copy", f"of the database before its change: {started.migrated.copy}"))
    rows += [("Note", warning) for warning in started.warnings]
    return [*rows, ("Stop", "Ctrl-C")]


def _print_code(started: "Started", console: "Console") -> None:
    """The address for phones as a QR code, where other machines reach it and the terminal can show one."""
    if not started.network_urls or not console.encoding.startswith("utf"):
        return
    from rich.text import Text

    from opencto.core.qr import qr_code

    url = started.settings.public_url or started.network_urls[0]
    code = qr_code(url)
    if code.size + 12 > console.width:
        return
    is_inked = console.color_system is not None
    console.print()
    for number, line in enumerate(code.lines(is_inked=is_inked)):
        label = "Phone" if number == 0 else ""
        style = "#000000 on #ffffff" if is_inked else ""
        console.print(Text.assemble((f"  {label:<10}", "dim"), (line, style)), soft_wrap=True)
    console.print(Text(f"{'':<12}{url}", "dim"), soft_wrap=True)


def _line(started: "Started") -> dict[str, object]:
    certificate = started.certificate
    return {
        "event": "open",
        "version": __version__,
        "url": started.settings.origin,
        "networkUrls": started.network_urls,
        "claimUrl": started.claim_url,
        "loopbackOnly": started.serves_loopback_only,
        "certificateSha256": certificate.fingerprint if certificate else None,
        "openai": openai_state(started.settings),
        "dataDir": str(started.settings.data_dir),
        "databaseCopy": str(started.migrated.copy) if started.migrated.copy else None,
        "warnings": list(started.warnings),
    }


def openai_state(settings: "Settings") -> str:
    """Who answers, in one line, after the table of wire.md."""
    if settings.openai_api_key:
        return "OPENAI_API_KEY is set" + (f", at {settings.openai_base_url}" if settings.openai_base_url else "")
    if settings.openai_base_url:
        return f"no key; {settings.openai_base_url} answers without one"
    if settings.sandbox == "off":
        return "no key, and the sandbox is off: people bring their own"
    return "no key: the sandbox answers until somebody brings one"
