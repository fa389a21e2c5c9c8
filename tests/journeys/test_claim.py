"""From the link in the terminal to an owner: over HTTP, and in the terminal itself."""

from pathlib import Path

import httpx2

from journeys.program import Program, opencto

ADA = {"name": "Ada", "email": "ada@example.com", "password": "correct horse battery"}


def _claim(program: Program, url: str) -> httpx2.Response:
    body = {"token": url.rpartition("#")[2], **ADA}
    return httpx2.post(f"{program.url}/api/v1/auth/claim", json=body, timeout=60)


def test_the_printed_link_claims_once_and_the_next_start_prints_none(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Program(data, "--host", "0.0.0.0", OPENCTO_DRAIN_SECONDS="0") as program:
        assert program.banner["loopbackOnly"] is False
        stranger = {"X-Forwarded-For": "203.0.113.9"}  # somebody else speaks through this machine
        login = {"email": ADA["email"], "password": ADA["password"]}
        refused = httpx2.post(f"{program.url}/api/v1/auth/login", json=login, headers=stranger, timeout=60)
        assert (refused.status_code, refused.json()["code"]) == (403, "NOT_CLAIMED")
        answer = _claim(program, program.banner["claimUrl"])
        assert answer.status_code == 200
        assert answer.json()["person"]["email"] == ADA["email"]
        assert _claim(program, program.banner["claimUrl"]).status_code == 409
        again = httpx2.post(f"{program.url}/api/v1/auth/login", json=login, headers=stranger, timeout=60)
        assert again.status_code == 200, "claimed, it is open to other machines"
        refused_link = opencto("claim", data=data)
        assert (refused_link.returncode, refused_link.stdout) == (1, "")
        assert "already claimed" in refused_link.stderr
        assert program.stop() == 0
    with Program(data) as program:
        assert program.banner["claimUrl"] is None


def test_it_can_be_claimed_in_the_terminal_while_it_runs(tmp_path: Path) -> None:
    data, who = tmp_path / "data", ("--email", ADA["email"], "--name", ADA["name"])
    with Program(data) as program:
        short = opencto("claim", *who, data=data, typed="short\nshort\n")
        assert short.returncode == 2
        assert "password" in short.stderr
        done = opencto("claim", *who, data=data, typed=f"{ADA['password']}\n{ADA['password']}\n")
        assert done.returncode == 0, done.stderr
        assert program.url in done.stdout
        assert ADA["password"] not in done.stdout + done.stderr
        login = {"email": ADA["email"], "password": ADA["password"]}
        assert httpx2.post(f"{program.url}/api/v1/auth/login", json=login, timeout=60).status_code == 200
