"""What the trials of workers share: a master, stock workers, a relay and a receiver."""

import asyncio
import http.server
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".build/python/bin/python"
PROGRAM = pathlib.Path(os.environ.get("BUILDMASTER", ROOT / ".build/debug/buildmaster"))
RETRY, EXCEPTION, SUCCESS = 5, 4, 0


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def wait(what, is_met, limit=60, interval=0.05):
    """Waits until a condition is met."""
    end = time.monotonic() + limit
    while not is_met():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {limit} s for {what}")
        time.sleep(interval)


def folder():
    """A folder that unprivileged workers can get into."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="buildmaster-trial-"))
    path.chmod(0o755)
    return path


class Master:
    """A master process, which can be killed and started again."""

    def __init__(self, place, text, prefix=()):
        self.place = place
        self.prefix = list(prefix)
        self.process = None
        (place / "master.yaml").write_text(text)
        self.database = place / ".buildmaster/buildmaster.sqlite"
        self.log = place / "master.log"

    def start(self, *arguments):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, PROGRAM, "start", "--jobs", "64", *arguments],
                cwd=self.place, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, limit=120):
        self.process.terminate()
        return self.process.wait(limit)

    def says(self, text):
        """How often its log has a text; an error if it has ended."""
        log = self.log.read_text()
        assert self.process.poll() is None, f"the master has exited: {log[-2000:]}"
        return log.count(text)

    def command(self, *arguments, limit=60):
        return subprocess.run(
            [*self.prefix, PROGRAM, *arguments], cwd=self.place, capture_output=True, text=True,
            timeout=limit)

    def rows(self, query, *values):
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10) as database:
            return database.execute(query, values).fetchall()

    def memory(self, key="VmRSS"):
        """The size of the process in MB: resident, or at most so far (VmHWM)."""
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith(key + ":"):
                return int(line.split()[1]) / 1024

    def cpu(self):
        """The seconds of CPU time so far."""
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def connected(self):
        """The names of the connected workers."""
        answer = self.command("worker", "list")
        return {
            line.split()[0] for line in answer.stdout.splitlines()
            if line and "not connected" not in line}


class StockWorker:
    """A buildbot-worker process, never with the rights of root: it removes what it is told."""

    def __init__(self, place, name, port, password="p", host="127.0.0.1", prefix=()):
        self.basedir = place / name
        self.prefix = list(prefix)
        self.process = None
        (self.basedir / "info").mkdir(parents=True)
        for file in ["admin", "host"]:
            (self.basedir / "info" / file).write_text("trial\n")
        (self.basedir / "buildbot.tac").write_text(
            "from twisted.application import service\n"
            "from buildbot_worker.bot import Worker\n"
            "application = service.Application('buildbot-worker')\n"
            f"Worker('{host}', {port}, '{name}', '{password}', '{self.basedir}', 600, umask=None,\n"
            "    protocol='msgpack_experimental_v7').setServiceParent(application)\n")
        if os.geteuid() == 0:
            os.chown(self.basedir, 65534, 65534)
            os.chown(self.basedir / "info", 65534, 65534)

    def start(self):
        rights = []
        if os.geteuid() == 0:
            # It may read Python, wherever that is, but write nowhere else.
            rights = [
                "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                "--inh-caps", "-all,+dac_read_search", "--ambient-caps", "-all,+dac_read_search"]
        with open(self.basedir.with_suffix(".log"), "ab") as log:
            self.process = subprocess.Popen(
                [
                    *self.prefix, *rights, PYTHON, "-c",
                    "import sys; from twisted.scripts.twistd import run; sys.exit(run())",
                    "--nodaemon", "--no_save", "--pidfile=", "--logfile=-",
                    f"--python={self.basedir}/buildbot.tac", f"--rundir={self.basedir}"],
                cwd=self.basedir, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={"PATH": os.environ["PATH"], "HOME": str(self.basedir), "LANG": "C.UTF-8"})

    def kill(self):
        """Kills the process; its commands go on, as they do when a stock worker is killed."""
        self.process.kill()
        self.process.wait()


class Relay:
    """Passes connections on, and delays, slows, freezes or drops them."""

    def __init__(self, port, delay=0.0, rate=None, host="127.0.0.1", target="127.0.0.1"):
        self.target = (target, port)
        self.delay = delay
        self.rate = rate
        self.is_frozen = False
        self.pairs = set()
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()

        async def listen():
            server = await asyncio.start_server(self.serve, host, 0)
            self.port = server.sockets[0].getsockname()[1]
            ready.set()

        def run():
            self.loop.run_until_complete(listen())
            self.loop.run_forever()

        threading.Thread(target=run, daemon=True).start()
        ready.wait()

    async def serve(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.target)
        except OSError:
            writer.transport.abort()
            return
        pair = (writer, far_writer)
        self.pairs.add(pair)
        await asyncio.gather(self.pass_on(reader, far_writer), self.pass_on(far_reader, writer))
        self.pairs.discard(pair)

    async def pass_on(self, reader, writer):
        pieces = asyncio.Queue(64)

        async def send():
            while True:
                at, piece = await pieces.get()
                await asyncio.sleep(max(0, at - time.monotonic()))
                while self.is_frozen:
                    await asyncio.sleep(0.05)
                if not piece:
                    break
                if self.rate:
                    await asyncio.sleep(len(piece) / self.rate)
                writer.write(piece)
                await writer.drain()

        sending = asyncio.ensure_future(send())
        try:
            while not sending.done():
                piece = await reader.read(16 << 10)
                await pieces.put((time.monotonic() + self.delay, piece))
                if not piece:
                    break
            await sending
        except OSError:
            sending.cancel()
        writer.close()

    def cut(self):
        """Resets all connections."""
        def abort():
            for pair in list(self.pairs):
                for writer in pair:
                    writer.transport.abort()
        self.loop.call_soon_threadsafe(abort)


class Receiver:
    """Takes reports, and answers some of them with an error."""

    def __init__(self, error_rate=0.0):
        self.arrivals = []
        self.error_rate = error_rate
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                is_taken = random.random() >= receiver.error_rate
                receiver.arrivals.append(
                    (json.loads(body), self.headers["webhook-id"], is_taken))
                self.send_response(200 if is_taken else 500)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # A master that was killed.
        self.server.handle_error = lambda *arguments: None
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def faults(self, builds):
        """What is wrong with the reports, if `builds` are all that were started."""
        faults = []
        by_build = {}
        for report, name, is_taken in self.arrivals:
            key = f"{report['builder']['name']} #{report['number']}"
            by_build.setdefault(key, []).append((report["complete"], name, is_taken))
        for key in sorted(set(by_build) - set(builds)):
            faults.append(f"{key} was never started")
        for key in builds:
            arrivals = by_build.get(key, [])
            for is_end, word in [(False, "start"), (True, "end")]:
                mine = [arrival for arrival in arrivals if arrival[0] == is_end]
                if not any(arrival[2] for arrival in mine):
                    faults.append(f"{key}: its {word} has not arrived")
                if len({arrival[1] for arrival in mine}) > 1:
                    faults.append(f"{key}: its {word} was reported twice")
            ends = [arrival[0] for arrival in arrivals]
            if ends != sorted(ends):
                faults.append(f"{key}: a start came after the end")
        return faults


def finish(faults, place):
    """Prints what is wrong, and exits."""
    for fault in faults[:50]:
        print(f"FAULT {fault}")
    if faults:
        print(f"{len(faults)} faults; what is left is in {place}")
        sys.exit(1)
    shutil.rmtree(place)
    print("no faults")
