"""The files in `deploy/`, each read by the program that it is for, on machines that have it."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
import yaml

from registry.settings import PREFIX, Settings, from_environment
from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "monitoring/rules.yml"


def run(*command, cwd=None):
    """Run a program of Debian's packages; skip where it is not installed."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not on this machine; .ci/run names its package")
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate with its key, in one file."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    form = ("-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=register")
    code, told = run("openssl", "req", *form, "-keyout", path, "-out", f"{path}.crt")
    assert code == 0, told
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


def test_units_are_those_that_systemd_reads(tmp_path):
    for path in DEPLOY.glob("systemd/*.service"):
        unit = path.read_text().replace("/opt/registry/bin/registry", sys.executable)
        unit = unit.replace("/usr/local/lib/registry/", f"{DEPLOY}/backup/")
        (tmp_path / path.name).write_text(unit)
    for path in DEPLOY.glob("systemd/*.timer"):
        shutil.copy(path, tmp_path)
    units = sorted(tmp_path.iterdir())
    code, told = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units)
    assert (code, told) == (0, "")
    code, told = run(
        "systemd-analyze",
        "security",
        "--offline=yes",
        "--threshold=20",
        *sorted(path for path in units if path.suffix == ".service"),
    )
    assert code == 0, told


def test_units_call_commands_that_there_are():
    commands = {
        found
        for path in DEPLOY.glob("systemd/*.service")
        for found in re.findall(r"/bin/registry ([\w-]+(?: \w+)?)", path.read_text())
    }
    assert {"work", "log verify", "log fsck", "doctor", "audit-trail follow"} <= commands
    for command in commands:
        words = command.split() if command.startswith("log") else command.split()[:1]
        code, told = run(sys.executable, "-m", "registry", *words, "--help")
        assert code == 0, told


def test_settings_of_the_services_are_known_and_valid():
    given, urls = {}, []
    for name in ("registry.env", "serve.env"):
        lines = (DEPLOY / "systemd" / name).read_text().splitlines()
        given |= dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        settings = from_environment(given)
        assert isinstance(settings, Settings)
        assert settings.review == "authority"
        urls.append(settings.database_url)
    assert all(name.startswith(PREFIX) for name in given)
    assert [url.split("@")[0] for url in urls] == ["postgresql://register", "postgresql://serving"]


def test_postgresql_reads_the_lines_of_who_is_let_in(server):
    """Its views say what is wrong with the files as they are, before anything reads them anew."""

    async def fetch(statement):
        connection = await asyncpg.connect(server.url)
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close()

    found = []
    for name, where, errors in (
        ("pg_hba.conf", "show hba_file", "select error from pg_hba_file_rules"),
        ("pg_ident.conf", "show ident_file", "select error from pg_ident_file_mappings"),
    ):
        [[path]] = asyncio.run(fetch(where))
        before = Path(path).read_text()
        try:
            Path(path).write_text((DEPLOY / "database" / name).read_text())
            found += [row["error"] for row in asyncio.run(fetch(errors))]
        finally:
            Path(path).write_text(before)
    # The server of the tests has no TLS.
    said = [one for one in found if one]
    assert len(found) == 7
    # The server of the tests is built without TLS.
    assert all(one.startswith("hostssl record cannot match") for one in said)


def test_nginx_takes_its_server(tmp_path, certificate):
    server = (DEPLOY / "proxies/nginx.conf").read_text()
    server = re.sub(r"/etc/ssl/\S+(?=;)", str(certificate), server)
    (tmp_path / "server.conf").write_text(server)
    register_context = tmp_path / "nginx.conf"
    register_context.write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; include {tmp_path}/server.conf; }}\n"
    )
    code, told = run("nginx", "-t", "-c", register_context, "-p", tmp_path)
    assert code == 0, told
    assert "warn" not in told


def test_proxies_send_what_only_they_know():
    """HSTS, and the address of the client; what server answers is nobody's business.

    nginx passes no `Server` on and has its own without a version.
    """
    for name, words in {
        "nginx.conf": ["server_tokens off", "X-Forwarded-For $remote_addr"],
        "haproxy.cfg": ["http-response del-header server", "X-Forwarded-For %[src]"],
        "Caddyfile": ["header -Server"],
    }.items():
        text = (DEPLOY / "proxies" / name).read_text()
        assert "max-age=31536000; includeSubDomains" in text, name
        assert [word for word in words if word not in text] == [], name


def test_caddy_takes_its_site():
    code, told = run(
        *("caddy", "validate", "--adapter", "caddyfile"),
        *("--config", DEPLOY / "proxies/Caddyfile"),
    )
    assert code == 0, told


def test_haproxy_takes_its_configuration(tmp_path, certificate):
    text = (DEPLOY / "proxies/haproxy.cfg").read_text()
    file = tmp_path / "haproxy.cfg"
    file.write_text(text.replace("/etc/haproxy/certs/algorithms.example.pem", str(certificate)))
    code, told = run("haproxy", "-c", "-f", file)
    assert code == 0, told
    assert "WARNING" not in told


def test_alerts_fire_when_they_should_and_only_then():
    code, told = run("promtool", "test", "rules", "rules.test.yml", cwd=RULES.parent)
    assert code == 0, told


