import subprocess
import sys
from pathlib import Path

import httpx

SOURCES = Path(__file__).parents[1] / "src"


def test_the_command_says_where_it_listens() -> None:
    command = [sys.executable, "-m", "colabmatch", "--dev", "--port", "0"]
    with subprocess.Popen(command, cwd=SOURCES, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            word, url = process.stdout.readline().split()
            assert word == "ready"
            assert httpx.get(f"{url}healthz").json() == {"status": "ok"}
        finally:
            process.terminate()


def test_without_a_secret_it_does_not_start() -> None:
    command = [sys.executable, "-m", "colabmatch", "--port", "0"]
    ended = subprocess.run(command, cwd=SOURCES, env={}, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert "JWT_SECRET_KEY" in ended.stderr
