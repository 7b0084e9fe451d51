#!/usr/bin/env python
"""Takes pictures of the demonstration case in a Timesketch server, with Chromium."""

import argparse
import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

from PIL import Image

from selenium import webdriver
from selenium.webdriver.chrome import service
from selenium.webdriver.common import by
from selenium.webdriver.support import wait

PROJECT_PATH = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))

sys.path.insert(0, PROJECT_PATH)

# pylint: disable=wrong-import-position
from demonstration import image

# What the intruder did, in atop's log, auth.log, wtmp and the history of his shell.
TIMELINE_QUERY = (
    "datetime:[2026-09-17T02:00:00 TO 2026-09-17T04:00:00]"
    ' AND NOT timestamp_desc:"Exit Time"'
    " AND (tag:(server_shell OR reverse_shell OR pty_spawn OR privilege_escalation"
    " OR useradd OR kernel_thread_masquerading OR log_removal)"
    ' OR data_type:("linux:utmp:event" OR "bash:history:entry")'
    ' OR (data_type:"syslog:line" AND message:("Accepted publickey" OR COMMAND)))'
)
TREE_NAME = "AtopTaggedProcessTree"

# Width and height of a page, and the pixels of a picture per pixel of the page. The
# letters of the tree are small.
TIMELINE_SIZE = (1440, 1600, 1.5)
TREE_SIZE = (1440, 1500, 2)

# Of a picture, which has few but shades of grey.
NUMBER_OF_COLORS = 64

TIMEOUT_SECONDS = 120

# How long the page takes to move and to draw what it has.
DRAW_SECONDS = 3

# The first four keep it from what needs a screen or another host.
BROWSER_ARGUMENTS = (
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--hide-scrollbars",
    "--no-first-run",
)


class Timesketch:
    """Browser with the page of a Timesketch server."""

    def __init__(self, driver, url):
        """Initializes a browser.

        Args:
          driver (selenium.webdriver.Chrome): driver of the browser.
          url (str): URL of the sketch.
        """
        super().__init__()
        self._driver = driver
        self._scale = 1
        self._url = url
        self._wait = wait.WebDriverWait(driver, TIMEOUT_SECONDS)

    def _Click(self, xpath):
        """Clicks on what can be seen.

        Args:
          xpath (str): XPath expression of the element.
        """

        def _GetVisible(driver):
            elements = driver.find_elements(by.By.XPATH, xpath)
            return next((item for item in elements if item.is_displayed()), None)

        self._wait.until(_GetVisible).click()
        time.sleep(DRAW_SECONDS)

    def _ClickIcon(self, name):
        """Clicks on the button with an icon.

        Args:
          name (str): name of the icon.
        """
        self._Click(f'//button[.//i[contains(@class, "mdi-{name:s} ")]]')

    def _Open(self, page, size, **parameters):
        """Opens a page of the sketch.

        Args:
          page (str): name of the page.
          size (tuple[int, int, float]): width and height of the page, and pixels of a
              picture per pixel of the page.
          parameters (dict[str, str]): parameters of the page.
        """
        width, height, self._scale = size
        self._driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {
                "deviceScaleFactor": self._scale,
                "height": height,
                "mobile": False,
                "width": width,
            },
        )
        query = urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote)
        self._driver.get(f"{self._url:s}/{page:s}?{query:s}")

    def LogIn(self, username, password):
        """Logs in.

        Args:
          username (str): name of the user.
          password (str): password.
        """
        self._driver.get(self._url)
        for name, text in (("username", username), ("password", password)):
            element = self._wait.until(
                lambda driver, name=name: driver.find_element(by.By.NAME, name)
            )
            element.send_keys(text)
        element.submit()
        self._wait.until(lambda driver: "/login" not in driver.current_url)

    def SavePicture(self, path, bottom):
        """Saves a picture of the page.

        Args:
          path (str): path of the picture.
          bottom (int): where the picture ends in pixels of the page.
        """
        with Image.open(io.BytesIO(self._driver.get_screenshot_as_png())) as picture:
            height = min(picture.height, round(bottom * self._scale))
            picture = picture.convert("RGB").crop((0, 0, picture.width, height))
            picture.quantize(NUMBER_OF_COLORS).save(path, optimize=True)

    def TakeTimeline(self, path):
        """Takes a picture of the timeline.

        Args:
          path (str): path of the picture.
        """
        self._Open("explore", TIMELINE_SIZE, q=TIMELINE_QUERY)
        row_selector = ".v-data-table tbody tr td:nth-child(4)"
        self._wait.until(
            lambda driver: driver.find_elements(by.By.CSS_SELECTOR, row_selector)
        )
        self._ClickIcon("dots-horizontal")
        self._Click(
            '//div[contains(concat(@class, " "), "v-list-item ")]'
            '[contains(., "Compact")]//input[@type="radio"]/..'
        )
        # Closes the menu.
        self._Click("//header")

        rows = self._driver.find_elements(by.By.CSS_SELECTOR, row_selector)
        bottom = rows[-1].location["y"] + rows[-1].size["height"]
        self.SavePicture(path, bottom + 12)

    def TakeTree(self, path):
        """Takes a picture of the process tree.

        Args:
          path (str): path of the picture.
        """
        self._Open("graph", TREE_SIZE, plugin=TREE_NAME)
        self._Click('//div[contains(., "nodes and") and not(contains(., "0 nodes"))]')
        self._ClickIcon("cog-outline")
        # The layout of a tree.
        self._Click('//div[contains(@class, "v-radio")][.//label[.="dagre"]]')
        self._ClickIcon("fit-to-page-outline")
        canvas = self._driver.find_element(by.By.TAG_NAME, "canvas")
        self.SavePicture(path, canvas.location["y"] + canvas.size["height"] + 12)


