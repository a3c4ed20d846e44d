"""The units of `deploy/systemd`, run as they are: two users, their sandbox, one PostgreSQL."""

import asyncio
import json
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg
import httpx
import pytest

from registry.store.database import connect
from tests.conftest import ROOT, as_role, grant_serving
from tests.crash.register import free_port
from tests.deploy.unit import missing, read_environment, read_unit
from tests.prepared import make_folder

UNITS = ROOT / "deploy/systemd"
PATIENCE = 120


class Host:
    """A machine on which `deploy/README.md` was followed."""

    def __init__(self, data, url):
        self.data, self.url = data, url
        self.port = free_port()
        self.told = {}

    def environment(self, unit):
        role = "serving" if "serve.env" in str(unit["EnvironmentFile"]) else "register"
        found = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "NO_COLOR": "1"}
        for file in unit["EnvironmentFile"]:
            found |= read_environment(UNITS / Path(file).name)
        # The port of the proxy is not there; neither is the database of the file.
        address = f"{as_role(role, self.url).split('?')[0]}?host=/run/postgresql"
        return found | {
            "REGISTRY_DATABASE_URL": address,
            "REGISTRY_BASE_URL": f"http://127.0.0.1:{self.port}",
        }

    def command(self, name):
        unit = read_unit(UNITS / f"{name}.service")
        [words] = unit["ExecStart"]
        socket = Path(self.url.split("host=")[1]) / ".s.PGSQL.5432"
        places = {
            "data": str(self.data),
            "socket": str(socket),
            "environment": self.environment(unit),
        }
        return [
            *(sys.executable, "-m", "tests.deploy.unit", str(UNITS / f"{name}.service")),
            json.dumps(places),
            *words.replace("--port 8000", f"--port {self.port}").split(),
        ]

    def run(self, name, *words):
        """Run a unit's command to its end, or others as the unit would."""
        command = self.command(name)
        if words:
            command = [*command[: command.index("/opt/registry/bin/registry") + 1], *words]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    @contextmanager
    def running(self, name):
        path = self.data.with_name(f"{self.data.name}-{name}.log")
        with path.open("wb") as out:
            process = subprocess.Popen(
                self.command(name), cwd=ROOT, stdout=out, stderr=subprocess.STDOUT
            )
        try:
            yield lambda: f"{process.poll()} {path.read_text()[-3000:]}"
        finally:
            process.terminate()
            try:
                process.wait(60)
            finally:
                process.kill()
                path.unlink()


def until(look, why):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if look():
                return
        except (httpx.HTTPError, OSError):
            pass
        time.sleep(0.2)
    pytest.fail(why())


@pytest.fixture(scope="module")
def host(copied, server):
    lacking = missing()
    if lacking:
        pytest.skip(lacking)
    subprocess.run(["systemd-sysusers", UNITS / "registry.sysusers"], check=True)
    data = make_folder("unit")
    (data / "keys").mkdir(mode=0o700)
    for path, mode in ((data, 0o2775), (data / "keys", 0o700)):
        shutil.chown(path, "registry-work", "registry")
        path.chmod(mode)
    with copied("template0") as url:
        asyncio.run(make_roles(url))
        yield Host(data, url)
    shutil.rmtree(data)


async def make_roles(url):
    """Run `roles.sql`, whose database is there already."""
    connection = await asyncpg.connect(url)
    name = url.split("?")[0].rpartition("/")[2]
    for line in (ROOT / "deploy/database/roles.sql").read_text().splitlines():
        if line.startswith("create database"):
            await connection.execute(f"alter database {name} owner to register")
            await connection.execute("alter schema public owner to register")
        elif line.startswith(("create", "grant")):
            with suppress(asyncpg.DuplicateObjectError):
                await connection.execute(line)
    await connection.close()


async def grant(url):
    database = await connect(as_role("register", url))
    await grant_serving(database)
    await database.close()


def test_the_units_start_and_answer_every_kind_of_address(host):
    with host.running("registry-work") as work:
        until((host.data / "log/checkpoint").exists, work)
        asyncio.run(grant(host.url))
        with (
            host.running("registry-serve") as serve,
            httpx.Client(base_url=f"http://127.0.0.1:{host.port}", timeout=PATIENCE) as client,
        ):
            until(lambda: client.get("/health/ready").status_code == 200, serve)
            answers = {
                address: client.get(address).status_code
                for address in (
                    *("/", "/fr/", "/ar/search?q=sante", "/api/v1/records", "/api/v1/statistics"),
                    *("/openapi.json", "/log/checkpoint", "/metrics", "/feeds/fr/all.atom"),
                    *("/api/v1/exports/records.csv", "/copies/register-fr.zip"),
                    "/api/v1/workbooks/template.xlsx",
                )
            }
            # In processes of their own, as the workbook above.
            large = {"documents": [{}] * 20_000}
            answers["large"] = client.post("/api/v1/validate", json=large).status_code
            assert {a: s for a, s in answers.items() if s != 200} == {}, serve()
            for name in ("registry-verify", "registry-fsck"):
                done = host.run(name)
                assert done.returncode == 0, done.stdout + done.stderr
            for unit in ("registry-doctor", "registry-serve"):
                done = host.run(unit, "doctor")
                assert (done.returncode, "FINDING" in done.stdout) == (0, False), done.stdout
    assert (host.data / "keys").stat().st_mode & 0o077 == 0
