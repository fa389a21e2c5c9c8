"""OpenCTO: one assistant on OpenAI for an engineering team, self-hosted."""

__version__ = "0.1.0"
