"""Checks random and mutated versions of the examples, and looks for crashes, hangs and memory.

    fuzz.py PROGRAM BYTES [SEED]

Each file that makes the program end by a signal, with an unknown exit status, or not within the
time limit is kept, its path is printed, and the exit status is 1.
"""

import json
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile

FILES_AT_ONCE = 40
SECONDS_PER_FILE = 20
LARGEST_FILE = 200_000
# What a file may add to the memory of the program, in kilobytes.
MEMORY = 400_000
# Without and with mistakes.
EXPECTED = {0, 2}

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOKENS = [
    b"{", b"}", b"[", b"]", b": ", b"- ", b"? ", b"&a ", b"*a", b"!Secret ", b"!Env ", b"!File ",
    b"!Template ", b"!!binary ", b"!<x> ", b"|\n", b">-\n", b"<<: *a\n", b"#", b"'", b'"', b"\\",
    b"%YAML 1.2\n", b"---\n", b"...\n", b"\t", b"\r\n", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf",
    "\u2028".encode(), "\U0001f600".encode(), b"~", b"null", b".inf", b"-.nan", b"1e999", b"0x7f",
    b"99999999999999999999999999", b"-9223372036854775808", b"1_000", b"true", b"{{ ", b" }}",
    b"{% if ", b" %}", b"{{ a.b[0] | tojson }}", b"${HOME}", b"%(prop:x)s", b"(?P<a>(a+)+)$",
    b"steps.POST: ", b"steps.ShellCommand: ", b"reporters.HttpStatusPush: ", b"matrix: ",
    b"factory: ", b"builders: ", b"schedulers: ", b"workers: ", b"www: ", b"doStepIf: ",
]


def corpus():
    texts = [path.read_bytes() for path in sorted(ROOT.glob("Examples/*/*.yaml"))]
    return texts + [(ROOT / "master.yaml").read_bytes()]


def random_file(rng):
    """A file that has nothing to do with an example."""
    kind = rng.randrange(4)
    size = rng.randrange(1, 4000)
    if kind == 0:
        return rng.randbytes(size)
    if kind == 1:
        return b"".join(rng.choice(TOKENS) for _ in range(size // 4))
    if kind == 2:
        # Nested deeply, in one of several ways.
        opening = rng.choice([b"[", b"{a: ", b"- ", b"? ", b"{{", b"(", b"steps: [", b"!x [", b"\""])
        return rng.choice([b"", b"steps:\n- ", b"a: "]) + opening * rng.randrange(1, 20_000)
    # Aliases that grow.
    lines = [b"a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for level in range(1, rng.randrange(2, 40)):
        lines.append(b"a%d: &a%d [%s]" % (level, level, b", ".join([b"*a%d" % (level - 1)] * 9)))
    return b"\n".join(lines)


def mutate(rng, text, texts):
    """A version of an example with some mistakes."""
    data = bytearray(text)
    for _ in range(rng.choice([1, 1, 2, 3, 8, 40])):
        if not data:
            break
        at = rng.randrange(len(data))
        kind = rng.randrange(10)
        if kind == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at:at] = rng.choice(TOKENS)
        elif kind == 2:
            del data[at:at + rng.randrange(1, 80)]
        elif kind == 3:
            piece = data[at:at + rng.randrange(1, 400)]
            to = rng.randrange(len(data))
            data[to:to] = piece * rng.choice([1, 1, 1, 2, 50])
        elif kind == 4:
            other = rng.choice(texts)
            start = rng.randrange(len(other))
            data[at:at] = other[start:start + rng.randrange(1, 400)]
        elif kind == 5:
            data[at:at] = rng.randbytes(rng.randrange(1, 16))
        elif kind == 6:
            lines = bytes(data).split(b"\n")
            one, two = rng.randrange(len(lines)), rng.randrange(len(lines))
            lines[one], lines[two] = lines[two], lines[one]
            data = bytearray(b"\n".join(lines))
        elif kind == 7:
            lines = bytes(data).split(b"\n")
            index = rng.randrange(len(lines))
            lines[index] = b" " * rng.randrange(12) + lines[index].lstrip()
            data = bytearray(b"\n".join(lines))
        elif kind == 8:
            end = data.find(b"\n", at)
            data[at:end if end >= 0 else len(data)] = rng.choice(TOKENS)
        else:
            del data[at:]
    return bytes(data[:LARGEST_FILE])


def peak():
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss


def run(program, folder, files):
    """What is wrong with the program's end, or None."""
    command = [program, "check", "--format", "json", *[path.name for path in files]]
    try:
        ended = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=SECONDS_PER_FILE * len(files))
    except subprocess.TimeoutExpired:
        return "does not end"
    if ended.returncode not in EXPECTED:
        return "ends with %d: %s" % (ended.returncode, ended.stderr[-2000:].decode(errors="replace"))
    if b"Sanitizer" in ended.stderr:
        return ended.stderr[-4000:].decode(errors="replace")
    try:
        report = json.loads(ended.stdout)
    except ValueError as error:
        return "prints no JSON: %s" % error
    if len(report["files"]) != len(files):
        return "checked %d of %d files" % (len(report["files"]), len(files))
    return None


def main():
    program, wanted = str(pathlib.Path(sys.argv[1]).resolve()), int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 32)
    rng = random.Random(seed)
    texts = corpus()
    print("seed %d, %d examples" % (seed, len(texts)), flush=True)
    done, count, faults, first_peak = 0, 0, 0, None
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        while done < wanted:
            files = []
            for index in range(FILES_AT_ONCE):
                is_random = rng.randrange(4) == 0
                data = random_file(rng) if is_random else mutate(rng, rng.choice(texts), texts)
                path = folder / ("%d.yaml" % index)
                path.write_bytes(data)
                files.append(path)
                done += len(data)
            count += len(files)
            if run(program, folder, files) is not None:
                for path in files:
                    fault = run(program, folder, [path])
                    if fault is None:
                        continue
                    faults += 1
                    kept = pathlib.Path(tempfile.gettempdir()) / (
                        "buildmaster-fuzz-%d-%d.yaml" % (seed, faults))
                    shutil.copy(path, kept)
                    print("%s: %s" % (kept, fault), flush=True)
            if first_peak is None:
                first_peak = peak()
    added = peak() - first_peak
    print("%d files, %d bytes, %d faults, %d MB of memory at most" % (
        count, done, faults, peak() // 1024))
    if added > MEMORY:
        print("some files needed %d MB more than the first ones" % (added // 1024))
    sys.exit(1 if faults or added > MEMORY else 0)


main()