def test_alerts_ask_for_figures_that_there_are_and_each_is_tried():
    rules = RULES.read_text()
    known = (ROOT / "docs/operating.md").read_text()
    for figure in sorted(set(re.findall(r"\bregistry_\w+", rules))):
        assert f"`{figure}`" in known, figure
    tried = (RULES.parent / "rules.test.yml").read_text()
    for alert in re.findall(r"alert: (\w+)", rules):
        assert len(re.findall(rf"alertname: {alert}\b", tried)) >= 2, alert


def test_the_dashboard_asks_for_figures_that_there_are(tmp_path):
    board = json.loads((DEPLOY / "monitoring/grafana.json").read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    known = (ROOT / "docs/operating.md").read_text()
    for figure in sorted(set(re.findall(r"\bregistry_\w+", " ".join(asked)))):
        assert f"`{figure.removesuffix('_bucket')}`" in known, figure
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    rules = [
        {"record": f"asked:{at}", "expr": one.replace("$job", "register")}
        for at, one in enumerate(asked)
    ]
    (tmp_path / "rules.json").write_text(json.dumps({"groups": [{"name": "a", "rules": rules}]}))
    code, told = run("promtool", "check", "rules", tmp_path / "rules.json")
    assert code == 0, told


def settings_named(text):
    return set(re.findall(r"\bREGISTRY_[A-Z_]+", text))


def test_containers_are_told_settings_that_there_are():
    known = {PREFIX + field.upper() for field in Settings.__struct_fields__}
    for path in (DEPLOY / "container", DEPLOY / "helm"):
        for file in path.rglob("*"):
            if file.is_file():
                assert settings_named(file.read_text()) <= known, file
    compose = yaml.safe_load((DEPLOY / "container/compose.yaml").read_text())
    services = compose["services"]
    assert {
        *("db", "store", "bucket", "work", "grants", "serve-1", "serve-2", "nginx")
    } == services.keys()
    for name in ("work", "serve-1", "serve-2"):
        assert services[name]["read_only"]
        assert services[name]["cap_drop"] == ["ALL"]
    for name, service in services.items():
        assert set(service.get("secrets", ())) <= compose["secrets"].keys(), name
        assert set(service["networks"]) <= compose["networks"].keys(), name
        assert set(service.get("depends_on", ())) <= services.keys(), name


def test_nginx_of_the_containers_is_that_of_one_machine_but_for_names():
    [one, other] = (
        [
            line
            for line in (DEPLOY / place).read_text().splitlines()
            if "server" not in line and not line.startswith("#")
        ]
        for place in ("proxies/nginx.conf", "container/nginx.conf")
    )
    differing = [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]]
    assert [line.split()[0] for line, _ in differing] == ["ssl_certificate", "ssl_certificate_key"]


def render(chart):
    """Return what the templates of the chart give, for the few constructs of Helm that they use.

    Debian has no Helm, and this is not Helm: names, `include`, `quote`, `nindent`, `.Files.Get`.
    """
    values = yaml.safe_load((chart / "values.yaml").read_text())
    parts = "".join(path.read_text() for path in chart.glob("templates/*.tpl"))
    defined = dict(re.findall(r'{{- define "(.+?)" -}}\n(.*?)\n{{- end }}', parts, re.DOTALL))

    def give(found):
        words = re.sub(r"^- | -$", "", found[1].strip()).split(" | ")
        kind, *rest = words[0].replace('"', "").split()
        if kind == "include":
            given = fill(defined[rest[0]])
        elif kind == ".Files.Get":
            given = (chart / rest[0]).read_text()
        else:
            given = values
            for name in kind.removeprefix(".Values.").split("."):
                given = given[name]
        for step in words[1:]:
            name, *count = step.split()
            if name == "quote":
                given = json.dumps(str(given))
            elif name == "nindent":
                lines = str(given).splitlines()
                given = "\n" + "\n".join(" " * int(count[0]) + line for line in lines)
            else:
                raise AssertionError(step)
        return str(given)

    def fill(text):
        text = re.sub(r"{{- (?:if .+?|end) }}\n", "", text)
        return re.sub(r"(?:(?<=\n)\s*(?={{-))?{{(.+?)}}", give, text)

    return "\n---\n".join(fill(path.read_text()) for path in sorted(chart.glob("templates/*.yaml")))


def test_the_chart_gives_what_a_cluster_takes():
    told = render(DEPLOY / "helm")
    made = [one for one in yaml.safe_load_all(told) if one]
    pods = [one["spec"]["template"]["spec"] for one in made if "template" in one.get("spec", {})]
    assert len(pods) == 3
    for pod in pods:
        assert pod["enableServiceLinks"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            mounted = {one["name"] for one in container["volumeMounts"]}
            claimed = {"data"} if "initContainers" in pod else set()
            assert mounted <= {one["name"] for one in pod["volumes"]} | claimed
    [grants] = [one for one in made if one["kind"] == "ConfigMap"]
    assert (
        grants["data"]["grants.sql"].strip() == (DEPLOY / "database/grants.sql").read_text().strip()
    )


def test_helm_takes_the_chart():
    for words in (("lint", "--strict"), ("template", "register")):
        code, told = run("helm", *words, DEPLOY / "helm")
        assert code == 0, told


def test_each_file_is_told_of():
    told = (DEPLOY / "README.md").read_text()
    for path in DEPLOY.rglob("*"):
        stem = path.name.split(".")[0]
        known = path.name in told or f"{stem}.*" in told
        assert known or path.is_dir() or path.name == "README.md", path
