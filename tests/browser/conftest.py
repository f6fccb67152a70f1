"""A real browser without a screen: Debian's chromium, driven by selenium."""

import io
import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from hsi.evaluation import confusion_matrix, summarise
from hsi.report import PageFigure, confusion_figure, figure_png, render_report
from hsi.report.explorer import Mapped, explore, render_explorer
from hsi.sampling import to_targets
from hsi.scenes import Scene

OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--force-device-scale-factor=1",
)  # fmt: skip


class Browser:
    """A page in the browser, and what was said and asked for while it was open."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, path):
        """Open a page and return when its explorer is there, or cannot be."""
        self.driver.get("about:blank")
        for log in ("browser", "performance"):
            self.driver.get_log(log)
        self.driver.get(f"file://{path}")
        self.wait("document.documentElement.dataset.explorer !== undefined")

    def wait(self, condition):
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, 60, poll_frequency=0.05).until(
            lambda driver: driver.execute_script(f"return Boolean({condition})"), condition
        )

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def settle(self):
        """Wait until everything that was asked for is drawn."""
        self.driver.execute_async_script(
            "const done = arguments[0];"
            "requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 60)));"
        )

    def resize(self, width, height, *, scale=1, dark=False):
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False},
        )
        scheme = "dark" if dark else "light"
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
        )
        self.settle()

    def press(self, *keys):
        """Press keys on whatever has the focus."""
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()
        self.settle()

    def press_with_shift(self, key):
        from selenium.webdriver import ActionChains
        from selenium.webdriver.common.keys import Keys

        actions = ActionChains(self.driver).key_down(Keys.SHIFT)
        actions.send_keys(key).key_up(Keys.SHIFT).perform()
        self.settle()

    def check(self, name, value):
        """Choose a radio button by mouse."""
        self.driver.find_element("css selector", f"input[name={name}][value={value}]").click()
        self.settle()

    def slide(self, value):
        self.run(
            "const share = document.getElementById('share'); share.value = arguments[0];"
            "share.dispatchEvent(new Event('input'));",
            value,
        )
        self.settle()

    def pixels(self, selector):
        """Return what the screen shows of an element, (rows, cols, 3)."""
        self.settle()
        png = self.driver.find_element("css selector", selector).screenshot_as_png
        with Image.open(io.BytesIO(png)) as image:
            return np.array(image.convert("RGB"))

    def spectrum(self):
        """Return the line of the chosen pixel as the chart has it: positions and values."""
        self.settle()
        trace = self.run(
            "const data = document.getElementById('spectrum').data;"
            "const {x, y, name} = data[data.length - 1]; return {x, y, name};"
        )
        return trace["name"], trace["x"], trace["y"]

    def messages(self):
        return [each["message"] for each in self.driver.get_log("browser")]

    def requests(self):
        """Return the addresses that were asked for, but for the page's own data."""
        found = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
        return [each for each in found if not each.startswith(("data:", "blob:"))]


