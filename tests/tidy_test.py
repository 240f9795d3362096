#!/usr/bin/env python3
"""Feeds tools/tidy small trees: a good one, on which it must be silent, and for every rule at least
one bad one, on which exactly that rule must fire at that line. A rule without a case here fails."""
import os
import subprocess
import sys
import tempfile

TIDY = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tools", "tidy")

LAYERS = """# the house
set(base foundation/base)
lb_folder(foundation/base)
lb_folder(foundation/sys USES ${base} LIBS PkgConfig::CURL)
lb_folder(foundation/codec USES ${base} LIBS PkgConfig::ZSTD)
lb_folder(storage/state USES ${base} foundation/sys LIBS PkgConfig::SQLITE)
lb_folder(stores/seam USES ${base})
lb_folder(stores/files USES ${base} stores/seam TEST_USES storage/state)
lb_folder(stores/postgres USES ${base} stores/seam TEST_LIBS lifeboat_harness LIBS PkgConfig::PQ)
lb_folder(app/cli USES ${base} stores/files)
"""

HEADER = "// Says what it is.\n#pragma once\n"

GOOD = {
    "src/CMakeLists.txt": LAYERS,
    "src/foundation/base/text.h": HEADER + "#include <string>\n",
    "src/foundation/sys/clock.cc": (
        "#include <unistd.h>\n#include <fstream>\nauto n = std::chrono::system_clock::now();\n"
        "int r = ::open(path, O_RDONLY);\n"
    ),
    "src/storage/state/db.cc": (
        "#include <sqlite3.h>\n\n"
        '#include "foundation/base/text.h"\n#include "foundation/sys/clock.h"\n'
    ),
    "src/stores/files/walk.cc": (
        # Words that look like calls of the system and are none, in code, text and comments.
        '// std::cout, fork(), catch (...), ::open("x"), system_clock::now(), std::thread\n'
        'const char* s = "fork() ::open( std::cout getenv(\\"A\\") catch (...)";\n'
        'const char* r = R"x(std::filesystem ::unlink(a) "quoted)x";\n'
        "auto a = store.open(key); auto b = Connection::open(key); auto c = pipe->read(1);\n"
        "auto d = row.time(); int big = 1'000'000; char q = '\"'; int after = 2;\n"
        "Status remove(int); files.unlink(path); Timestamp time(int a);\n"
        "std::this_thread::get_id(); std::thread::hardware_concurrency();\n"
        "clock.sleep(x, stop); snprintf(a, 1);\n"
    ),
    "src/stores/files/walk_test.cc": (
        '#include <fstream>\n#include "storage/state/db.h"\nint main() { ::unlink("x"); }\n'
    ),
    "src/stores/files/fixture.h": (
        "// A thing for restore tests.\n#pragma once\n"
        '#include <fstream>\n#include "storage/state/db.h"\n'
    ),
    "src/stores/postgres/pg_test.cc": '#include "tests/harness/server.h"\n',
    "src/stores/postgres/pg.cc": "#include <libpq-fe.h>\n",
    "src/app/main.cc": "int main() { try { } catch (...) { std::cerr << getenv(\"HOME\"); } }\n",
    "tests/harness/server.cc": "#include <libpq-fe.h>\nint p = ::fork();\n",
    "tests/integration/drill_test.cc": '#include "app/cli/verbs.h"\n',
}


def lines(count):
    return "".join(f"int v{number} = {number};\n" for number in range(count))


def body(count):
    return "\n".join(f"  call({number});" for number in range(count))


LATER = LAYERS + "lb_folder(app/web USES app/later)\nlb_folder(app/later)\n"
OTHER_STORE = LAYERS.replace("stores/seam TEST_LIBS", "stores/seam stores/files TEST_LIBS")
INITIALISED = f"struct S {{\n  S(int a) : a_{{a}}, b_(1) {{\n{body(60)}\n  }}\n}};\n"
TEMPLATE = f"template <typename T = V<int>>\nauto f(T t = {{}}) -> int {{\n{body(60)}\n}}\n"

F = "src/stores/files/bad.cc"
H = "src/stores/files/bad.h"

