"""Workers that do what they may not: the master disconnects each with a sentence, and stays whole.

Usage: hostile.py [SECONDS OF EACH FLOOD]
"""

import asyncio
import os
import random
import resource
import sys
import time

import msgpack
from trial import *
from wire import *

CONFIGURATION = """
protocols: {msgpack: PORT}
workers:
  - workers.Worker: {name: good, password: p, keepalive: 10s}
  - workers.Worker: {name: w1, password: p, keepalive: 10s}
builders:
  - {name: good, workernames: [good], steps: [steps.ShellCommand: "echo fine"]}
  - {name: evil, workernames: [w1], steps: [steps.ShellCommand: {command: make, timeout: 5, logfiles: {a: a}}]}
"""


def message(**values):
    return frame(msgpack.packb({"seq_number": 0, **values}))


def deep(depth):
    return frame(b"\x91" * depth + b"\xc0")


ATTACKS = {
    "wrong types": lambda c: [message(op="update", command_id=c, args=[["rc", [1]]])],
    "text instead of a list": lambda c: [message(op="update", command_id=c, args="abc")],
    "negative length": lambda c: [message(op="update_read_file", command_id=c, length=-5)],
    "no number": lambda c: [frame(msgpack.packb({"op": "update", "command_id": c}))],
    "unknown command": lambda c: [message(op="update", command_id="999", args=[["rc", 0]])],
    "unknown operation": lambda c: [message(op="rm -rf", command_id=c)],
    "answer nobody asked for": lambda c: [frame(msgpack.packb(
        {"op": "response", "seq_number": 1 << 40, "result": None}))],
    "update after complete": lambda c: [
        message(op="update", command_id=c, args=[["rc", 0]]),
        message(op="complete", command_id=c, args=None),
        message(op="update", command_id=c, args=[["rc", 0]])],
    "deep nesting": lambda c: [deep(1 << 20)],
    "claimed list of 2^32": lambda c: [frame(b"\xdd\xff\xff\xff\xff")],
    "claimed maps in maps": lambda c: [frame(b"\xdf\x00\x0f\x00\x00\xa1a" * 15 + bytes(1 << 20))],
    "a million values": lambda c: [frame(b"\xdd\x00\x0f\x42\x40" + b"\xc0" * 1000000)],
    "invalid UTF-8": lambda c: [frame(b"\x81\xa2op\xa2\xff\xfe")],
    "key twice": lambda c: [frame(b"\x82\xdb\x00\x10\x00\x00" + b"k" * (1 << 20) + b"\xc0"
                                  b"\xdb\x00\x10\x00\x00" + b"k" * (1 << 20) + b"\xc0")],
    "65 MiB": lambda c: [frame(bytes(65 << 20))],
    "claimed 2^62": lambda c: [b"\x82\xff" + struct.pack("!Q", 1 << 62) + bytes(4)],
    "fragments without an end": lambda c: [b"\x02\xff" + struct.pack("!Q", 1 << 20) + bytes(4)
                                           + bytes(1 << 20)] + [
        b"\x00\xff" + struct.pack("!Q", 1 << 20) + bytes(4) + bytes(1 << 20)] * 70,
    "not masked": lambda c: [b"\x82\x01\xc0"],
    "combining marks": lambda c: [message(op="a" + "\u0301" * (4 << 20), command_id=c)],
    "escape sequences": lambda c: [message(op="\x1b[2J\nerror: fake", command_id=c)],
    "foreign log": lambda c: [message(
        op="update", command_id=c, args=[["log", ["../../x", ["a\n", [1], [0]]]]])],
    "never answers": lambda c: [],
}


