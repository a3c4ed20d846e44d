"""Hugo building as many pages of as many bytes: the texts of our pages in a template of its own."""

import html
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.bench.measure import Measured, measured

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


def build_with_hugo(site: Path, pages: Sequence[Path], folder: Path) -> Measured | None:
    """Let Hugo build the texts of pages, each as long as ours on average; None without Hugo."""
    program = shutil.which("hugo")
    if program is None:
        return None
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
    if (built := sum(1 for _ in (folder / "public").rglob("*.html"))) != len(pages):
        raise RuntimeError(f"Hugo built {built} pages of {len(pages)}")
    return took


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