class Shown:
    """Where the pixels of a scene are on the screen while all of it is shown.

    They are squares of whole screen pixels, and the scene is in the middle.
    """

    def __init__(self, browser, rows, cols):
        self.browser = browser
        width, height = browser.run(
            "const map = document.getElementById('map'); return [map.width, map.height];"
        )
        self.zoom = min(width // cols, height // rows)
        self.left = round((width - cols * self.zoom) / 2)
        self.top = round((height - rows * self.zoom) / 2)
        self.rows, self.cols = rows, cols

    def colors(self, *, within=None):
        """Return the colour of each pixel's square, (rows, cols, 3), where it has no mark.

        `within` counts screen pixels from the square's corner.
        """
        screen = self.browser.pixels("#map")
        within = self.zoom // 4 if within is None else within
        rows = self.top + np.arange(self.rows) * self.zoom + within
        cols = self.left + np.arange(self.cols) * self.zoom + within
        return screen[np.ix_(rows, cols)]

    def point(self, row, col, *, click=False):
        """Put the pointer on a pixel."""
        from selenium.webdriver import ActionChains

        canvas = self.browser.driver.find_element("id", "map")
        width, height = self.browser.run(
            "const map = document.getElementById('map'); return [map.width, map.height];"
        )
        right = self.left + (col + 0.5) * self.zoom - width / 2
        down = self.top + (row + 0.5) * self.zoom - height / 2
        actions = ActionChains(self.browser.driver).move_to_element_with_offset(
            canvas, round(right), round(down)
        )
        (actions.click() if click else actions).perform()
        self.browser.settle()


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    programs = shutil.which("chromium"), shutil.which("chromedriver")
    if not all(programs):
        pytest.skip("chromium and its driver are not installed (Debian: chromium chromium-driver)")
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    for option in OPTIONS:
        options.add_argument(option)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # Debian's wrapper says on standard error what it thinks of the machine.
    service = webdriver.ChromeService(executable_path=programs[1], log_output=os.devnull)
    driver = webdriver.Chrome(options=options, service=service)
    yield driver
    driver.quit()


@pytest.fixture
def browser(driver):
    browser = Browser(driver)
    browser.resize(1280, 720)
    return browser


# What a file could call a class to make a page do something.
EVIL = (
    '</script><script>window.hacked = 1</script><img src=x onerror="hacked=2"><a href="https://x">'
)


class Made:
    """A scene, a map of it and a split, all of them random, and the page about them."""

    def __init__(self, folder):
        rng = np.random.default_rng(11)
        rows, cols = 14, 22
        # Ascending in two detectors that overlap, and a gap.
        centres = np.array([450, 550, 650, 750, 850, 800, 900, 1000, 1400, 1500, 1600], float)
        self.cube = rng.integers(-50, 4000, (rows, cols, len(centres)), dtype=np.int16)
        self.ids = np.array([0, 2, 7, 40], dtype=np.int32)
        labels = rng.choice(self.ids, (rows, cols))
        self.scene = Scene(
            name=f"made {EVIL}",
            cube=self.cube,
            labels=labels,
            class_names={2: EVIL, 7: "Oak", 40: f"$x_1$ <b>bold</b> %{{y}} {EVIL}"},
            wavelengths=centres,
            metadata={"sensor": EVIL},
        )
        class_map = np.where(
            rng.random((rows, cols)) < 0.7, labels, rng.choice(self.ids[1:], labels.shape)
        )
        self.mapped = Mapped(
            class_map=np.where(class_map == 0, 7, class_map).astype(np.int32),
            confidence=rng.random((rows, cols)),
            names=self.scene.class_names,
            colors=self.scene.class_colors,
            patch_size=5,
        )
        self.test = (labels > 0) & (rng.random((rows, cols)) < 0.7)
        self.train = (labels > 0) & ~self.test
        counts = confusion_matrix(
            to_targets(labels[self.test], self.ids[1:]),
            to_targets(self.mapped.class_map[self.test], self.ids[1:]),
            classes=3,
        )
        names = [self.scene.class_names[each] for each in (2, 7, 40)]
        self.metrics = summarise(counts, ids=[2, 7, 40], names=names)
        self.history = [
            {"epoch": n, "loss": 2 / n, "train_accuracy": n / 9, "validation_accuracy": None}
            for n in range(1, 9)
        ]
        charts = {
            "confusion": {"counts": counts.tolist(), "ids": [2, 7, 40], "names": names},
            "history": self.history,
        }
        nothing = np.zeros_like(self.test)
        explorer = render_explorer(
            explore(self.scene, self.mapped, sets=(self.train, nothing, self.test), charts=charts)
        )
        png = figure_png(confusion_figure(counts, names=names))
        self.page = folder / "report.html"
        self.page.write_text(
            render_report(
                title=f"Title {EVIL}",
                summary=[("Scene", EVIL)],
                metrics=self.metrics,
                figures=[PageFigure(EVIL, png, "confusion"), PageFigure("Curve", png, "history")],
                notes=[EVIL],
                command=EVIL,
                versions={"hsi": EVIL},
                recipe=[("Optimizer", EVIL)],
                explorer=explorer,
            ),
            encoding="utf-8",
        )


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    return Made(tmp_path_factory.mktemp("page"))


@pytest.fixture
def opened(browser, made):
    """The browser with the page of `made`, where the explorer is in sight."""
    browser.open(made.page)
    browser.run("document.getElementById('explorer').scrollIntoView()")
    browser.settle()
    return browser


@pytest.fixture
def on_screen(browser):
    """Return a function that says where the pixels of an opened scene are."""
    return lambda scene: Shown(browser, scene.rows, scene.cols)


@pytest.fixture
def shown(opened, on_screen, made):
    return on_screen(made.scene)
