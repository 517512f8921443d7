"""Drives Chromium over its debugging pipe, and tells what is wrong with the pages of a master.

usage: browser.py stock|dashboard URL AXE [PICTURES]

URL is where Buildbot's own page is; the dashboard is below it. AXE is the file axe.min.js. With
PICTURES, a folder, every page is saved there. The master has built builder 1 once, of change 1, and
builds builder 2; a request for builder 2 waits.
"""

import base64
import json
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

PATIENCE = 60


class Browser:
    """A browser without a window."""

    def __init__(self, folder):
        program = shutil.which("chromium") or shutil.which("google-chrome")
        to_browser, self.output = os.pipe()
        self.input, from_browser = os.pipe()

        def prepare():
            # The browser reads commands from 3 and writes to 4.
            one, other = os.dup(to_browser), os.dup(from_browser)
            os.dup2(one, 3)
            os.dup2(other, 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking",
             "--disable-component-update", "--hide-scrollbars", "--remote-debugging-pipe",
             f"--user-data-dir={folder}"],
            preexec_fn=prepare, close_fds=False, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env={**os.environ, "HOME": folder})
        os.close(to_browser)
        os.close(from_browser)
        self.rest, self.count, self.answers, self.heard = b"", 0, {}, lambda message: None

    def close(self):
        self.process.kill()
        self.process.wait()

    def read(self, until):
        if not select.select([self.input], [], [], max(0, until - time.monotonic()))[0]:
            raise TimeoutError("the browser does not answer")
        part = os.read(self.input, 1 << 20)
        if not part:
            raise EOFError("the browser has ended")
        *messages, self.rest = (self.rest + part).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self.answers[message["id"]] = message
            else:
                self.heard(message)

    def call(self, method, session=None, **parameters):
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.output, data):]
        until, own = time.monotonic() + PATIENCE, self.count
        while own not in self.answers:
            self.read(until)
        answer = self.answers.pop(own)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]


