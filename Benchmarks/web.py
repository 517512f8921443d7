#!/usr/bin/env python3
"""Measures a master with its web page: idle, and with many browsers while it builds.

Prints a table, and exits with 1 if a bar is missed (not with --correctness, which checks only that
every request is answered well and every browser hears of every build).
"""

import argparse
import asyncio
import json
import os
import pathlib
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request

TICK = os.sysconf("SC_CLK_TCK")
PORT_LINE = "listening on http://127.0.0.1:"


class Master:
    """A process of `buildmaster start`."""

    def __init__(self, program, folder, yaml):
        self.folder = pathlib.Path(folder)
        (self.folder / "master.yaml").write_text(yaml)
        self.program = program

    def __enter__(self):
        begin = time.monotonic()
        self.process = subprocess.Popen(
            [self.program, "start", "-c", "master.yaml", "-j", "8"], cwd=self.folder,
            stderr=subprocess.PIPE, text=True)
        self.port = 0
        for line in self.process.stderr:
            if PORT_LINE in line:
                self.port = int(line.split(PORT_LINE)[1].split("/")[0])
            if "ready:" in line:
                break
        self.start_time = time.monotonic() - begin
        if not self.port:
            raise RuntimeError("the master has not started")
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.process.stderr.close()

    def cpu(self):
        """The CPU time so far, in seconds."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1]
        user, system = fields.split()[11:13]
        return (int(user) + int(system)) / TICK

    def memory(self, key):
        """A figure of its memory, in MB."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(key):
                return int(line.split()[1]) / 1024
        return 0.0

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
            return json.load(answer)

    def force(self, builder):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "force",
                           "params": {"builderid": str(builder)}}).encode()
        with urllib.request.urlopen(urllib.request.Request(
                f"http://127.0.0.1:{self.port}/api/v2/forceschedulers/force", body,
                {"Content-Type": "application/json"}), timeout=60) as answer:
            return json.load(answer)