# (rule, path, content, line). Contents are added to, or replace a file of, the good tree.
BAD = [
    ("clock", F, "\nauto t = std::chrono::system_clock::now();\n", 2),
    ("clock", F, "auto t = steady_clock::now();\n", 1),
    ("clock", F, "auto t = std::time(nullptr);\n", 1),
    ("clock", F, "auto t = ::time(&x);\n", 1),
    ("clock", F, "auto t = time(0);\n", 1),
    ("clock", F, "clock_gettime(CLOCK_REALTIME, &t);\n", 1),
    ("random", F, "int r = rand();\n", 1),
    ("random", F, "int r = std::rand();\n", 1),
    ("random", F, "std::random_device d;\n", 1),
    ("random", F, "#include <random>\n", 1),
    ("files", F, "auto* f = fopen(a, b);\n", 1),
    ("files", F, "std::ifstream in(a);\n", 1),
    ("files", F, "#include <fstream>\n", 1),
    ("files", F, "std::filesystem::remove(a);\n", 1),
    ("files", F, "#include <filesystem>\n", 1),
    ("files", F, "#include <fcntl.h>\n", 1),
    ("files", F, "int f = ::open(path, flags);\n", 1),
    ("files", F, "int f = open(path, O_RDONLY);\n", 1),
    ("files", F, "auto n = ::read(f, p, 1);\n", 1),
    ("files", F, "x = 1; ::write(f, p, 1);\n", 1),
    ("files", F, "unlink(path);\n", 1),
    ("files", F, "::rename(a, b);\n", 1),
    ("network", F, "int s = ::socket(a, b, 0);\n", 1),
    ("network", F, "int s = socket(AF_INET, b, 0);\n", 1),
    ("network", F, "if (::connect(s, a, n) != 0) {}\n", 1),
    ("network", F, "#include <sys/socket.h>\n", 1),
    ("network", F, "#include <netinet/in.h>\n", 1),
    ("process", F, "auto p = ::fork();\n", 1),
    ("process", F, "auto p = fork();\n", 1),
    ("process", F, "execvp(a, b);\n", 1),
    ("process", F, "std::system(a);\n", 1),
    ("process", F, "auto* p = popen(a, b);\n", 1),
    ("process", F, "::kill(p, 9);\n", 1),
    ("process", F, "#include <unistd.h>\n", 1),
    ("environment", F, "auto* e = std::getenv(a);\n", 1),
    ("environment", F, "setenv(a, b, 1);\n", 1),
    ("thread", F, "std::thread t(f);\n", 1),
    ("thread", F, "auto r = std::async(f);\n", 1),
    ("thread", F, "#include <pthread.h>\n", 1),
    ("sleep", F, "std::this_thread::sleep_for(x);\n", 1),
    ("sleep", F, "usleep(5);\n", 1),
    ("sleep", F, "::sleep(5);\n", 1),
    ("catch-all", F, "void f() {\n  try {\n  } catch (...) {\n  }\n}\n", 3),
    ("output", F, "std::cout << 1;\n", 1),
    ("output", F, "printf(a);\n", 1),
    ("include-order", "src/foundation/base/bad.cc", '#include "foundation/sys/clock.h"\n', 1),
    ("include-order", F, '\n#include "foundation/codec/json.h"\n', 2),  # earlier, but not listed
    ("include-order", F, '#include "storage/state/db.h"\n', 1),  # listed for its tests only
    ("include-order", "src/storage/state/bad_test.cc", '#include "app/cli/verbs.h"\n', 1),
    ("include-order", H, HEADER + '#include "storage/state/db.h"\n', 3),
    ("include-relative", F, '#include "walk.h"\n', 1),
    ("include-relative", F, '#include "../seam/store.h"\n', 1),
    ("include-relative", F, '#include "tests/harness/server.h"\n', 1),
    ("include-store", F, '#include "stores/postgres/pg.h"\n', 1),
    ("include-store", "src/stores/files/bad_test.cc", '#include "stores/postgres/pg.h"\n', 1),
    ("third-party", F, "#include <openssl/evp.h>\n", 1),
    ("third-party", F, "#include <sodium.h>\n", 1),
    ("third-party", F, "#include <zstd.h>\n", 1),
    ("third-party", F, "#include <yaml.h>\n", 1),
    ("third-party", F, "#include <nlohmann/json.hpp>\n", 1),
    ("third-party", F, "#include <curl/curl.h>\n", 1),
    ("third-party", F, "#include <sqlite3.h>\n", 1),
    ("third-party", F, "#include <libpq-fe.h>\n", 1),
    ("third-party", "src/stores/files/bad_test.cc", "#include <sqlite3.h>\n", 1),
    ("layer-table", "src/CMakeLists.txt", LATER, 11),
    ("layer-table", "src/CMakeLists.txt", OTHER_STORE, 9),
    ("using-namespace", H, HEADER + "using namespace std;\n", 3),
    ("pragma-once", H, "// A header.\nint f();\n", 1),
    ("leading-comment", H, "#pragma once\n// Too late.\n", 1),
    ("file-size", F, lines(801), 801),
    ("function-size", F, f"int a;\nint f(int x) {{\n{body(60)}\n}}\n", 2),
    ("function-size", F, INITIALISED, 2),
    ("function-size", F, f"namespace a {{\nTEST(A, B) {{\n{body(60)}\n}}\n}}\n", 2),
    ("function-size", F, TEMPLATE, 1),
    ("columns", F, "\n//" + "x" * 99 + "\n", 2),
    ("tabs", F, "int a;\n\tint b;\n", 2),
    ("unfinished", F, "int a;  // TODO: more\n", 1),
    ("unfinished", F, "// FIXME\n", 1),
    ("stray-file", "src/stores/redis/redis_test.cc", "int a;\n", 1),
    ("stray-file", "src/stores/redis/redis.cc", "int a;\n", 1),
    ("stray-file", "tests/sim/world_test.cc", "int a;\n", 1),
    ("file-name", "src/stores/files/string_utils.cc", "int a;\n", 1),
    ("file-name", "src/stores/files/helpers.cc", "int a;\n", 1),
    ("file-name", "src/stores/files/CamelCase.cc", "int a;\n", 1),
]

