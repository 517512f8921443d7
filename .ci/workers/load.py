"""Many simulated workers on one master: its CPU time, its memory, and how soon it starts commands.

Usage: load.py [WORKERS [BUILDS AT A TIME [COMMANDS OF A BUILD [SECONDS OF A COMMAND]]]]

With the variable STOCK, the program `buildbot` of a Python environment that has buildbot 4.3, the
same workers then work for that.
"""

import asyncio
import concurrent.futures
import statistics
import sys
import time

from trial import *
from wire import *

OUTPUT = "".join(f"line {number} of some output\n" for number in range(10))


class Simulation:
    """Workers whose commands take a time and print ten lines."""

    def __init__(self, count, commands, seconds, place):
        self.commands_of_build = commands
        self.seconds = seconds
        self.workers = [Wire(f"w{n}", "p", str(place / f"w{n}")) for n in range(count)]
        self.running = 0
        self.most_running = 0
        self.commands = 0
        self.ended = 0
        #: From the end of a command to the start of the next one of its build.
        self.waits = []
        self.is_over = False
        self.began = None
        # Buildbot's server refuses connections beyond the 50 that it has yet to accept.
        self.connecting = asyncio.Semaphore(20)

    async def run(self, worker, port):
        async with self.connecting:
            await worker.connect(port)
        ends, counts = {}, {}
        try:
            async for command, name, arguments in worker.commands():
                words = str(arguments.get("command"))
                if name != "shell" or "simulated" not in words:
                    if name == "listdir":
                        worker.update(command, ["files", ["info", "a", "b"]])
                    worker.end(command)
                    continue
                folder = arguments["workdir"]
                # Not from one build to the next one in its folder.
                if counts.get(folder, 0) % self.commands_of_build:
                    self.waits.append(time.monotonic() - ends[folder])
                counts[folder] = counts.get(folder, 0) + 1
                self.commands += 1
                self.began = self.began or time.monotonic()
                asyncio.ensure_future(self.perform(worker, command, folder, ends))
        except (Closed, ConnectionError) as error:
            if not self.is_over:
                print(f"{worker.name}: {error}")

    async def perform(self, worker, command, folder, ends):
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        for _ in range(2):
            await asyncio.sleep(self.seconds / 2)
            worker.update(command, ["stdout", [OUTPUT, [], []]])
        worker.end(command)
        ends[folder] = time.monotonic()
        self.running -= 1
        self.ended += 1

    def start(self, port):
        return [asyncio.ensure_future(self.run(worker, port)) for worker in self.workers]


def report(title, simulation, master, cpu):
    waits = sorted(simulation.waits) or [0]
    took = time.monotonic() - simulation.began

    def part(share):
        return waits[min(len(waits) - 1, int(len(waits) * share))] * 1000

    print(
        f"{title}: {len(simulation.workers)} workers, at most {simulation.most_running} commands at a "
        f"time, {simulation.ended} commands in {took:.0f} s; next command after {part(0.5):.1f} ms in "
        f"the median, {part(0.95):.1f} ms for 95 %, at most {part(1):.0f} ms; "
        f"{(master.cpu() - cpu) / max(1, simulation.ended) * 1000:.1f} ms of CPU a command, "
        f"{(master.cpu() - cpu) / took * 100:.0f} % of a core, {master.memory('VmHWM'):.0f} MB",
        flush=True)


async def measure(simulation, expected):
    """Waits until all commands have ended."""
    last, since = -1, time.monotonic()
    while simulation.ended < expected:
        await asyncio.sleep(0.5)
        if simulation.ended != last:
            last, since = simulation.ended, time.monotonic()
        assert time.monotonic() - since < 120, f"{simulation.ended} of {expected} commands have ended"


