"""Workers on bad networks: one far and lossy, one slow, one that floods its log, one beside them.

Usage: networks.py [MB OVER THE SLOW NETWORK [MB OF OUTPUT]]; run by worker-networks in namespaces of
its own, as root of which it makes networks.
"""

import statistics
import sys
import threading
import time

from trial import *

ADDRESS = "10.77.{}.{}"


def shell(*words):
    subprocess.run(words, check=True)


def network(number):
    """A namespace with one link to this one; returns what runs a command there."""
    name, far = f"w{number}", f"far{number}"
    shell("ip", "netns", "add", name)
    shell("ip", "link", "add", f"near{number}", "type", "veth", "peer", "name", far, "netns", name)
    shell("ip", "address", "add", ADDRESS.format(number, 1) + "/24", "dev", f"near{number}")
    shell("ip", "link", "set", f"near{number}", "up")
    inside = ["ip", "netns", "exec", name]
    shell(*inside, "ip", "address", "add", ADDRESS.format(number, 2) + "/24", "dev", far)
    shell(*inside, "ip", "link", "set", far, "up")
    shell(*inside, "ip", "link", "set", "lo", "up")
    return inside


def configuration(port, size, output, place):
    return f"""
protocols: {{msgpack: "0.0.0.0:{port}"}}
workers:
  - workers.Worker: {{name: w1, password: p, keepalive: 10s}}
  - workers.Worker: {{name: w2, password: p, keepalive: 10s}}
  - workers.Worker: {{name: w3, password: p, keepalive: 10s}}
  - workers.Worker: {{name: w4, password: p, keepalive: 10s}}
builders:
  - name: near
    workernames: [w1]
    steps: [steps.ShellCommand: "echo fine"]
  - name: far
    workernames: [w2]
    steps:
      - steps.ShellCommand: "i=1; while [ $i -le 300 ]; do echo line $i; i=$((i+1)); sleep 0.05; done"
      - steps.StringDownload: {{s: hello, workerdest: a.txt}}
      - steps.FileUpload: {{workersrc: a.txt, masterdest: "{place}/a.txt"}}
  - name: slow
    workernames: [w3]
    steps:
      - steps.ShellCommand: "head -c {size << 20} /dev/urandom > big"
      - steps.FileUpload: {{workersrc: big, masterdest: "{place}/big"}}
      - steps.ShellCommand: "echo sum; sha256sum < big"
  - name: flood
    workernames: [w4]
    steps:
      - steps.ShellCommand: {{command: "yes '{'x' * 99}' | head -c {output << 20}", max_log_size: null}}
"""


def main(size, output):
    place = folder()
    port = free_port()
    shell("ip", "link", "set", "lo", "up")
    inside = {number: network(number) for number in range(1, 5)}
    # 2 % of the packets in each direction, and 200 ms.
    for prefix in [inside[2]]:
        for hook in ["input", "output"]:
            shell(*prefix, "nft", "add", "table", "ip", "trial")
            shell(
                *prefix, "nft", "add", "chain", "ip", "trial", hook,
                f"{{ type filter hook {hook} priority 0 ; }}")
            shell(
                *prefix, "nft", "add", "rule", "ip", "trial", hook, "numgen", "random", "mod",
                "100", "<", "2", "drop")
    far = Relay(port, delay=0.2, host=ADDRESS.format(2, 1))
    limit = ["root", "tbf", "rate", "1mbit", "burst", "16kb", "latency", "200ms"]
    shell("tc", "qdisc", "add", "dev", "near3", *limit)
    shell(*inside[3], "tc", "qdisc", "add", "dev", "far3", *limit)

    master = Master(place, configuration(port, size, output, place))
    workers = [
        StockWorker(
            place, f"w{number}", far.port if number == 2 else port, host=ADDRESS.format(number, 1),
            prefix=inside[number]) for number in range(1, 5)]
    master.start("--grace", "1s")
    for worker in workers:
        worker.start()
    try:
        wait("all workers", lambda: master.says("has connected") >= 4, limit=120)

        def force(builder):
            answer = master.command("force", builder)
            assert answer.returncode == 0, answer.stderr
            return master.rows("SELECT max(id) FROM build_request")[0][0]

        def times(count):
            """How long requests for short builds take, until they end."""
            taken = []
            for _ in range(count):
                request = force("near")
                wait(
                    "a short build", interval=0.02, is_met=lambda: master.rows(
                        "SELECT complete_at FROM build_request WHERE id = ?", request)[0][0])
                (submitted, complete), = master.rows(
                    "SELECT submitted_at, complete_at FROM build_request WHERE id = ?", request)
                taken.append(complete - submitted)
            return taken

        times(2)
        quiet, before = times(10), master.memory()
        wanted = {force(builder): builder for builder in ["far", "slow", "flood"]}
        peak, busy, began = 0, [], time.monotonic()

        def open_requests():
            return {row[0] for row in master.rows(
                "SELECT id FROM build_request WHERE complete_at IS NULL")}

        while open_requests() & set(wanted) and time.monotonic() - began < 1500:
            busy += times(1)
            peak = max(peak, master.memory())
            time.sleep(0.2)
        faults = []
        for request, builder in wanted.items():
            results, text, seconds, number = master.rows(
                "SELECT build.results, state_string, complete_at - started_at, "
                "(SELECT count(*) FROM build AS b WHERE b.request_id = build.request_id) FROM build "
                "WHERE request_id = ? ORDER BY id DESC LIMIT 1", request)[0]
            print(f"{builder:6} {seconds or 0:6.1f} s: {text}")
            if results != SUCCESS or number != 1:
                faults.append(f"{builder}: {results}, {number} builds: {text}")
        sent, received = workers[2].basedir / "slow/build/big", place / "big"
        if not received.exists() or received.stat().st_size != size << 20 or subprocess.run(
            ["cmp", sent, received]).returncode:
            faults.append("the uploaded file differs")
        path, = master.rows(
            "SELECT path FROM log JOIN step ON step.id = step_id JOIN build ON build.id = build_id "
            "JOIN builder ON builder.id = builder_id WHERE builder.name = 'flood'")[0]
        lines = int(subprocess.run(
            ["grep", "-c", "^ox", place / ".buildmaster" / path], capture_output=True,
            text=True).stdout or 0)
        if lines != -(-(output << 20) // 100):
            faults.append(f"the log has {lines} lines")
        print(
            f"a short build alone {statistics.median(quiet):.3f} s, at most {max(quiet):.3f} s; "
            f"beside the others {statistics.median(busy):.3f} s, at most {max(busy):.3f} s "
            f"({len(busy)} builds)")
        print(f"memory {before:.0f} MB, at most {peak:.0f} MB while {output} MB were logged")
        if peak > before + 100:
            faults.append(f"the memory grew by {peak - before:.0f} MB")
        if max(busy) > 5 + 3 * max(quiet):
            faults.append(f"a short build took {max(busy):.1f} s")
        if master.says("has connected") > 4:
            faults.append("a worker has connected more than once")
        if master.stop() != 0:
            faults.append("the master did not exit with 0")
        finish(faults, place)
    finally:
        for process in [*workers, master]:
            if process.process and process.process.poll() is None:
                process.kill()


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    main(*(numbers + [20, 1024][len(numbers):]))
