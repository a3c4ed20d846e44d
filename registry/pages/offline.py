"""A copy of the site that opens by double click: no host, no address, no network.

Links lead from file to file, scripts are no modules (browsers load none from files), and the index
and the proofs lie there as scripts, since a page that is a file may read no other. What only the
register has, such as its API, is linked at its address.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Collection, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias
from urllib.parse import urlsplit

from lxml import etree, html

from registry import resources

_File: TypeAlias = tuple[str, bytes]

_DATA = ("data-api", "data-proof", "data-copy", "data-labels", "data-site")
_ENTRIES = ("finder", "box", "letter")
_ONLINE = "//link[contains('modulepreload search alternate', @rel)] | //*[@class='by-register']"
"""What only a register can answer or a browser can load from a host, and nothing stands in for."""

_IMPORT = re.compile(r'^import (?:\{([^}]*)\} from )?"\./([\w-]+\.js)";\n', re.MULTILINE)
_LATER = re.compile(r'import\("\./([\w-]+\.js)"\)')
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)
_FOLDERS = ("find/", "proofs/")
"""What scripts read."""

_ELSEWHERE = ("feeds/", "log/", "problems/")
_MODULES = re.compile(r"assets/(?!proof\.).*\.js")

COPY_PREFIX = "copy-"
"""With what the name of a folder begins in which a copy is made."""


def archive_names(languages: Sequence[str]) -> dict[str, Sequence[str]]:
    """Return the languages that each archive has, by its name: one a language, and one of all."""
    return {"register.zip": languages} | {f"register-{tag}.zip": [tag] for tag in languages}


def offline_files(
    site: Path, base_url: str, tags: Collection[str], *, proofs: Path | None = None
) -> Iterator[_File]:
    """Yield the files of a copy of a built site, with the pages of some languages.

    `proofs` is the folder with a proof a version, where there is one.
    """
    copy = _Copy(site, base_url, tags)
    yield "assets/files.js", (resources.SITE / "offline" / "files.js").read_bytes()
    for name in _ENTRIES:
        yield f"assets/{name}.js", _bundle(resources.SITE / "scripts", f"{name}.js").encode()
    for path in _files(site):
        name = path.relative_to(site).as_posix()
        if not copy.has(name):
            continue
        if name.endswith(".html"):
            yield name, copy.page(name, path.read_bytes())
        elif name.startswith(_FOLDERS):
            yield from _as_script(name, path.read_bytes())
        else:
            yield name, path.read_bytes()
    if proofs is None:
        return
    for path in _files(proofs):
        name = f"proofs/{path.relative_to(proofs).as_posix()}"
        yield name, path.read_bytes()
        yield from _as_script(name, path.read_bytes())


def write_folder(files: Iterator[_File], out: Path) -> int:
    """Write a copy into a new folder; return how many files it has."""
    out.mkdir(parents=True)
    number = 0
    for name, content in files:
        number += 1
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return number


def write_zip(files: Iterator[_File], out: Path) -> int:
    """Write a copy as an archive with one folder; return how many files it has.

    What stands in the archive never changes, so that it can be sent while it grows.
    """
    number = 0
    with (
        out.open("xb") as file,
        zipfile.ZipFile(_Appended(file), "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive,
    ):
        for name, content in files:
            number += 1
            # The same register gives the same bytes.
            archive.writestr(zipfile.ZipInfo(f"{out.stem}/{name}"), content, zipfile.ZIP_DEFLATED)
    return number


class _Appended(io.RawIOBase):
    """A file in which an archive does not go back, as it would to write sizes before contents."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, content: Any) -> int:
        return self._file.write(content)

    def flush(self) -> None:
        self._file.flush()


