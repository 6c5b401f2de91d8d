// Real interpreters and tools of the host under the profile that is meant for them: a list of
// system calls that is too short would show here.
#include "jail/fixture.h"
#include "support/catch.h"

#include <unistd.h>

#include <filesystem>

using namespace oauth3;
using namespace oauth3::jail;
using namespace oauth3::jail::test;

namespace {

namespace fs = std::filesystem;

/// A root with the programs of the host, and nothing else of it.
const fs::path& host_root() {
    static const Folder folder;
    static const fs::path made = [] {
        const fs::path top = folder.path() / "root";
        for (const char* name : {"proc", "dev", "tmp", "usr", "bin", "lib", "lib64"})
            fs::create_directories(top / name);
        fs::permissions(top, fs::perms(0755));
        return top;
    }();
    return made;
}

Exit run_tool(SyscallProfile profile, std::vector<std::string> argv) {
    Spec job;
    job.root = host_root();
    job.argv = std::move(argv);
    job.environment = {{"PATH", "/usr/bin:/bin"}, {"HOME", "/tmp"}, {"LANG", "C.UTF-8"}};
    job.syscalls = profile;
    for (const char* name : {"/usr", "/bin", "/lib", "/lib64"})
        if (fs::exists(name)) job.mounts.push_back({name, name});
    return run(job);
}

void check_output(const Exit& exit, const std::string& expected) {
    INFO(exit.setup_error << exit.err);
    CHECK(exit.ending == Ending::exited);
    CHECK(exit.status == 0);
    CHECK(exit.out == expected);
}

}  // namespace

TEST_CASE("a shell has pipes, jobs, files and traps under its profile", "[host-tools]") {
    check_output(run_tool(SyscallProfile::shell, {"/bin/bash", "-euc", R"(
trap 'echo trapped' USR1
for i in 1 2 3; do (echo "child $i" >> /tmp/list) & done; wait
sort /tmp/list | tr a-z A-Z | head -n 2
mkdir -p /tmp/a/b; mv /tmp/list /tmp/a/b/; ln -s b /tmp/a/c; cat /tmp/a/c/list | wc -l
read -r line < <(printf 'first\nsecond\n'); echo "$line"
kill -USR1 $$
mkfifo /tmp/fifo; (echo through > /tmp/fifo) & cat /tmp/fifo
chmod 600 /tmp/a/b/list; stat -c %a /tmp/a/b/list; rm -r /tmp/a
sleep 0.01; date +%Y | grep -c 20; (exit 7) || echo "$?"
)"}),
                 "CHILD 1\nCHILD 2\n3\nfirst\ntrapped\nthrough\n600\n1\n7\n");
}

TEST_CASE("Python has threads, processes, sockets and event loops under its profile",
          "[host-tools]") {
    if (::access("/usr/bin/python3", X_OK) != 0) FAIL("python3 is missing: run scripts/setup");
    check_output(run_tool(SyscallProfile::python, {"/usr/bin/python3", "-I", "-c", R"(
import asyncio, concurrent.futures, hashlib, json, mmap, os, queue, shutil, signal, socket
import subprocess, tempfile, threading, time, zlib
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    print(sum(pool.map(lambda n: n * n, range(10))))
print(subprocess.run(["echo", "sub"], capture_output=True, text=True, check=True).stdout.strip())
a, b = socket.socketpair()
threading.Thread(target=lambda: a.sendall(b"pair")).start()
print(b.recv(10).decode())
async def main():
    p = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1)
    out, _ = await p.communicate(b"async")
    await asyncio.sleep(0.001)
    print(out.decode())
asyncio.run(main())
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "file")
    with open(path, "w+b") as file:
        file.truncate(4096)
        with mmap.mmap(file.fileno(), 4096) as view: view[:4] = b"mmap"
    shutil.copy(path, path + "2"); os.replace(path + "2", path)
    print(open(path, "rb").read(4).decode(), len(os.listdir(folder)))
signal.signal(signal.SIGALRM, lambda *_: print("alarm"))
signal.setitimer(signal.ITIMER_REAL, 0.01); signal.pause()
print(hashlib.sha256(b"").hexdigest()[:8], json.dumps({"a": 1}), zlib.crc32(b"x"))
)"}),
                 "285\nsub\npair\nasync\nmmap 1\nalarm\ne3b0c442 {\"a\": 1} 2363233923\n");
}

TEST_CASE("a compiler and make build something under the profile for building", "[host-tools]") {
    check_output(run_tool(SyscallProfile::build, {"/bin/bash", "-euc", R"(
cd /tmp; export TMPDIR=/tmp
printf '#include <stdio.h>\nint main(void) { puts("built"); }\n' > main.c
printf 'main: main.c\n\t@gcc -O1 -o $@ $<\n' > Makefile
make -s; test -s main; file=$(od -An -c -N4 main | tr -d ' '); echo "$file"
tar -cf all.tar main.c Makefile; mkdir out; tar -xf all.tar -C out; ls out
./main 2>/dev/null || echo "it cannot be run in there"
)"}),
                 "177ELF\nMakefile\nmain.c\nit cannot be run in there\n");
}

TEST_CASE("under a profile that is too narrow, the same programs are refused", "[host-tools]") {
    const Exit shell =
        run_tool(SyscallProfile::deno, {"/bin/bash", "-c", "mkfifo /tmp/f; echo $?"});
    CHECK(shell.out != "0\n");
    const Exit python = run_tool(
        SyscallProfile::shell,
        {"/usr/bin/python3", "-I", "-c", "import os; os.memfd_create('x'); print('made')"});
    CHECK(python.out != "made\n");
}
