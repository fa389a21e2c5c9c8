"""The icons of the installed app, drawn from our mark with Chromium: `python scripts/icons.py`. Run it when the mark changes."""

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

PAGES = Path(__file__).parents[1] / "src" / "opencto" / "dashboard" / "pages"
GROUND, INK = "#0f1418", "#3ec6d1"
MARK = '<path d="M26.72 13.53A11 11 0 1 1 18.47 5.28"/><path d="M19 13 24.3 7.7"/>'
ICONS = {
    # name: (pixels, how round the ground is, how much of the width the mark takes)
    "icon-192.png": (192, 0.22, 0.66),
    "icon-512.png": (512, 0.22, 0.66),
    "icon-maskable-512.png": (512, 0.0, 0.52),  # a phone cuts its own shape: the mark stays within the inner 80 %
    "icon-apple-180.png": (180, 0.0, 0.62),
}


def drawn(pixels: int, roundness: float, share: float) -> str:
    side = 32 / share
    shift = (side - 32) / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{pixels}" height="{pixels}" viewBox="0 0 {side} {side}">'
        f'<rect width="{side}" height="{side}" rx="{side * roundness}" fill="{GROUND}"/>'
        f'<g transform="translate({shift} {shift})" fill="none" stroke="{INK}" stroke-width="4" stroke-linecap="round">{MARK}</g></svg>'
    )


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (pixels, roundness, share) in ICONS.items():
            page = browser.new_page(viewport={"width": pixels, "height": pixels})
            page.set_content(f"<style>*{{margin:0}}svg{{display:block}}</style>{drawn(pixels, roundness, share)}")
            page.screenshot(path=PAGES / name, omit_background=True)
            page.close()
        page = browser.new_page()
        colours = page.evaluate(
            """() => ["oklch(98.5% 0.003 250)", "oklch(17% 0.008 250)"].map((colour) => {
                 const pen = new OffscreenCanvas(1, 1).getContext("2d"); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
                 return "#" + [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3).map((one) => one.toString(16).padStart(2, "0")).join("") })"""
        )
        print("the grounds of the tokens, for the manifest:", *colours)
        browser.close()


main()