# Just within the limits: silence, or a warning that does not fail.
FINE = [
    (F, f"int f(int x) {{\n{body(58)}\n}}\n"),
    (F, f"int f() {{\n{body(40)}\n}}\nint g() {{\n{body(40)}\n}}\n"),
    (F, "//" + "ä" * 98 + "\n"),
    (F, lines(700)),
    (F, "constexpr int table[] = {\n" + "".join(f"    {n},\n" for n in range(90)) + "};\n"),
    (F, "struct Big {\n" + "".join(f"  int m{n} = f({n});\n" for n in range(90)) + "};\n"),
    (H, HEADER + "// using namespace std;\n"),
]


def run(files):
    with tempfile.TemporaryDirectory() as root:
        for path, content in files.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(content)
        done = subprocess.run([TIDY, root], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines(), done.stderr


def main():
    failures = []
    code, found, errors = run(GOOD)
    if code != 0 or found:
        print(f"the good tree: exit {code} {found} {errors}")
        return 1  # every other case would say the same
    for rule, path, content, line in BAD:
        code, found, errors = run({**GOOD, path: content})
        of_rule = [text for text in found if text.endswith(f"[{rule}]")]
        wanted = [text for text in of_rule if text.startswith(f"{path}:{line}: ")]
        others = [text for text in found if text not in of_rule and ": warning: " not in text]
        if code != 1 or not wanted or others:
            failures.append(f"{rule} in {content[:60]!r}: exit {code}, found {found} {errors}")
    for path, content in FINE:
        code, found, errors = run({**GOOD, path: content})
        if code != 0 or any(": warning: " not in text for text in found):
            failures.append(f"within limits, {content[:40]!r}: exit {code}, {found} {errors}")
    _, found, _ = run({**GOOD, F: lines(501)})
    if not any("warning" in text and text.endswith("[file-size]") for text in found):
        failures.append(f"501 lines: no warning in {found}")
    listed = subprocess.run([TIDY, "--rules"], capture_output=True, text=True, check=True)
    rules = listed.stdout.split()
    for rule in sorted(set(rules) - {case[0] for case in BAD}):
        failures.append(f"no case shows that {rule} can fire")
    if run({"src/CMakeLists.txt": LAYERS})[0] == 0:
        failures.append("a tree without sources passes")
    print("\n".join(failures) or f"{len(BAD)} bad trees, {len(rules)} rules: all as they must be")
    return 1 if failures else 0


sys.exit(main())
