"""The help of every command, and the command lines of `commands.txt`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tools.pin.recording import Part
from tools.pin.register import Register

_LINES = Path(__file__).parent / "commands.txt"
_AT_ONCE = 2
_LISTED = re.compile(r"^│ ([a-z][a-z_-]*)  ", re.MULTILINE)
_SETTING = re.compile(r"REGISTRY_([A-Z_]+)=(.*)")


def run_all(register: Register, part: Part) -> None:
    """Run the help of every command, then every line, beside a server that holds the database."""
    lines = _LINES.read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if line and not line.startswith("#")]
    with register.serve(), ThreadPoolExecutor(_AT_ONCE) as pool:
        _write_inputs(register)
        for words, told in _help(register, pool, [()]):
            part.add(f"registry {' '.join((*words, '--help'))}", told)
        for line, told in zip(lines, pool.map(partial(_run, register), lines), strict=True):
            part.add(f"registry {line}", told)


def _run(register: Register, line: str) -> str:
    words, settings = shlex.split(line), {}
    while found := _SETTING.fullmatch(words[0]):
        settings[found[1].lower()] = found[2]
        words = words[1:]
    return register.tell(register.run(*words, **settings))


def _write_inputs(register: Register) -> None:
    """Write the files that the lines name."""
    folder = register.folder
    (folder / "empty").mkdir(exist_ok=True)
    (folder / "broken.json").write_text('{"id": "demo-sante/x",\n "id": "demo-sante/y"}')
    (folder / "faulty.json").write_text(
        '{"id": "demo-sante/x", "sumary": 1, "risk": {"level": "x"}}'
    )
    register.run("log", "export", "log-copy")
    proof = register.run("log", "prove", "demo-services/objets-trouves").stdout
    (folder / "proof.json").write_text(proof, encoding="utf-8")


def _help(
    register: Register, pool: Executor, commands: Sequence[tuple[str, ...]]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the help of commands, and then of the commands that it lists."""
    answers = list(pool.map(lambda words: register.run(*words, "--help"), commands))
    listed = []
    for words, answer in zip(commands, answers, strict=True):
        yield words, register.tell(answer)
        names = answer.stdout.partition("─ Commands ─")[2]
        listed += [(*words, name) for name in _LISTED.findall(names)]
    if listed:
        yield from _help(register, pool, listed)