class Page:
    """The page of a browser, with what has gone wrong on it."""

    def __init__(self, browser):
        self.browser, self.errors, self.loaded = browser, [], False
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call(
            "Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        browser.heard = self.hear
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.call(f"{domain}.enable")

    def hear(self, message):
        method, parameters = message["method"], message.get("params", {})
        if method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.errors.append(
                details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and parameters["type"] == "error":
            self.errors.append(
                " ".join(str(one.get("value", one.get("description"))) for one in parameters["args"]))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            entry = parameters["entry"]
            self.errors.append(f"{entry['text']} {entry.get('url', '')}")

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def open(self, address):
        if "#" in address:
            # Otherwise the same document is kept.
            self.open("about:blank")
        self.loaded = False
        self.call("Page.navigate", url=address)
        until = time.monotonic() + PATIENCE
        while not self.loaded:
            self.browser.read(until)

    def evaluate(self, text):
        answer = self.call(
            "Runtime.evaluate", expression=text, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{text[:80]}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait_for(self, condition, limit=20):
        """Waits until a condition holds; tells whether it does."""
        until = time.monotonic() + limit
        while time.monotonic() < until:
            if self.evaluate(condition):
                return True
            time.sleep(0.03)
        return False

    def press(self, key, code):
        for kind in ["rawKeyDown", "keyUp"]:
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def size(self, width):
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
            mobile=width < 500)

    def scheme(self, name):
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": name}])

    def picture(self, name):
        if PICTURES:
            data = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
            with open(f"{PICTURES}/{name}.png", "wb") as file:
                file.write(base64.b64decode(data))


FAULTS = []


def check(is_right, text):
    if not is_right:
        FAULTS.append(text)


# Buildbot's own page


def own(errors):
    """The errors that the page does not also have with Buildbot's master.

    There, too, its page of a build throws one, and it asks for the properties of pending requests at
    a path that the API does not have.
    """
    return [
        one for one in errors
        if "Kt" not in one and not re.search(r"buildrequests/\d+/properties", one)]


def check_stock(page, base):
    """Every page shows its records, without an error in the console."""
    text = "document.body.innerText"
    for route, words in [
        ("", ["linux", "build"]), ("builders", ["linux", "slow"]),
        ("builders/1", ["Build", "force"]),
        ("builders/1/builds/1", ["compile", "test", "failure", "Debug", "Changes"]),
        ("builders/2/builds/1", ["talk"]),
        ("pendingbuildrequests", ["slow"]), ("workers", ["local"]),
        ("changes", ["Mend the parser"]), ("changes/1", ["Ann"]), ("about", ["Buildmaster"]),
        ("schedulers", ["force"]), ("masters", ["Masters"]),
    ]:
        page.errors.clear()
        page.open(f"{base}#/{route}")
        for word in words:
            is_there = page.wait_for(f"{text}.toLowerCase().includes({json.dumps(word.lower())})")
            check(is_there, f"stock /{route}: no '{word}': {page.evaluate(text)[:300]!r}")
        page.picture(f"stock-{route.replace('/', '-') or 'home'}")
        FAULTS.extend(f"stock /{route}: {error[:300]}" for error in own(page.errors))
    # The log of a running build, while it grows.
    page.errors.clear()
    page.open(f"{base}#/builders/2/builds/1/steps/1/logs/stdio")
    check(page.wait_for(f"/line \\d+ of the live log/.test({text})"), "stock: no live log")
    # The dialog that forces a build.
    page.open(f"{base}#/builders/1/force/force")
    is_there = page.wait_for(f"document.querySelector('.modal, [role=dialog]') !== null")
    check(is_there, f"stock: no dialog to force builds: {page.evaluate(text)[:300]!r}")
    if is_there:
        check(page.wait_for(f"{text}.includes('Count')"), "stock: the dialog has no parameters")
        page.picture("stock-force")
    FAULTS.extend(f"stock: {error[:300]}" for error in own(page.errors))


# The dashboard

CONTROLS = """
    [...document.querySelectorAll('a[href],button,input,select,textarea,summary,[tabindex="0"]')]
        .filter((one) => one.type !== 'hidden' && one.offsetParent !== null)
"""


def check_keyboard(page, name):
    """The tabulator key reaches every control, which then shows it."""
    page.evaluate(f"window.left = new Set({CONTROLS}); document.activeElement.blur()")
    count = page.evaluate("window.left.size")
    for _ in range(count + 2):
        page.press("Tab", 9)
        fault = page.evaluate("""
            (() => {
              const one = document.activeElement;
              window.left.delete(one);
              if (one === document.body) return null;
              const style = getComputedStyle(one), box = one.getBoundingClientRect();
              const isVisible = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0
                && box.right > 0 && box.width > 0;
              return isVisible ? null : one.outerHTML.slice(0, 150);
            })()""")
        check(fault is None, f"{name}: the focus cannot be seen: {fault}")
    left = page.evaluate("[...window.left].map((one) => one.outerHTML.slice(0, 150))")
    check(not left, f"{name}: not reached by keyboard: {left}")


def check_axe(page, name, axe):
    page.evaluate(axe + "; 0")
    found = page.evaluate("""
        axe.run(document, {resultTypes: ['violations']}).then(({violations}) => violations
          .filter(({impact}) => impact === 'serious' || impact === 'critical')
          .map(({id, nodes}) => id + ': ' + nodes.slice(0, 3).map(({html}) => html).join(' ')))""")
    FAULTS.extend(f"{name}: {one[:400]}" for one in found)


def check_width(page, name):
    wide = page.evaluate("""
        document.documentElement.scrollWidth <= document.documentElement.clientWidth ? null :
          [...document.querySelectorAll('body *')]
            .filter((one) => one.getBoundingClientRect().right > innerWidth + 1
              && !one.closest('.table, pre')).map((one) => one.outerHTML.slice(0, 100)).slice(0, 3)
        """)
    check(wide is None, f"{name}: wider than the window: {wide}")


def check_live(page, base, log):
    """A log of 10,000 lines is followed to its end without a gap."""
    page.open(f"{base}logs/{log}")
    last = "document.querySelector('pre.log').lastElementChild"
    # The last line is there soon, however far the log was when the page was opened.
    check(
        page.wait_for(f"{last}?.textContent.includes('line 9999 of')", 60),
        f"the log was not followed: {page.evaluate(f'{last}?.textContent')}")
    numbers = page.evaluate(
        "[...document.querySelectorAll('pre.log > span')].map((one) =>"
        " Number(/line (\\d+) of/.exec(one.textContent)?.[1])).filter((one) => one >= 0)")
    check(numbers == list(range(numbers[0], 10000)) if numbers else False, "the log has gaps")
    check(
        page.evaluate(
            "(({scrollTop, scrollHeight, clientHeight}) =>"
            " scrollHeight - scrollTop - clientHeight < 60)(document.querySelector('pre.log'))"),
        "the log is not at its end")
    page.picture("live-log")
    # What the script has added is what the master writes into the page.
    ours, theirs = page.evaluate("""
        fetch(location.href).then((answer) => answer.text()).then((text) => {
          const lines = (root) => [...root.querySelectorAll('pre.log > span')].slice(-100)
            .map((one) => one.outerHTML);
          return [lines(document), lines(new DOMParser().parseFromString(text, 'text/html'))];
        })""")
    check(len(ours) == 100 and "back1" in "".join(ours), f"the log has no colours: {ours[:1]}")
    check(ours == theirs, f"the page of the log differs: {ours[-2:]} {theirs[-2:]}")
    check_far_behind(page, base, log)


def check_far_behind(page, base, log):
    """A page that is far behind goes on with the last lines, and does not fetch all others."""
    script = page.call(
        "Page.addScriptToEvaluateOnNewDocument", source="""
        document.addEventListener('readystatechange', () => {
          const view = document.querySelector('pre[data-log]');
          if (view && view.dataset.keep !== '100') Object.assign(view.dataset, {next: 0, keep: 100});
        })""")["identifier"]
    page.open(f"{base}logs/{log}")
    page.call("Page.removeScriptToEvaluateOnNewDocument", identifier=script)
    view = "document.querySelector('pre.log')"
    is_at_end = f"{view}.lastElementChild?.textContent.includes('line 9999 of')"
    asked = "performance.getEntriesByType('resource').filter((one) => one.name.includes('contents?'))"
    check(page.wait_for(f"{asked}.length > 1 && {is_at_end}"), "a page far behind stays there")
    check(page.evaluate(f"{asked}.length") < 6, "a page far behind fetches all lines")
    check(page.evaluate(f"{view}.childElementCount") == 100, "not the last 100 lines are shown")


def check_excerpt(page, base):
    """The end of the log of a failed step is in view, although there is not room for all lines."""
    page.size(380)
    page.open(f"{base}builders/1/builds/1")
    is_in_view = page.evaluate("""
        (() => {
          const box = document.querySelector('.excerpt');
          const [view, last] = [box, box.querySelector(':scope > span > :last-child')]
            .map((one) => one.getBoundingClientRect());
          return box.scrollHeight > box.clientHeight && last.bottom <= view.bottom;
        })()""")
    check(is_in_view, "the last line of a failed step is not in view")


def check_dashboard(page, base, axe):
    api = f"{base}../api/v2/"
    log = page_log(page, base, api)
    pages = [
        ("home", "", "linux"), ("builder", "builders/1", "#1"),
        ("build", "builders/1/builds/1", "compile"), ("running", "builders/2/builds/1", "talk"),
        ("log", "logs/2", "test 299 passed"),
        ("colours", "logs/1", "behind"), ("found", "logs/2?q=77", "test 77"),
        ("requests", "requests", "slow"), ("workers", "workers", "local"),
        ("changes", "changes", "Mend the parser"), ("change", "changes/1", "src/parser.c"),
        ("schedulers", "schedulers", "force"), ("deliveries", "deliveries", "Deliveries"),
        ("force", "force/force?builder=1", "Count"), ("missing", "builders/99", "no such page"),
    ]
    page.errors.clear()
    check_live(page, base, log)
    for name, path, words in pages:
        page.size(800)
        page.scheme("light")
        page.open(base + path)
        check(
            page.wait_for(f"document.body.innerText.includes({json.dumps(words)})"),
            f"{name}: no '{words}'")
        check_axe(page, f"{name} light", axe)
        check_keyboard(page, name)
        for width in [380, 800, 1440]:
            page.size(width)
            check_width(page, f"{name} at {width}")
            if PICTURES:
                for scheme in ["light", "dark"]:
                    page.scheme(scheme)
                    page.picture(f"{name}-{width}-{scheme}")
        page.size(380)
        page.scheme("dark")
        check_axe(page, f"{name} dark", axe)
    check_excerpt(page, base)
    check_places(page, base)
    check_connection(page, base, log)
    FAULTS.extend(
        f"dashboard: {error[:300]}" for error in page.errors if "builders/99" not in error)
    # Without scripts, everything can be read.
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    page.size(800)
    for name, path, words in pages:
        page.open(base + path)
        text = page.call("DOM.getOuterHTML", nodeId=page.call("DOM.getDocument")["root"]["nodeId"])
        check(words in text["outerHTML"], f"{name} without scripts: no '{words}'")
    page.picture("without-scripts")
    page.call("Emulation.setScriptExecutionDisabled", value=False)


def check_connection(page, base, log):
    """What runs is counted on; a connection that has died is noticed, and made again."""
    page.open(f"{base}builders/2/builds/1")
    before = page.evaluate("document.querySelector('[data-seconds]').textContent")
    check(
        page.wait_for(
            f"document.querySelector('[data-seconds]').textContent !== {json.dumps(before)}", 5),
        "the duration of a running build stands still")
    # What has changed between the answer of the server and the connection is seen, too.
    script = page.call("Page.addScriptToEvaluateOnNewDocument", source="""
        addEventListener('DOMContentLoaded', () => {
          const table = document.getElementById('builders');
          if (table) table.textContent = 'as it was before';
        });""")["identifier"]
    page.open(base)
    check(
        page.wait_for("document.getElementById('builders').innerText.includes('linux')", 5),
        "the page stays as it was before the connection")
    page.call("Page.removeScriptToEvaluateOnNewDocument", identifier=script)
    # Time flies, and the first connection tells nothing, not even that it has been closed.
    script = page.call("Page.addScriptToEvaluateOnNewDocument", source="""
        const tick = setInterval, Socket = WebSocket;
        window.setInterval = (work, time) => tick(work, time / 100);
        window.sockets = [];
        window.WebSocket = class extends Socket {
          constructor(address) {
            super(address);
            sockets.push(this);
            if (sockets.length === 1) {
              for (const name of ['onmessage', 'onclose']) {
                Object.defineProperty(this, name, {set() {}});
              }
            }
          }
        };""")["identifier"]
    page.open(base)
    check(page.wait_for("sockets.length === 2"), "a connection that has died is not noticed")
    check(
        page.wait_for("document.getElementById('live').textContent === 'Live'"),
        "no connection is made after one that has died")
    page.call("Page.removeScriptToEvaluateOnNewDocument", identifier=script)
    # A server that takes no WebSockets says why.
    script = page.call("Page.addScriptToEvaluateOnNewDocument", source="""
        const later = setTimeout;
        window.setTimeout = (work, time) => later(work, time / 10);
        window.WebSocket = class {
          constructor() { later(() => this.onclose()); }
          close() {}
        };""")["identifier"]
    page.open(base)
    check(
        page.wait_for("document.getElementById('live').textContent.includes(\"'Upgrade'\")"),
        "it is not said why the page is not live")
    page.call("Page.removeScriptToEvaluateOnNewDocument", identifier=script)
    # Somebody whose login has ended is not told that the page is live.
    script = page.call("Page.addScriptToEvaluateOnNewDocument", source="""
        window.fetch = async () => new Response("", {status: 403});""")["identifier"]
    page.open(f"{base}logs/{log}")
    check(
        page.wait_for("document.getElementById('live').textContent.startsWith('Not live any')"),
        "a page that is refused what is new looks live")
    page.call("Page.removeScriptToEvaluateOnNewDocument", identifier=script)
    page.errors[:] = [one for one in page.errors if "426" not in one]


def check_places(page, base):
    """The addresses in reports lead to the pages that they mean."""
    places = [
        ("builders/1/builds/1", "builders/1/builds/1"), ("buildrequests/1", "builders/1/builds/1"),
        ("builders/1/builds/1/steps/2", "builders/1/builds/1"), ("changes/1", "changes/1"),
        ("builders/1/builds/1/steps/2/logs/stdio", "logs/2"), ("builders", ""),
    ]
    for place, path in places:
        page.open("about:blank")
        page.open(f"{base}#/{place}")
        check(
            page.wait_for(f"location.href === {json.dumps(base + path)}"),
            f"#/{place} leads to {page.evaluate('location.href')}")
    # It may be asked for while the page is there, and must stay on this server.
    page.evaluate("location.hash = '#/builders/1'")
    check(page.wait_for(f"location.href === {json.dumps(base + 'builders/1')}"), "no hashchange")
    page.evaluate("location.hash = '#//example.org/'")
    check(page.evaluate("location.host") in base, "another server")


def page_log(page, base, api):
    """The id of the log of the build that is running."""
    page.open(base)
    return page.evaluate(
        f"""fetch('{api}builders/2/builds/1/steps/1/logs').then((one) => one.json())
            .then((one) => one.logs[0].logid)""")


def main():
    part, base, axe = sys.argv[1:4]
    folder = tempfile.mkdtemp()
    browser = Browser(folder)
    try:
        page = Page(browser)
        page.size(1280)
        if part == "stock":
            check_stock(page, base)
        else:
            with open(axe, encoding="utf-8") as file:
                check_dashboard(page, base + "dashboard/", file.read())
    finally:
        browser.close()
        shutil.rmtree(folder, ignore_errors=True)
    for fault in FAULTS[:40]:
        print(fault)
    print(f"{len(FAULTS)} faults")
    sys.exit(1 if FAULTS else 0)


PICTURES = sys.argv[4] if len(sys.argv) > 4 else ""
main()