class Trial:
    def __init__(self, seconds):
        self.seconds = seconds
        self.place = folder()
        self.port = free_port()
        self.master = Master(self.place, CONFIGURATION.replace("PORT", str(self.port)))
        self.good = StockWorker(self.place, "good", self.port)
        self.faults = []

    def force(self, builder):
        answer = self.master.command("force", builder)
        if answer.returncode:
            self.faults.append(f"force {builder}: {answer.stderr}")
        return self.master.rows("SELECT max(id) FROM build_request")[0][0]

    async def last(self, request):
        """The results and the text of the last build of a request, once it has ended."""
        for _ in range(300):
            rows = self.master.rows(
                "SELECT build.results, state_string FROM build JOIN build_request AS r "
                "ON r.id = request_id WHERE r.id = ? AND r.complete_at IS NOT NULL "
                "ORDER BY build.id DESC LIMIT 1", request)
            if rows:
                return rows[0]
            await asyncio.sleep(0.1)
        return (None, "has not ended")

    async def attack(self, name, pieces):
        request = self.force("evil")
        worker = Wire()
        await worker.connect(self.port)
        command = await worker.program()
        began, reason = time.monotonic(), "none"
        try:
            for piece in pieces(command):
                if worker.writer.transport.is_closing():
                    break
                worker.writer.write(piece)
                await worker.writer.drain()
            async with asyncio.timeout(120):
                async for _ in worker.commands():
                    pass
        except Closed as closed:
            reason = str(closed)
        except ConnectionError:
            reason = "without a reason"
        took = time.monotonic() - began
        worker.writer.transport.abort()
        results, text = await self.last(request)
        print(f"{name:26} {took:5.1f} s, {self.master.memory():4.0f} MB: {reason} | {text}")
        if name == "update after complete":
            expected = {SUCCESS}
        else:
            expected = {EXCEPTION}
        if results not in expected:
            self.faults.append(f"{name}: the build ended as {results}: {text}")
        # What is sent beside a close frame may keep it from arriving.
        is_huge = name in ["65 MiB", "fragments without an end"]
        if len(reason) < 16 + 4 * (not is_huge) or "\n" in reason or "\x1b" in text:
            self.faults.append(f"{name}: closed with '{reason}', {text}")
        if took > 60:
            self.faults.append(f"{name}: took {took:.0f} s")

    async def flood(self, name, piece):
        """Sends as much as it can, and reads what the master sends or not."""
        request = self.force("evil")
        worker = Wire()
        await worker.connect(self.port)
        command = await worker.program()
        content = piece(command) * 16
        before, peak, sent, reason = self.master.memory(), 0, 0, "still connected"
        end = time.monotonic() + self.seconds

        async def read():
            async for _ in worker.commands():
                pass

        reading = None if "no reading" in name else asyncio.ensure_future(read())
        try:
            while time.monotonic() < end and not (reading and reading.done()):
                worker.writer.write(content)
                sent += len(content)
                try:
                    async with asyncio.timeout(1):
                        await worker.writer.drain()
                except TimeoutError:
                    pass
                peak = max(peak, self.master.memory())
                if worker.writer.transport.is_closing():
                    reason = "disconnected"
                    break
        except ConnectionError:
            reason = "disconnected"
        good = await self.last(self.force("good"))
        worker.writer.transport.abort()
        if reading:
            reading.cancel()
        print(
            f"flood of {name}: {sent / self.seconds / 1e6:.0f} MB/s, memory {before:.0f} MB, at "
            f"most {peak:.0f} MB; {reason}; a build beside it: {good[1]}")
        if peak > before + 100:
            self.faults.append(f"flood of {name}: the memory grew by {peak - before:.0f} MB")
        if good[0] != SUCCESS:
            self.faults.append(f"flood of {name}: {good}")
        # The loss of the worker retries the build: twice.
        for _ in range(2):
            again = Wire()
            await again.connect(self.port)
            try:
                async with asyncio.timeout(30):
                    command = await again.program()
                    again.end(command)
                    await self.last(request)
                    again.writer.transport.abort()
                    break
            except (Closed, TimeoutError) as error:
                print(f"flood of {name}: again: {error}")
                again.writer.transport.abort()

    async def connections(self, count):
        """Connections that say nothing, half a request, or wrong passwords."""
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(
            count + 500, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
        before = self.master.memory()

        async def one(number):
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                kind = number % 3
                if kind == 1:
                    try:
                        for letter in "GET / HTTP/1.1\r\nHost: " + "a" * 100:
                            if writer.transport.is_closing():
                                break
                            writer.write(letter.encode())
                            await asyncio.sleep(0.2)
                    except ConnectionError:
                        pass
                if kind == 2:
                    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
                                 b"Connection: Upgrade\r\nAuthorization: Basic "
                                 + base64.b64encode(f"w{number}\n\x1b[2J:wrong".encode())
                                 + b"\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n"
                                 b"Sec-WebSocket-Version: 13\r\n\r\n")
                # A full queue of the kernel leaves a connection that the master never sees.
                async with asyncio.timeout(30):
                    await reader.read()
                writer.close()
            except (OSError, TimeoutError):
                pass

        crowd = [asyncio.ensure_future(one(number)) for number in range(count)]
        await asyncio.sleep(1)
        peak = self.master.memory()
        good = await self.last(self.force("good"))
        await asyncio.gather(*crowd)
        files = len(os.listdir(f"/proc/{self.master.process.pid}/fd"))
        if files > 100:
            self.faults.append(f"{count} connections: the master has {files} open files")
        lines = sum("refused the worker" in line for line in self.master.log.read_text().splitlines())
        print(
            f"{count} connections: {files} open files afterwards; memory {before:.0f} MB, then "
            f"{max(peak, self.master.memory()):.0f} MB; {lines} lines in the log; a build beside "
            f"them: {good[1]}")
        if good[0] != SUCCESS:
            self.faults.append(f"{count} connections: {good}")
        if lines > 1100:
            self.faults.append(f"{lines} lines in the log tell of refused workers")

    async def run(self):
        wait("the port", lambda: self.master.says("workers connect to"))
        for name, pieces in ATTACKS.items():
            try:
                await self.attack(name, pieces)
            except Exception as error:
                self.faults.append(f"{name}: {type(error).__name__} {error}")
        line = "x" * 1000 + "\n"
        await self.flood("output", lambda c: message(
            op="update", command_id=c, args=[["stdout", [line * 60, [1] * 60, [0] * 60]]]))
        await self.flood("output, no reading", lambda c: message(
            op="update", command_id=c, args=[["stdout", [line * 60, [1] * 60, [0] * 60]]]))
        await self.flood("a log file", lambda c: message(
            op="update", command_id=c, args=[["log", ["a", [line * 900, [1] * 900, [0] * 900]]]]))
        await self.flood("empty updates", lambda c: message(
            op="update", command_id=c, args=[]) * 100)
        await self.flood("empty updates, no reading", lambda c: message(
            op="update", command_id=c, args=[]) * 100)
        await self.flood("pings, no reading", lambda c: frame(bytes(125), 9) * 100)
        await self.flood("texts", lambda c: frame(bytes(1 << 16), 1))
        await self.connections(3000)
        results, text = await self.last(self.force("good"))
        if results != SUCCESS:
            self.faults.append(f"the other worker: {text}")

    def main(self):
        self.master.start("--grace", "1s")
        self.good.start()
        try:
            asyncio.run(self.run())
            if self.master.process.poll() is not None:
                self.faults.append(f"the master has exited with {self.master.process.returncode}")
            elif self.master.stop() != 0:
                self.faults.append("the master did not exit with 0")
            finish(self.faults, self.place)
        finally:
            for process in [self.good, self.master]:
                if process.process.poll() is None:
                    process.kill()


if __name__ == "__main__":
    Trial(float(sys.argv[1]) if len(sys.argv) > 1 else 5).main()