class _Copy:
    """How the addresses of a site are written in a copy of it."""

    def __init__(self, site: Path, base_url: str, tags: Collection[str]) -> None:
        self._site, self._tags = site, set(tags)
        self._base_url = base_url.rstrip("/")
        self._prefix = urlsplit(base_url).path.rstrip("/")
        self._languages = {path.parent.name for path in site.glob("*/search.html")}

    def has(self, name: str) -> bool:
        """Whether a file of the site belongs into the copy."""
        first, _, rest = name.partition("/")
        if first in self._languages:
            return first in self._tags and rest != "opensearch.xml"
        if first == "find" and rest.removesuffix(".json") in self._languages:
            return rest.removesuffix(".json") in self._tags
        return not name.startswith(_ELSEWHERE) and not _MODULES.match(name)

    def page(self, name: str, content: bytes) -> bytes:
        """Return a page with links from file to file, and with scripts that files may run."""
        up = "../" * name.count("/")
        root = html.document_fromstring(content, html.HTMLParser(encoding="utf-8"))
        for one in root.xpath(_ONLINE):
            one.drop_tree()
        # No server takes a code, but the search does.
        for form in root.xpath("//form[.//input[@id='code']]"):
            form.set("action", form.get("action").removesuffix("code") + "search")
            form.get_element_by_id("code").set("name", "q")
        self._set_scripts(root)
        for element, link in product(root.iter(etree.Element), ("href", "src", "action", *_DATA)):
            if element.get(link, "").startswith("/"):
                element.set(link, self._place(link, element.get(link), up))
        for element in root.xpath("//*[@data-site]"):
            element.set("data-ending", ".html")
        return bytes(html.tostring(root, encoding="utf-8", doctype="<!doctype html>"))

    def _set_scripts(self, root: html.HtmlElement) -> None:
        """Make the scripts of a page files, after the one that hands files over."""
        for policy in root.xpath("//meta[@http-equiv='Content-Security-Policy']"):
            policy.set("content", policy.get("content").replace("'self'", "'self' file:"))
        for script in root.xpath("//script[@type='module']"):
            entry = script.get("src").rpartition("/")[2].partition(".")[0]
            del script.attrib["type"]
            script.attrib.update({"defer": "", "src": f"{self._prefix}/assets/{entry}.js"})
        files = html.Element("script", defer="", src=f"{self._prefix}/assets/files.js")
        for script in root.xpath("(//script[@defer])[1]"):
            script.addprevious(files)

    def _place(self, attribute: str, address: str, up: str) -> str:
        """Return where an address lies, from a page that is some folders deep."""
        address = address.removeprefix(self._prefix).lstrip("/")
        path = re.split("[?#]", address, maxsplit=1)[0]
        rest = address.removeprefix(path)
        if path == "assets/files.js" or path in {f"assets/{name}.js" for name in _ENTRIES}:
            return up + path
        if attribute in {"data-site", "data-copy"}:
            return (up + path) or "."
        if attribute == "data-labels":
            return up + path
        for file in (path, f"{path}.html", f"{path.rstrip('/')}/index.html".lstrip("/")):
            if self.has(file) and (self._site / file).is_file():
                return up + file + rest
        return f"{self._base_url}/{address}"


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _as_script(name: str, content: bytes) -> Iterator[_File]:
    """Yield a file of JSON as the script that hands it over."""
    yield f"{name}.js", b"registerFile(" + content.strip() + b");\n"


def _bundle(folder: Path, entry: str) -> str:
    """Return a module and all that it imports as one script; each keeps a scope of its own."""
    parts: dict[str, str] = {}

    def add(name: str) -> None:
        if name in parts:
            return
        parts[name] = ""
        text = (folder / name).read_text("utf-8")
        for needed in (*_IMPORT.findall(text), *(("", one) for one in _LATER.findall(text))):
            add(needed[1])
        names = ", ".join(_EXPORT.findall(text))
        text = _EXPORT.sub("", _LATER.sub(r'modules["\1"]', _IMPORT.sub(_taken, text)))
        # Put in again, after what it imports.
        del parts[name]
        # What nothing imports may wait.
        scope = "async () =>" if name == entry else "() =>"
        parts[name] = f'modules["{name}"] = ({scope} {{\n{text}\nreturn {{ {names} }};\n}})();\n'

    add(entry)
    return '"use strict";\n{\nconst modules = {};\n' + "".join(parts.values()) + "}\n"


def _taken(found: re.Match[str]) -> str:
    if not found[1]:
        return ""
    return f'const {{{found[1].replace(" as ", ": ")}}} = modules["{found[2]}"];\n'
