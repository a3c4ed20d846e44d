"""How much a phone fetches for a page of a record: its text and its styles, as they are served."""

import httpx

from registry.api.conditional import ConditionalRequests
from registry.api.site import StaticSite

MOST = 32 * 1024


async def test_every_page_of_a_record_is_light(site):
    transport = httpx.ASGITransport(ConditionalRequests(StaticSite(site)))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://register", headers={"accept-encoding": "gzip"}
    ) as client:

        async def weight(path):
            response = await client.head(f"/{path.relative_to(site).as_posix()}")
            assert response.headers["content-encoding"] == "gzip"
            return int(response.headers["content-length"])

        styles = sum([await weight(path) for path in site.glob("assets/register.*.css")])
        pages = (*site.glob("*/records/*/*.html"), *site.glob("*/records/*/*/versions/*.html"))
        weights = {path.relative_to(site).as_posix(): styles + await weight(path) for path in pages}
    assert len(weights) > 100
    assert {name: weight for name, weight in weights.items() if weight > MOST} == {}
