#include "runtime/deno.h"

#include "base/error.h"
#include "base/files.h"
#include "runtime/deno_root.h"
#include "support/catch.h"

#include <unistd.h>

#include <filesystem>
#include <thread>

using namespace oauth3;
using namespace oauth3::runtime;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

const jail::Spawner& spawner() {
    static const jail::Spawner one = jail::Spawner::start();
    return one;
}

/// A temporary folder that goes with its owner.
class Folder {
  public:
    Folder() {
        std::string path = (fs::temp_directory_path() / "oauth3-runtime-XXXXXX").string();
        if (::mkdtemp(path.data()) == nullptr) base::throw_errno("mkdtemp");
        path_ = path;
    }
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

/// The pinned Deno of this source tree, or else the one of the machine.
fs::path binary() {
    const fs::path pinned =
        OAUTH3_SOURCE_DIR "/scripts/deno/node_modules/@deno/linux-x64-glibc/deno";
    return find_deno(fs::exists(pinned) ? pinned : fs::path());
}

const Deno& deno() {
    static const Folder folder;
    spawner();
    static const Deno one(spawner(), binary(), folder.path() / "jail");
    return one;
}

Outcome run(const std::string& code, std::chrono::milliseconds timeout = 60s) {
    Job job;
    job.code = code;
    job.timeout = timeout;
    return deno().run(job, nullptr);
}

bool holds(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("hello") {
    const Outcome outcome = run("console.log('hello', 1 + 1)");
    CHECK(outcome.setup_error == "");
    CHECK(outcome.cause == Cause::finished);
    CHECK(outcome.exit_code == 0);
    CHECK(outcome.out == "hello 2\n");
    CHECK(outcome.err == "");
    CHECK(outcome.usage.peak_memory_bytes > (1 << 20));
}

TEST_CASE("TypeScript is understood, and exit codes are the program's own") {
    const Outcome typed = run("const n: number = 40; console.log(n + 2); Deno.exit(3)");
    CHECK(typed.cause == Cause::finished);
    CHECK(typed.exit_code == 3);
    CHECK(typed.out == "42\n");

    const Outcome thrown = run("console.log('before'); throw new Error('boom')");
    CHECK(thrown.cause == Cause::finished);
    CHECK(thrown.exit_code == 1);
    CHECK(thrown.out == "before\n");
    CHECK(holds(thrown.err, "boom"));
    CHECK_FALSE(holds(thrown.err, "\x1b["));

    const Outcome broken = run("this is not a program");
    CHECK(broken.cause == Cause::finished);
    CHECK(broken.exit_code == 1);
    CHECK(broken.err != "");
}

TEST_CASE("an endless loop is killed at its deadline, with what it said before") {
    const Outcome outcome = run("console.log('spinning'); while (true) {}", 1s);
    CHECK(outcome.cause == Cause::deadline);
    CHECK(outcome.exit_code == 124);
    CHECK(outcome.out == "spinning\n");
    CHECK(outcome.usage.wall >= 1s);
}

TEST_CASE("files, programs and the network are refused") {
    for (const char* code :
         {"Deno.readTextFileSync('/etc/passwd')", "await Deno.readTextFile('main.ts')",
          "Deno.writeTextFileSync('/tmp/x', 'x')", "new Deno.Command('/deno').outputSync()",
          "await fetch('http://127.0.0.1:9/')", "await fetch('https://example.org/')",
          "await Deno.connect({hostname: '127.0.0.1', port: 9})", "Deno.hostname()",
          "await import('https://example.org/mod.ts')"}) {
        INFO(code);
        const Outcome outcome = run(code);
        CHECK(outcome.cause == Cause::finished);
        CHECK(outcome.exit_code == 1);
        CHECK(outcome.out == "");
        CHECK(outcome.err != "");
    }
    // Without leave to read, Deno itself still reads what a literal import names: there must be
    // nothing to read.
    const Outcome import = run("import('file:///proc/self/environ')");
    CHECK(import.exit_code == 1);
    CHECK(run("import('file:///etc/passwd')").err.find("root:") == std::string::npos);
}

TEST_CASE("a host that was given passes Deno's gate, and leads nowhere from the jail") {
    Job job;
    job.code = "try { await fetch('http://127.0.0.1:4999/'); } catch (e) { console.log(e.name) }";
    CHECK(holds(deno().run(job, nullptr).out, "NotCapable"));
    job.hosts = {"127.0.0.1:4999"};
    CHECK(deno().run(job, nullptr).out == "TypeError\n");
    job.hosts = {"a.example,--allow-all"};
    CHECK(deno().run(job, nullptr).cause == Cause::setup);
}

TEST_CASE("the environment is what the job gives, and Deno's own") {
    Job job;
    job.code =
        "console.log(Deno.env.get('NAME'), Deno.env.get('OPTIONAL'));"
        "console.log(Object.keys(Deno.env.toObject()).sort().join())";
    job.environment = {{"NAME", "wert = ü\n"}, {"EMPTY", ""}};
    const Outcome outcome = deno().run(job, nullptr);
    // Deno itself adds PATH, for the Node programs it imitates, and a mark that it does so.
    CHECK(
        outcome.out ==
        "wert = ü\n undefined\nDENO_DIR,DENO_NODE_SHIM_ACTIVE,DENO_NO_UPDATE_CHECK,EMPTY,HOME,NAME,"
        "NO_COLOR,PATH\n");
}

TEST_CASE("code and environment may be as large as the wire allows") {
    Job job;
    job.code = "console.log(Deno.env.get('SKILL_ARGS').length);//" + std::string(1 << 20, 'x');
    job.environment = {{"SKILL_ARGS", std::string(96 << 10, 'a')},
                       {"OTHER", std::string(96 << 10, 'b')}};
    CHECK(deno().run(job, nullptr).out == "98304\n");
}

TEST_CASE("a heap above the limit is cause memory") {
    const Outcome outcome =
        run("const all = []; for (;;) all.push(new Array(1000000).fill(all.length + 0.5))");
    CHECK(outcome.cause == Cause::memory);
    CHECK(outcome.exit_code == 128 + outcome.signal);
    CHECK(outcome.signal != 0);
    CHECK(outcome.usage.peak_memory_bytes > (std::uint64_t{256} << 20));
}

TEST_CASE("a program that only claims to be out of memory is not") {
    const Outcome outcome = run("console.error('JavaScript heap out of memory'); Deno.exit(5)");
    CHECK(outcome.cause == Cause::finished);
    CHECK(outcome.exit_code == 5);
}

TEST_CASE("output is capped at 1 MiB for each stream while the run goes on") {
    const Outcome outcome =
        run("const block = new Uint8Array(1 << 20).fill(120);"
            "function all(to) { for (let n = 0; n < block.length;) n += "
            "to.writeSync(block.subarray(n)) }"
            "for (let i = 0; i < 5; i++) { all(Deno.stdout); all(Deno.stderr) }"
            "Deno.exit(9)");
    CHECK(outcome.cause == Cause::finished);
    CHECK(outcome.exit_code == 9);
    CHECK(outcome.out == std::string(1 << 20, 'x'));
    CHECK(outcome.err == std::string(1 << 20, 'x'));
    CHECK(outcome.out_truncated);
    CHECK(outcome.err_truncated);
}

TEST_CASE("bytes that are not UTF-8 come through as they are") {
    const Outcome outcome = run("Deno.stdout.writeSync(new Uint8Array([0xff, 0, 0xc3, 10]))");
    CHECK(outcome.out == std::string("\xff\0\xc3\n", 4));
    CHECK_FALSE(outcome.out_truncated);
}

TEST_CASE("a stop signal cancels, before the start as well as later") {
    const Deno& ready = deno();
    Job job;
    job.code = "console.log('on'); setInterval(() => {}, 1000)";
    jail::StopSignal before;
    before.request_stop();
    CHECK(ready.run(job, &before).cause == Cause::cancelled);

    jail::StopSignal later;
    std::thread human([&] { later.request_stop(); });
    const Outcome outcome = ready.run(job, &later);
    human.join();
    CHECK(outcome.cause == Cause::cancelled);
    CHECK(outcome.exit_code == 137);
}

TEST_CASE("runs do not see one another") {
    run("console.log('x')");
    const Outcome outcome =
        run("try { console.log([...Deno.readDirSync('/tmp')].length) } catch (e) { "
            "console.log(e.name) }");
    CHECK(outcome.out == "NotCapable\n");
    std::vector<std::thread> threads;
    std::vector<Outcome> outcomes(4);
    for (std::size_t i = 0; i < outcomes.size(); ++i)
        threads.emplace_back(
            [i, &outcomes] { outcomes[i] = run("console.log('run', " + std::to_string(i) + ")"); });
    for (auto& thread : threads) thread.join();
    for (std::size_t i = 0; i < outcomes.size(); ++i)
        CHECK(outcomes[i].out == "run " + std::to_string(i) + "\n");
}

TEST_CASE("the version is told by the binary itself") {
    const std::string version = deno().version();
    CHECK(version.find('.') != std::string::npos);
    CHECK(run("console.log(Deno.version.deno)").out == version + "\n");
}
