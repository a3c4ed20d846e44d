"""The QR codes of records, read by a reader that is not the library that draws them."""

from __future__ import annotations

import base64

import pytest
import zxingcpp

from registry.record.short_code import candidates
from tests.browser.conftest import DESKTOP

RECORD = "demo-sante/prevision-lits"
CODE = next(candidates(RECORD))

_PIXELS = """async (picture) => {
  const image = new Image();
  image.src = `data:image/png;base64,${picture}`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  return [image.width, image.height, Array.from(data.filter((_, at) => at % 4 === 1))];
}"""
"""The green of each pixel, row by row."""


def read_codes(page, picture):
    """Return what the codes in a picture say."""
    page.goto("about:blank")
    width, height, levels = page.evaluate(_PIXELS, base64.b64encode(picture).decode())
    rows = memoryview(bytes(levels)).cast("B", (height, width))
    return [one.text for one in zxingcpp.read_barcodes(rows)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_telephone_reads_the_address_off_every_drawing(opened, host, scheme):
    with opened(viewport=DESKTOP, color_scheme=scheme) as page:
        for path, drawing in (
            (f"ar/records/{RECORD}/notice", ".poster .qr"),
            (f"r/{CODE}.svg", "svg"),
        ):
            page.goto(f"{host}/{path}")
            picture = page.locator(drawing).first.screenshot()
            assert read_codes(page, picture) == [f"{host}/r/{CODE}"], path


def test_the_code_on_paper_is_read_without_the_printer_s_backgrounds(opened, host):
    with opened(viewport=DESKTOP) as page:
        page.goto(f"{host}/fr/records/{RECORD}")
        page.emulate_media(media="print")
        picture = page.locator(".qr >> visible=true").first.screenshot()
        assert read_codes(page, picture) == [f"{host}/r/{CODE}"]