@contextlib.contextmanager
def OpenBrowser(directory):
    """Starts a browser.

    Args:
      directory (str): path of the directory for what the browser stores.

    Yields:
      selenium.webdriver.Chrome: driver of the browser.

    Raises:
      FileNotFoundError: if Chromium or its driver is missing.
    """
    options = webdriver.ChromeOptions()
    options.binary_location = FindProgram("chromium")
    for argument in BROWSER_ARGUMENTS:
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={directory:s}")
    # Chromium has no sandbox for root.
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")

    driver = webdriver.Chrome(
        options=options, service=service.Service(FindProgram("chromedriver"))
    )
    try:
        yield driver
    finally:
        driver.quit()


def FindProgram(name):
    """Finds a program.

    Args:
      name (str): name of the program.

    Returns:
      str: path of the program.

    Raises:
      FileNotFoundError: if there is none.
    """
    path = shutil.which(name)
    if not path:
        raise FileNotFoundError(
            f"no {name:s}. On Debian: apt install chromium chromium-driver"
        )
    return path


def MakeTimeline(directory):
    """Makes the timeline of the case, with tags.

    Args:
      directory (str): path of the directory for the files.

    Returns:
      str: path of the storage file.
    """
    image_path = os.path.join(directory, "shop.raw")
    image.WriteImage(image_path)
    path = os.path.join(directory, "shop.plaso")
    for arguments in (
        ("log2timeline", "--storage-file", path, image_path),
        (
            *("psort", "-o", "null", "--analysis", "tagging"),
            *("--tagging-file", "tag_linux.txt", path),
        ),
    ):
        subprocess.run(
            [
                *(sys.executable, "-m", f"plaso.scripts.{arguments[0]:s}"),
                *("--quiet", "--unattended", "--status-view", "none"),
                *arguments[1:],
            ],
            check=True,
            cwd=directory,
            stdout=subprocess.DEVNULL,
        )
    return path


@contextlib.contextmanager
def Serve(path):
    """Serves a timeline with Timesketch.

    Args:
      path (str): path of the storage file.

    Yields:
      dict[str, str]: "URL", "User" and "Password".

    Raises:
      RuntimeError: if the server did not start.
    """
    script_path = os.path.join(PROJECT_PATH, "scripts", "timesketch.sh")
    with subprocess.Popen(
        [script_path, "--serve", path], encoding="utf-8", stdout=subprocess.PIPE
    ) as process:
        try:
            values = {}
            for line in process.stdout:
                name, _, value = line.strip().partition(":")
                values[name] = value.strip()
                if name == "Password":
                    break
            else:
                raise RuntimeError("the Timesketch server did not start")
            yield values
        finally:
            process.terminate()


def TakePictures(directory):
    """Takes the pictures.

    Args:
      directory (str): path of the directory the pictures are written to.

    Raises:
      FileNotFoundError: if a program is missing.
      RuntimeError: if the server did not start.
      subprocess.CalledProcessError: if a tool failed.
    """
    with contextlib.ExitStack() as exit_stack:
        work_directory = exit_stack.enter_context(tempfile.TemporaryDirectory())
        browser_path = os.path.join(work_directory, "browser")
        driver = exit_stack.enter_context(OpenBrowser(browser_path))
        values = exit_stack.enter_context(Serve(MakeTimeline(work_directory)))

        timesketch = Timesketch(driver, re.sub(r"/explore$", "", values["URL"]))
        timesketch.LogIn(values["User"], values["Password"])
        for name, method in (
            ("timeline.png", timesketch.TakeTimeline),
            ("process_tree.png", timesketch.TakeTree),
        ):
            path = os.path.join(directory, name)
            method(path)
            print(f"{path:s}: {os.path.getsize(path):d} bytes")


def Main():
    """Runs the program.

    Returns:
      int: exit code.
    """
    argument_parser = argparse.ArgumentParser(description=__doc__)
    argument_parser.add_argument("directory", help="directory the pictures go to")
    options = argument_parser.parse_args()
    try:
        os.makedirs(options.directory, exist_ok=True)
        TakePictures(options.directory)
    except (OSError, RuntimeError, subprocess.CalledProcessError) as exception:
        print(f"{exception!s}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(Main())
