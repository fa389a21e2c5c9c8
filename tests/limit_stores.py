"""Stores for tests of limits: a Redis to start and to stop, an empty PostgreSQL database, and a clock for all three."""

import secrets
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from opencto.core.configuration import load
from opencto.core.database import Database
from opencto.limits.stores.contract import Store
from opencto.testing import ManualClock


@dataclass
class RedisServer:
    """A server that a test may stop."""

    url: str
    process: subprocess.Popen[bytes]


def start_redis(folder: Path, port: int) -> RedisServer:
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        raise RuntimeError("The tests need a Redis or Valkey server. Run `make services`.")
    arguments = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    with redis.Redis(port=port) as client:
        while True:
            try:
                client.ping()  # pyright: ignore[reportUnknownMemberType]
            except redis.ConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)  # bounded, and nothing tells us when a server listens
            else:
                return RedisServer(f"redis://127.0.0.1:{port}/0", process)


@dataclass
class Kind:
    """One store under test: how to open it (again), with our clock or with its own."""

    name: str
    clock: ManualClock
    address: str
    open: Callable[[bool], Store]


def fresh_database(server: str, template: str, folder: Path) -> Database:
    """A database of its own, made from a migrated one."""
    name = f"limits_{secrets.token_hex(6)}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    environ = {"OPENCTO_DATA_DIR": str(folder), "OPENCTO_DATABASE_URL": f"{server}/{name}"}
    return Database.from_settings(load(environ).settings)
