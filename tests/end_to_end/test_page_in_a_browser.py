"""The page in a real browser, where there is one: under its own policy, live, by keyboard, and without a script."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from pipeline.settings import Settings, UpstreamSettings
from tests.support.browser import CHROMIUM, browser
from tests.support.running import REQUEST
from tests.support.serving import serving

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")

ANSWERED = "[...document.querySelectorAll('dt')].find(each => each.textContent == 'answered').nextSibling.textContent"
TAB = ("Tab", 9)


async def test_the_page(tmp_path: Path) -> None:
    """What happens shows by itself; links are reached by keyboard; tables are there when scripts are off."""
    settings = Settings(upstream=UpstreamSettings(url="emulator"))
    async with serving(settings) as url, browser(tmp_path) as page, httpx.AsyncClient() as client:
        await page.do("Page.navigate", url=f"{url}/dragoman/")
        await page.sees("document.getElementById('live')?.textContent == 'live'")
        assert await page.look(ANSWERED) == "0"
        await client.post(f"{url}/v1/messages", json=REQUEST)
        await page.sees(f"{ANSWERED} == '1'")
        assert await page.look("document.querySelectorAll('svg rect').length") > 0

        reached = []
        for _ in range(4):
            await page.press(*TAB)
            reached.append(
                await page.look(
                    "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
                )
            )
        assert reached == ["To the numbers", "last hour", "last day", "Tokens and cost by model"]
        assert await page.look(
            "performance.getEntriesByType('resource').every(each => each.name.startsWith(location.origin))"
        )

        await page.do("Emulation.setScriptExecutionDisabled", value=True)
        await page.do("Page.navigate", url=f"{url}/dragoman/?span=day")
        await page.sees("location.search == '?span=day' && document.body?.textContent.includes('gpt-6.2-sol')")
        assert (await page.look("document.getElementById('live').textContent")).startswith("as of now")
