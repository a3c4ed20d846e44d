"""Asking a register at the pace that it allows."""

import asyncio
from http.server import BaseHTTPRequestHandler

import pytest

from registry.audit import audit
from registry.audit.questions import Question
from registry.audit.remote import RemoteRegister
from registry.errors import ConfigurationError, Unavailable
from tests.listening import listening


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked = self.server.asked
        asked.append(self.path)
        status, later = 200, None
        if self.path.startswith("/busy") and asked.count(self.path) < 3:
            status, later = 429, "7"
        if self.path == "/never":
            status = 503
        if self.path.startswith("/ar/"):
            status = 404
        if self.path == "/gone":
            status = 410
        body = f'{{"path":"{self.path}"}}'.encode()
        self.send_response(status)
        if later is not None:
            self.send_header("retry-after", later)
        self.send_header("content-length", str(len(body) + (self.path == "/cut")))
        self.close_connection = self.path == "/cut"
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with listening(Handler, asked=[]) as running:
        yield running


@pytest.fixture
def waits():
    return []


@pytest.fixture
def register(server, waits):
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    with RemoteRegister(url, sleep=waits.append) as asked:
        yield asked


def seconds(waits):
    return [round(wait) for wait in waits]


def test_many_questions_are_asked_at_once(register):
    async def ask():
        return await asyncio.gather(*(register.ask(f"/{number}") for number in range(100)))

    found = asyncio.run(ask())
    assert [(one.status, one.content) for one in found] == [
        (200, f'{{"path":"/{number}"}}'.encode()) for number in range(100)
    ]


def test_it_waits_as_long_as_the_register_wants(register, server, waits):
    assert register.get("/busy").status == 200
    assert server.asked.count("/busy") == 3
    assert seconds(waits)[0] == 7
    assert register.get("/gone").status == 410


def test_it_gives_up_one_that_stays_busy_and_waits_for_no_further_one(register, server, waits):
    with pytest.raises(Unavailable, match=r"/never answers 503, \d\d times in turn"):
        register.get("/never")
    assert max(waits) <= 120
    assert sum(waits) <= 1200
    with pytest.raises(Unavailable, match="/never answers 503, 1 times in turn"):
        register.get("/never")
    assert register.get("/busy").status == 200


async def test_an_answer_that_breaks_off_differs_where_others_come(register, tmp_path):
    one = audit._Audit(
        register,
        tmp_path,
        None,
        None,
        share=None,
        seed=1,
        without_pages=False,
        max_age=None,
        sleep=None,
    )
    said = await one._ask_both(None, Question("exports", "/cut"), "origin")
    assert "/cut cannot be read: " in said


def test_of_the_address_of_a_page_it_is_said_what_to_leave_out(register, waits):
    assert audit._base(f"{register.url}/log/", waits.append) == f"{register.url}/log"
    with pytest.raises(ConfigurationError, match=rf"{register.url}/: leave out /ar/agencies"):
        audit._base(f"{register.url}/ar/agencies/", waits.append)


def test_an_address_without_https_is_refused():
    with pytest.raises(ConfigurationError, match="begins with https"):
        RemoteRegister("http://register.example/")