async def ours(workers, builds, commands, seconds):
    place, port = folder(), free_port()
    lines = [f"  - workers.Worker: {{name: w{n}, password: p, max_builds: {-(-builds // workers)}}}"
             for n in range(workers)]
    names = [f"b{n}" for n in range(-(-builds // workers))]
    steps = ["    - steps.ShellCommand: simulated"] * commands
    master = Master(place, "\n".join(
        ["collapseRequests: false", f"protocols: {{msgpack: {port}}}", "workers:", *lines, "factories:", "  f:", *steps, "builders:",
         *[f"  - {{name: {name}, factory: f}}" for name in names]]) + "\n")
    try:
        master.start("--grace", "0s", "--jobs", "1024")
        wait("the port", lambda: master.says("workers connect to"))
        simulation = Simulation(workers, commands, seconds, place)
        tasks = simulation.start(port)
        while master.says("has connected") < workers:
            await asyncio.sleep(0.2)
        quiet = master.cpu()
        print(f"{workers} workers have connected: {quiet:.1f} s of CPU, {master.memory():.0f} MB")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            loop = asyncio.get_running_loop()
            answers = await asyncio.gather(*[
                loop.run_in_executor(pool, master.command, "force", names[n % len(names)])
                for n in range(builds)])
        failed = [answer.stderr for answer in answers if answer.returncode]
        assert not failed, failed[:3]
        await measure(simulation, builds * commands)
        report("Buildmaster", simulation, master, quiet)
        simulation.is_over = True
        wait("the end of all builds", lambda: not master.rows(
            "SELECT id FROM build_request WHERE complete_at IS NULL"), limit=120)
        results = master.rows("SELECT results, count(*) FROM build GROUP BY results")
        assert results == [(SUCCESS, builds)], results
        for task in tasks:
            task.cancel()
        master.stop()
        shutil.rmtree(place)
    finally:
        if master.process.poll() is None:
            master.kill()


async def stock(program, workers, builds, commands, seconds):
    place, port = folder(), free_port()
    slots = -(-builds // workers)
    subprocess.run([program, "create-master", place], check=True, capture_output=True)
    (place / "master.cfg").write_text(f"""
from buildbot.plugins import *
from twisted.internet import defer, reactor

from buildbot.changes import base

class Once(base.ChangeSource):
    def activate(self):
        # Once there are schedulers and workers.
        reactor.callLater(20, self.add)
        return defer.succeed(None)

    @defer.inlineCallbacks
    def add(self):
        for number in range({-(-builds // slots)}):
            yield self.master.data.updates.addChange(
                author='a <a@example.org>', files=['a'], comments='', revision=str(number), branch='main')

names = {[f"b{n}" for n in range(slots)]}
c = BuildmasterConfig = dict(
    protocols={{'msgpack_experimental_v7': {{'port': {port}}}}}, buildbotNetUsageData=None,
    workers=[worker.Worker(f'w{{n}}', 'p', max_builds={slots}) for n in range({workers})],
    builders=[
        util.BuilderConfig(
            name=name, workernames=[f'w{{n}}' for n in range({workers})], collapseRequests=False,
            factory=util.BuildFactory([steps.ShellCommand(command=['simulated'])] * {commands}))
        for name in names],
    schedulers=[schedulers.AnyBranchScheduler(name='all', builderNames=names)],
    change_source=[Once(name='once')], db={{'db_url': 'sqlite:///state.sqlite'}})
""")
    master = Master(place, "")
    with open(master.log, "ab") as log:
        master.process = subprocess.Popen(
            [program, "start", "--nodaemon", place], cwd=place, stdin=subprocess.DEVNULL, stdout=log,
            stderr=log)
    try:
        def listens():
            with socket.socket() as attempt:
                return attempt.connect_ex(("127.0.0.1", port)) == 0
        wait("the stock master", listens)
        simulation = Simulation(workers, commands, seconds, place)
        tasks = simulation.start(port)
        await asyncio.sleep(15)
        quiet = master.cpu()
        print(f"{workers} workers have connected: {quiet:.1f} s of CPU, {master.memory():.0f} MB")
        await measure(simulation, builds * commands)
        report("Buildbot", simulation, master, quiet)
        simulation.is_over = True
        for task in tasks:
            task.cancel()
        shutil.rmtree(place)
    finally:
        if master.process.poll() is None:
            master.kill()


if __name__ == "__main__":
    values = [float(argument) for argument in sys.argv[1:]]
    values += [200, 400, 20, 2][len(values):]
    counts = [int(value) for value in values[:3]]
    asyncio.run(ours(*counts, values[3]))
    if "STOCK" in os.environ:
        asyncio.run(stock(os.environ["STOCK"], *counts, values[3]))
