"""The first page that a phone shows on a slow line, in every language beside French."""

import shutil
import statistics
from collections.abc import Iterator

from playwright.sync_api import Browser, sync_playwright

from tests.bench.measure import Row
from tests.served import served

PAGES = {"first page": "", "a record": "records/demo-services/aide-energie-hivernale"}
LANGUAGES = ("fr", "ar", "zgh", "en")
ROUNDS = 3
MOST_SECONDS = 2.5
MOST_RATIO = 1.2
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True}
SLOW = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
_OBSERVED = """
window.painted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.painted = entry.startTime;
}).observe({ type: "largest-contentful-paint", buffered: true });
"""


def run() -> Iterator[Row]:
    """Yield the largest contentful paint of each page, and its ratio to the French one.

    400 kbit/s, 400 ms, as the register itself serves; the languages take turns.
    """
    with served(load=True, site_build="manual") as running, sync_playwright() as playwright:
        for command in (
            ("log", "publish"),
            ("site", "build", "--out", running.register.data / "built"),
        ):
            told = running.register.run(*command)
            assert told.returncode == 0, told.stderr
        built = (running.register.data / "built").resolve()
        shutil.copytree(built, running.register.data / "site", dirs_exist_ok=True)
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for what, path in PAGES.items():
            seconds: dict[str, list[float]] = {tag: [] for tag in LANGUAGES}
            for _ in range(ROUNDS):
                for tag in LANGUAGES:
                    seconds[tag].append(_painted(chromium, f"{running.url}/{tag}/{path}"))
            usual = {tag: statistics.median(one) for tag, one in seconds.items()}
            for tag in LANGUAGES:
                name = f"{what}, 400 kbit/s, {tag}: largest contentful paint"
                yield Row(what=name, figure=usual[tag], unit="s", at_most=MOST_SECONDS)
                if tag != "fr":
                    yield Row(
                        what=f"{name}, beside French",
                        figure=usual[tag] / usual["fr"],
                        unit="×",
                        at_most=MOST_RATIO,
                        beside="the French page, in turn",
                    )
        chromium.close()


def _painted(chromium: Browser, address: str) -> float:
    """Return when a browser that has seen nothing yet shows the largest part, in seconds."""
    context = chromium.new_context(**PHONE)
    page = context.new_page()
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", SLOW)
    page.add_init_script(_OBSERVED)
    answer = page.goto(address, wait_until="load")
    assert answer is not None
    assert answer.ok, address
    page.wait_for_timeout(500)
    painted = page.evaluate("window.painted")
    context.close()
    return float(painted) / 1000
