"""Hugo building as many pages of as many bytes: the texts of our pages in a template of its own."""

import html
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import psutil

_PAUSE_SECONDS = 0.1
_MOST = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
_TAG = re.compile(r"<[^>]+>")
_READ = re.compile(r"[^\w\s.,;:!?()%’'-]+")
_WORDS = 60
_AROUND = len("<p></p>\n")
_CONFIGURATION = """\
baseURL = "https://register.example/"
title = "Register"
disableKinds = ["taxonomy", "term", "RSS", "sitemap", "home", "section", "404", "robotsTXT"]
uglyURLs = true
disableHugoGeneratorInject = true
[markup.goldmark.extensions]
typographer = false
"""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What a program took: seconds by the clock and of work, bytes of memory in all processes."""

    seconds: float
    work: float
    memory: int


class Built(Measured, frozen=True, kw_only=True):
    """What Hugo has built: pages, of how many bytes on average."""

    pages: int
    size: float


def in_memory() -> str | None:
    """Give a folder in memory, where there is one: files are what disks differ in most."""
    folder = "/dev/shm"  # noqa: S108  it is only looked at; what is made in it has a name of chance
    return folder if os.path.ismount(folder) else None


def measured(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Measured:
    """Run a program, forks included, and look at its memory ten times a second at most.

    Pages of memory that processes share are counted once. The most that one process had, which the
    system knows exactly, is the least that is told. To look takes the longer the more there is: so
    that nobody is slowed by it, what one process has alone is left to the system, and there is no
    more than a twentieth of looking.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    most = 0
    while True:
        done, status, used = os.wait4(process.pid, os.WNOHANG)
        if done:
            break
        began = time.perf_counter()
        most = max(most, _shared_out(process.pid))
        time.sleep(max(_PAUSE_SECONDS, 20 * (time.perf_counter() - began)))
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    seconds = time.perf_counter() - start
    work = used.ru_utime + used.ru_stime
    return Measured(seconds=seconds, work=work, memory=most)


def build_with_hugo(site: Path, pages: Sequence[Path], folder: Path) -> Built | str:
    """Let Hugo build the texts of pages, each as long as ours on average; or say why it cannot."""
    program = shutil.which("hugo")
    if program is None:
        return "skipped: a full build beside Hugo, which is not installed (Debian: hugo)"
    texts = 0
    for page in pages:
        paragraphs = _paragraphs(page.read_text(encoding="utf-8"))
        texts += sum(len(one.encode()) + _AROUND for one in paragraphs)
        target = folder / "content" / page.relative_to(site).with_suffix(".md")
        # Hugo takes pages of this name for those of folders.
        target = target.with_name(target.name.replace("index.md", "begin.md"))
        target.parent.mkdir(parents=True, exist_ok=True)
        title = page.stem.replace('"', "")
        text = "\n\n".join(paragraphs)
        target.write_text(f'---\ntitle: "{title}"\n---\n\n{text}\n', encoding="utf-8")
    wanted = sum(page.stat().st_size for page in pages)
    (folder / "layouts" / "_default").mkdir(parents=True)
    (folder / "layouts" / "_default" / "single.html").write_text(
        _template(max(0, wanted - texts) // len(pages)), encoding="utf-8"
    )
    (folder / "hugo.toml").write_text(_CONFIGURATION, encoding="utf-8")
    took = measured([program, "--source", str(folder), "--quiet"])
    built = list((folder / "public").rglob("*.html"))
    size = sum(path.stat().st_size for path in built) / len(built)
    return Built(**msgspec.structs.asdict(took), pages=len(built), size=size)


def _paragraphs(page: str) -> list[str]:
    """Take the text of a page in paragraphs, without what Markdown or Hugo would read."""
    main = page[page.find("<main") : page.find("</main>")]
    words = _READ.sub(" ", html.unescape(_TAG.sub(" ", main))).split()
    return [" ".join(words[at : at + _WORDS]) for at in range(0, len(words), _WORDS)]


def _template(size: int) -> str:
    """Make a page's frame of a size: a head, a list to go on from, the text."""
    head = '<!doctype html>\n<html lang="en"><title>{{ .Title }}</title>\n<ul>\n'
    item = '<li><a href="/en/sectors/health">A place to go on reading from</a></li>\n'
    return f"{head}{item * (size // len(item))}</ul>\n{{{{ .Content }}}}\n</html>\n"


def _shared_out(process: int) -> int:
    """Give the most memory that a process had; with what it started, what all have in equal parts.

    What the system tells of a process that has ended counts ours too, of which it was a copy.
    """
    try:
        main = psutil.Process(process)
        if started := main.children(recursive=True):
            return sum(one.memory_full_info().pss for one in (main, *started))
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except (psutil.Error, OSError):
        return 0
    most = _MOST.search(status)
    return 0 if most is None else int(most[1]) * 1024
