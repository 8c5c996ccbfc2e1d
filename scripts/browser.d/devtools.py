"""Drives the browser over --remote-debugging-pipe: JSON messages with a NUL between them, no websocket needed."""
import json
import os
import subprocess
import sys
import time

FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars --remote-debugging-pipe""".split()
# Of a call: a page of two megabytes is laid out, or looked at by axe, on a machine that has other things to do.
PATIENCE = 120


class Browser:
    """One browser with its own profile, until it is closed."""

    def __init__(self):
        to_read, self.to_write = os.pipe()
        self.from_read, from_write = os.pipe()
        # The browser reads from descriptor 3 and writes to 4; both are moved out of the way first, or one dup2 might
        # close the other's source.
        high = [os.dup2(to_read, 103), os.dup2(from_write, 104)]

        def descriptors():
            os.dup2(103, 3)
            os.dup2(104, 4)

        self.process = subprocess.Popen(
            [os.environ["BROWSER"], *FLAGS, "--user-data-dir=" + os.environ["PROFILE"]],
            preexec_fn=descriptors, pass_fds=(3, 4, 103, 104), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for descriptor in (to_read, from_write, *high):
            os.close(descriptor)
        os.set_blocking(self.from_read, False)
        self.number, self.pending, self.events = 0, b"", []

    def _receive(self, deadline):
        """The next message, or None at the deadline."""
        while b"\0" not in self.pending:
            try:
                chunk = os.read(self.from_read, 1 << 20)
                if not chunk:
                    sys.exit("browser: the browser went away")
                self.pending += chunk
            except BlockingIOError:
                if time.monotonic() > deadline:
                    return None
                time.sleep(0.005)
        message, _, self.pending = self.pending.partition(b"\0")
        return json.loads(message)

    def _send(self, method, session, params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to_write, data):]
        return self.number

    def _keep(self, event):
        self.events.append(event)
        # An open dialog stops the page for ever.
        if event.get("method") == "Page.javascriptDialogOpening":
            self._send("Page.handleJavaScriptDialog", event.get("sessionId"), {"accept": True})

    def call(self, method, session=None, **params):
        """Sends a command and returns its result; events that come meanwhile are kept."""
        number = self._send(method, session, params)
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self._receive(deadline)
            if answer is None:
                sys.exit(f"browser: no answer to {method} within {PATIENCE} s")
            if answer.get("id") == number:
                if "error" in answer:
                    sys.exit(f"browser: {method}: {answer['error']['message']}")
                return answer["result"]
            self._keep(answer)

    def wait_for(self, event):
        """Until an event of this name has come."""
        deadline = time.monotonic() + PATIENCE
        while not any(message.get("method") == event for message in self.events):
            message = self._receive(deadline)
            if message is None:
                sys.exit(f"browser: no {event} within {PATIENCE} s")
            self._keep(message)

    def close(self):
        """Ends the browser, whatever it is doing."""
        try:
            self.call("Browser.close")
            self.process.wait(timeout=10)
        except (SystemExit, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()


class Tab:
    """A page in a tab of its own. What the debugger evaluates is not bound by the page's policy, nor by scripts being off."""

    def __init__(self, browser, url, width, scheme, scripts=True, policy=True):
        self.browser = browser
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(domain + ".enable")
        phone = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900,
                  deviceScaleFactor=2 if phone else 1, mobile=phone)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        if not scripts:
            self.call("Emulation.setScriptExecutionDisabled", value=True)
        if not policy:
            self.call("Page.setBypassCSP", enabled=True)
        browser.events.clear()
        self.call("Page.navigate", url=url)
        browser.wait_for("Page.loadEventFired")
        self.world = None

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def evaluate(self, expression, isolated=False, promise=False):
        """The value of the expression: in the page's own world, or in one of the debugger's that shares the document only."""
        where = {}
        if isolated:
            if self.world is None:
                frame = self.call("Page.getFrameTree")["frameTree"]["frame"]["id"]
                self.world = self.call("Page.createIsolatedWorld", frameId=frame)["executionContextId"]
            where["contextId"] = self.world
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=promise, **where)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            sys.exit("browser: " + details.get("exception", {}).get("description", details.get("text", "evaluation failed")))
        return answer["result"].get("value")

    def allow_scripts(self):
        """Timers run again. What was loaded without scripts stays as it is: scripts that were passed over do not run later."""
        self.call("Emulation.setScriptExecutionDisabled", value=False)

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)
