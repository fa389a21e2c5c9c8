"""Content Security Policies, from configuration. No page allows inline script, eval or a stranger's host."""

from urllib.parse import urlsplit

from opencto.core.settings import Settings

_OPENAI = "https://api.openai.com"


def page_policy(settings: Settings) -> str:
    """Our own pages: our scripts and styles, our API, and the sockets that a voice session may open."""
    sockets = dict.fromkeys((_socket(settings.origin), _socket(settings.openai_base_url or _OPENAI)))
    return _policy(
        {
            "script-src": "'self'",
            "style-src": "'self'",
            "img-src": "'self' data:",
            "connect-src": " ".join(("'self'", *sockets)),
            "manifest-src": "'self'",
            "worker-src": "'self'",
            "require-trusted-types-for": "'script'",
            "trusted-types": "opencto-worker",  # dashboard/src/app/installed.ts: the address of our service worker, nothing else
        }
    )


def worker_policy() -> str:
    """The service worker: it reads our own files again, and nothing else."""
    return _policy({"connect-src": "'self'"})


def reference_policy() -> str:
    """`/docs`: Swagger UI calls this server alone."""
    return _policy({"script-src": "'self'", "style-src": "'self'", "img-src": "'self' data:", "connect-src": "'self'"})


def _policy(rules: dict[str, str]) -> str:
    closed = {"default-src": "'none'", "base-uri": "'none'", "form-action": "'self'", "frame-ancestors": "'none'"}
    return "; ".join(f"{name} {value}" for name, value in {**closed, **rules}.items())


def _socket(address: str) -> str:
    parts = urlsplit(address)
    return f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}"
