"""Whether `registry doctor` sees that a proxy passes a client's own `X-Forwarded-For` on."""

import json
import shutil
import socket
import subprocess
from contextlib import contextmanager
from ipaddress import ip_address

import psutil
import pytest

from tests.crash.register import free_port
from tests.prepared import make_folder
from tests.served import served, until

NGINX = """
daemon off; pid {folder}/pid; error_log stderr; events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    server {{
        listen {host}:{port};
        location / {{
            proxy_pass http://127.0.0.1:{register};
            proxy_set_header X-Request-Id $request_id;
            {lines}
        }}
    }}
}}
"""
HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend public
    bind {host}:{port}
    http-request set-header X-Request-Id %[uuid()]
    {lines}
    default_backend register
backend register
    server one 127.0.0.1:{register}
"""
CADDY = """
{{
    admin off
    auto_https off
}}
http://{host}:{port} {{
    reverse_proxy 127.0.0.1:{register} {{
        header_up X-Request-Id {{http.request.uuid}}
        {lines}
    }}
}}
"""
COMMANDS = {
    "nginx": (NGINX, ("-c",)),
    "haproxy": (HAPROXY, ("-f",)),
    "caddy": (CADDY, ("run", "--adapter", "caddyfile", "--config")),
}


@pytest.fixture(scope="module")
def host():
    """An address of this machine that is not its loopback: as with any client, nobody trusts it."""
    for addresses in psutil.net_if_addrs().values():
        for one in addresses:
            if one.family == socket.AF_INET and not ip_address(one.address).is_loopback:
                return one.address
    pytest.skip("this machine has no address but its loopback")


@pytest.fixture(scope="module")
def behind():
    """A register that trusts a proxy on this machine."""
    with served(trusted_proxies="127.0.0.1") as running:
        yield running.register


def listens(host, port):
    with socket.socket() as line:
        return line.connect_ex((host, port)) == 0


@contextmanager
def proxied(name, lines, register, host):
    """Yield the port of a program in front of the register, with some lines of its own."""
    text, words = COMMANDS[name]
    folder, port = make_folder("p"), free_port()
    file = folder / "conf"
    file.write_text(
        text.format(folder=folder, host=host, port=port, register=register.port, lines=lines)
    )
    log = (folder / "log").open("w+")
    process = subprocess.Popen(
        [name, *words, file], stdout=log, stderr=log, env=register.environment | {"HOME": folder}
    )
    try:
        until(lambda: listens(host, port) or process.poll() is not None)
        assert process.poll() is None, (folder / "log").read_text()
        yield port
    finally:
        process.terminate()
        process.wait()
        log.close()
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("name", "lines", "state"),
    [
        ("nginx", "proxy_set_header X-Forwarded-For $remote_addr;", "in order"),
        ("nginx", "", "finding"),
        ("nginx", "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;", "in order"),
        ("haproxy", "http-request set-header X-Forwarded-For %[src]", "in order"),
        ("haproxy", "", "finding"),
        ("caddy", "", "in order"),
        ("caddy", "trusted_proxies 0.0.0.0/0", "in order"),
        ("caddy", "header_up X-Forwarded-For {header.X-Forwarded-For}", "finding"),
    ],
)
def test_a_proxy_that_lets_clients_say_who_they_are_is_found(behind, host, name, lines, state):
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not on this machine; .ci/run names its package")
    with proxied(name, lines, behind, host) as port:
        behind.environment["REGISTRY_BASE_URL"] = f"http://{host}:{port}"
        done = behind.run("doctor", "--format", "json")
    found = {one["name"]: one for one in json.loads(done.stdout)["checks"]}
    assert found["proxy"]["state"] == "in order", found
    assert found["client address"]["state"] == state, found["client address"]
    if state == "finding":
        assert "replace X-Forwarded-For" in found["client address"]["advice"]