def idle(options):
    """A master with 100 builders, 10 schedulers and the page, which nobody uses."""
    builders = "".join(
        f"  - {{name: builder {n}, steps: [steps.ShellCommand: {{command: 'true'}}]}}\n"
        for n in range(100))
    schedulers = "".join(
        f"  - schedulers.Nightly: {{name: nightly {n}, hour: 3, builderNames: [builder {n}]}}\n"
        for n in range(10))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        yaml = f"www: 0\nbuilders:\n{builders}schedulers:\n{schedulers}"
        starts = []
        for round in range(1 if options.correctness else 5):
            with Master(options.program, folder, yaml) as master:
                starts.append(master.start_time)
                if round > 0:
                    continue
                time.sleep(1)
                before = master.cpu()
                time.sleep(options.idle)
                share = (master.cpu() - before) / options.idle * 100
                rows.append(("idle: CPU", share, "%", 0.1))
                rows.append(("idle: memory", master.memory("VmRSS"), "MB", 45))
        rows.append(("idle: start", sorted(starts)[len(starts) // 2] * 1000, "ms", 100))
    return rows


def load_yaml(options):
    # Like a compiler: a command that takes its time, and now and then prints a line.
    command = f"for i in 1 2 3 4 5; do echo line $i; sleep {options.pause}; done"
    steps = "".join(
        f"      - steps.ShellCommand: {{name: step {n}, command: '{command}'}}\n"
        for n in range(options.steps))
    builders = "".join(f"  - name: builder {n}\n    steps:\n{steps}" for n in range(options.builds))
    names = ", ".join(f"builder {n}" for n in range(options.builds))
    return (f"www: 0\nbuilders:\n{builders}"
            f"schedulers: [schedulers.ForceScheduler: {{name: force, builderNames: [{names}]}}]\n")


def fill(folder, count):
    """Adds copies of a build to a store."""
    path = next(pathlib.Path(folder).glob("**/buildmaster.sqlite"))
    database = sqlite3.connect(path)
    def columns(table, skipped):
        rows = database.execute(f"PRAGMA table_info({table})")
        return [row[1] for row in rows if row[1] not in skipped]
    base = 1000
    numbers = f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
        WHERE i < {count})"""
    with database:
        for table, changed in [
            ("buildset", {"id": f"{base} + i"}),
            ("build_request", {"id": f"{base} + i", "buildset_id": f"{base} + i"}),
            ("build", {"id": f"{base} + i", "request_id": f"{base} + i", "number": f"{base} + i",
                       "previous_build_id": "NULL"}),
            ("step", {"id": f"{base} + i", "build_id": f"{base} + i"}),
        ]:
            rest = columns(table, changed)
            database.execute(
                f"INSERT INTO {table} ({', '.join([*changed, *rest])}) {numbers} "
                f"SELECT {', '.join([*changed.values(), *rest])} FROM n, "
                f"(SELECT * FROM {table} ORDER BY id LIMIT 1)")
        database.execute(f"UPDATE builder SET next_number = {base + count + 1} WHERE id = 1")
    database.close()


async def browser(port, is_socket, heard, ready):
    """A client of /ws or /sse that counts the builds that it hears of."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    if is_socket:
        writer.write(
            f"GET /ws HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        for path in ["builds/*/*", "steps/*/*", "buildrequests/*/*"]:
            text = json.dumps({"cmd": "startConsuming", "path": path, "_id": 1}).encode()
            writer.write(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)
        word = b'"k":"builds/'
    else:
        writer.write(
            f"GET /sse/builds/*/*?path=steps/*/* HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"
            .encode())
        word = b'"key":["builds",'
    end = b"finished"
    ready()
    rest = b""
    try:
        while part := await reader.read(1 << 16):
            *lines, rest = (rest + part).replace(b"\n", b"\x81").split(b"\x81")
            for line in lines + ([rest] if is_socket else []):
                at = line.find(word)
                if at >= 0 and end in line[at:at + 40]:
                    heard.append(1)
                    rest = b"" if line is rest else rest
    finally:
        writer.close()


PAGES = [
    "/", "/builders/1", "/builders/1/builds/1", "/requests", "/changes",
    "/api/v2/builders", "/api/v2/builds?order=-buildid&limit=20", "/api/v2/builds/1/steps",
    "/api/v2/builders/1/builds?order=-number&limit=200&property=branch",
    "/api/v2/buildrequests?claimed=false&limit=50&order=-priority",
]


async def request(port, path, times):
    begin = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read(-1)
    writer.close()
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"{path}: {answer[:200]!r}")
    times.append(time.monotonic() - begin)


async def requests(port, rate, times):
    """Sends requests at a rate, whether or not others have been answered."""
    sent, begin = [], time.monotonic()
    try:
        while True:
            sent.append(asyncio.create_task(request(port, PAGES[len(sent) % len(PAGES)], times)))
            await asyncio.sleep(max(0, begin + len(sent) / rate - time.monotonic()))
    finally:
        await asyncio.gather(*sent)


async def build_all(master, options):
    """Runs all builds at once; returns how long they took."""
    loop = asyncio.get_running_loop()
    begin = time.monotonic()
    forced = [await loop.run_in_executor(None, master.force, n + 1) for n in range(options.builds)]
    ids = [str(list(one["result"][1].values())[0]) for one in forced]
    query = "&".join(f"buildrequestid={one}" for one in ids)
    while True:
        found = await loop.run_in_executor(
            None, master.get, f"/api/v2/builds?complete=true&{query}")
        if len(found["builds"]) == options.builds:
            break
        await asyncio.sleep(0.02)
    if any(one["results"] != 0 for one in found["builds"]):
        raise RuntimeError("a build has failed")
    return time.monotonic() - begin


def generator_cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def load(master, options):
    alone, busy, times, counts = [], [], [], []
    for _ in range(options.rounds):
        before = generator_cpu()
        took = await build_all(master, options)
        alone.append(took - (generator_cpu() - before) / os.cpu_count())
        connected, everyone, heard = [], asyncio.Event(), []

        def ready():
            connected.append(1)
            if len(connected) == options.browsers:
                everyone.set()
        tasks = []
        for n in range(options.browsers):
            heard.append([])
            tasks.append(asyncio.create_task(
                browser(master.port, n % 2 == 0, heard[n], ready)))
        await asyncio.wait_for(everyone.wait(), 60)
        await asyncio.sleep(1)
        asking = asyncio.create_task(requests(master.port, options.rate, times))
        begin, before = time.monotonic(), generator_cpu()
        took = await build_all(master, options)
        # What the generator used is not the master's doing.
        busy.append(took - (generator_cpu() - before) / os.cpu_count())
        await asyncio.sleep(max(1, options.seconds - (time.monotonic() - begin)))
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        if asking.done() and not asking.cancelled() and asking.exception():
            raise asking.exception()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        counts += [len(one) for one in heard]
    if set(counts) != {options.builds}:
        raise RuntimeError(f"browsers have heard of {sorted(set(counts))} builds")
    times.sort()
    middle = lambda values: sorted(values)[len(values) // 2]
    return [
        ("load: builds, of their time alone", middle(busy) / middle(alone) * 100, "%", 110),
        ("load: 99th percentile of a page", times[int(len(times) * 0.99)] * 1000, "ms", 100),
        ("load: median of a page", times[len(times) // 2] * 1000, "ms", None),
        ("load: memory at most", master.memory("VmHWM"), "MB", 80),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the program 'buildmaster', built in release mode")
    parser.add_argument("--browsers", type=int, default=200)
    parser.add_argument("--rate", type=float, default=50, help="requests per second")
    parser.add_argument("--builds", type=int, default=8, help="builds at a time")
    parser.add_argument("--steps", type=int, default=20, help="steps of each build")
    parser.add_argument("--pause", type=float, default=0.05,
                        help="seconds between the five lines that a step prints")
    parser.add_argument("--stored", type=int, default=100_000, help="builds in the store")
    parser.add_argument("--seconds", type=float, default=20, help="the least time of a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--idle", type=float, default=60, help="seconds without a request")
    parser.add_argument("--correctness", action="store_true", help="no figure misses a bar")
    options = parser.parse_args()
    options.program = os.path.abspath(options.program)
    rows = idle(options)
    with tempfile.TemporaryDirectory() as folder:
        yaml = load_yaml(options)
        with Master(options.program, folder, yaml) as master:
            asyncio.run(build_all(master, options))
        fill(folder, options.stored)
        with Master(options.program, folder, yaml) as master:
            rows += asyncio.run(load(master, options))
    missed = False
    for name, value, unit, bar in rows:
        is_missed = bar is not None and value > bar and not options.correctness
        missed = missed or is_missed
        limit = "" if bar is None else f"at most {bar} {unit}"
        print(f"{name:36} {value:9.2f} {unit:3} {limit:16} {'missed' if is_missed else ''}".rstrip())
    sys.exit(1 if missed else 0)


main()
