"""Kills workers, their connections and the master at random while builds run, and checks what is left.

Usage: kills.py [ROUNDS [SEED]]
"""

import collections
import random
import re
import sys
import time

from trial import *

LINES = 15
SCRIPT = (
    "exec 9>../lock; flock -n 9 || echo overlap >> ../overlaps; i=1; "
    f"while [ $i -le {LINES} ]; do echo line $i; sleep 0.1; i=$((i+1)); done")
BUILDERS = ["one", "two", "three", "four"]


def configuration(port, reports):
    return f"""
protocols: {{msgpack: {port}}}
collapseRequests: false
workers:
  - workers.Worker: {{name: w1, password: p, max_builds: 2, keepalive: 1s}}
  - workers.Worker: {{name: w2, password: p, max_builds: 2, keepalive: 1s}}
services:
  - reporters.HttpStatusPush:
      serverUrl: http://127.0.0.1:{reports}/
      retry: {{backoff: 100ms, maxBackoff: 1s}}
builders:
""" + "".join(f"""
  - name: {name}
    steps:
      - steps.ShellCommand: {{command: "{SCRIPT}", name: first}}
      - steps.StringDownload: {{s: hello, workerdest: file.txt}}
      - steps.ShellCommand: {{command: "{SCRIPT}", name: second}}
""" for name in BUILDERS)


def check(master, receiver, workers):
    faults = []
    builds = master.rows(
        "SELECT build.id, name, number, request_id, complete_at, results, state_string FROM build "
        "JOIN builder ON builder.id = builder_id ORDER BY build.id")
    by_request = collections.defaultdict(list)
    for build in builds:
        by_request[build[3]].append(build)
        if build[4] is None:
            faults.append(f"{build[1]} #{build[2]} has not ended")
    for request, complete, results in master.rows(
        "SELECT id, complete_at, results FROM build_request"):
        own = by_request[request]
        if complete is None or not own:
            faults.append(f"request {request} has not ended")
            continue
        if any(build[5] != RETRY for build in own[:-1]) or own[-1][5] == RETRY:
            faults.append(f"request {request} has builds with {[build[5] for build in own]}")
        lost = [b for b in own if b[5] == RETRY and "master" not in b[6]]
        if len(lost) > 2:
            faults.append(f"request {request} was retried {len(lost)} times for lost workers")
        if own[-1][5] == EXCEPTION and "lost 3 times" not in own[-1][6]:
            faults.append(f"request {request} ended as {own[-1][6]}")
        if own[-1][5] not in (SUCCESS, EXCEPTION) or results != own[-1][5]:
            faults.append(f"request {request} ended as {results}: {own[-1][6]}")
    for identifier, count in master.rows(
        "SELECT build_id, count(*) FROM event WHERE kind = 'build.finished' GROUP BY build_id "
        "HAVING count(*) > 1"):
        faults.append(f"build {identifier} has ended {count} times")
    if master.rows("SELECT count(*) FROM delivery WHERE state IN ('dead', 'open')")[0][0]:
        faults.append("reports were not delivered")
    faults += receiver.faults([f"{build[1]} #{build[2]}" for build in builds])
    for worker in workers:
        for file in worker.basedir.glob("*/overlaps"):
            faults.append(f"commands ran at the same time in {file.parent}")
    return faults + log_faults(master), builds


def log_faults(master):
    """Logs whose lines are not all there, and that do not say so."""
    faults = []
    for path, complete, results, state, number, name in master.rows(
        "SELECT path, complete, step.results, step.state_string, number, log.name FROM log "
        "JOIN step ON step.id = step_id WHERE log.name = 'stdio' AND step.name IN ('first', 'second')"):
        file = master.place / ".buildmaster" / path
        lines = file.read_text().splitlines() if file.exists() else []
        output = [line for line in lines if line[:1] == "o"]
        if not complete:
            faults.append(f"{path} is not complete")
        if output != [f"oline {n + 1}" for n in range(len(output))]:
            faults.append(f"{path} has a hole: {output}")
        if len(output) == LINES and results == SUCCESS:
            continue
        said = any("the output ends here" in line for line in lines) or "master" in state
        if results == SUCCESS or not said:
            faults.append(f"{path} ends after {len(output)} lines ({state}): {lines[-1:]}")
    return faults


def main(rounds, seed):
    random.seed(seed)
    place = folder()
    receiver = Receiver(error_rate=0.1)
    port = free_port()
    master = Master(place, configuration(port, receiver.port))
    relays = [Relay(port), Relay(port)]
    workers = [StockWorker(place, f"w{i + 1}", relays[i].port) for i in range(2)]
    master.start("--grace", "1s")
    for worker in workers:
        worker.start()
    wait("the store", lambda: master.database.exists())
    tally = collections.Counter()
    forced = 0
    began = time.monotonic()

    def pending():
        return master.rows("SELECT count(*) FROM build_request WHERE complete_at IS NULL")[0][0]

    try:
        for round in range(rounds):
            while pending() < 5:
                if master.command("force", random.choice(BUILDERS)).returncode == 0:
                    forced += 1
            time.sleep(random.uniform(0, 3.5))
            running = master.rows("SELECT count(*) FROM build WHERE complete_at IS NULL")[0][0]
            index = random.randrange(2)
            action = random.choice(["worker", "worker", "cut", "cut", "freeze", "master"])
            tally[action] += 1
            tally["while building"] += running > 0
            if action == "worker":
                workers[index].kill()
                time.sleep(random.uniform(0, 1))
                workers[index].start()
            elif action == "cut":
                relays[index].cut()
            elif action == "freeze":
                relays[index].is_frozen = True
                time.sleep(random.uniform(0, 6))
                relays[index].is_frozen = False
            else:
                master.kill()
                time.sleep(random.uniform(0, 1))
                master.start("--grace", "1s")
                wait("the master", lambda: master.command("status").returncode == 0)
        wait("the end of all builds", lambda: pending() == 0, limit=600, interval=0.5)
        receiver.error_rate = 0
        wait(
            "all reports", limit=60, is_met=lambda: master.rows(
                "SELECT count(*) FROM delivery WHERE state = 'open'")[0][0] == 0)
        memory = master.memory("VmHWM")
        status = master.stop()
        faults, builds = check(master, receiver, workers)
        if status != 0:
            faults.append(f"the master exited with {status}")
        states = collections.Counter(
            re.sub(r"\(.*?\)|'\w+'", "...", build[6]).strip() for build in builds)
        print(
            f"worker-kills: {rounds} rounds in {time.monotonic() - began:.0f} s (seed {seed}): "
            f"{dict(tally)}; {forced} requests, {len(builds)} builds, {dict(states)}, "
            f"{len(receiver.arrivals)} reports, {memory:.0f} MB")
        finish(faults, place)
    finally:
        for process in [*workers, master]:
            if process.process and process.process.poll() is None:
                process.kill()


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(
        int(arguments[0]) if arguments else 200,
        int(arguments[1]) if len(arguments) > 1 else random.randrange(1 << 32))
