#include "jail/job.h"

#include "base/error.h"
#include "support/catch.h"

using namespace oauth3;
using namespace oauth3::jail;

namespace {

Spec full() {
    Spec spec;
    spec.root = "/the/root";
    spec.argv = {"/program", "", "argument with spaces"};
    spec.environment = {{"A", "1"}, {"B", ""}};
    spec.cwd = "/tmp/work";
    spec.files = {{"work/main.ts", std::string("a\0b", 3)}, {"x", std::string(3 << 20, 'y')}};
    spec.mounts = {{"/usr", "/usr"}, {"/opt", "/extra"}};
    spec.tmp_bytes = 12345;
    spec.hostname = "name";
    spec.syscalls = SyscallProfile::python;
    spec.without.syscall_filter = true;
    spec.limits = {16, 2, 3, 4, 5, 6, 7};
    spec.spares = 8;
    spec.cpu_seconds = 9;
    spec.probe = Probe::none;
    return spec;
}

const Isolation& isolation_of(const Spec& spec) {
    return spec;
}

const Job& job_of(const Spec& spec) {
    return spec;
}

}  // namespace

TEST_CASE("a job arrives as it was sent") {
    const Spec sent = full();
    const Spec got{decode_isolation(encode(isolation_of(sent))), decode_job(encode(job_of(sent)))};
    CHECK(got.root == sent.root);
    CHECK(got.argv == sent.argv);
    CHECK(got.environment == sent.environment);
    CHECK(got.cwd == sent.cwd);
    REQUIRE(got.files.size() == 2);
    CHECK(got.files[0].path == sent.files[0].path);
    CHECK(got.files[0].content == sent.files[0].content);
    CHECK(got.files[1].content == sent.files[1].content);
    REQUIRE(got.mounts.size() == 2);
    CHECK(got.mounts[1].source == "/opt");
    CHECK(got.mounts[1].target == "/extra");
    CHECK(got.tmp_bytes == 12345);
    CHECK(got.hostname == "name");
    CHECK(got.syscalls == SyscallProfile::python);
    CHECK(got.without.syscall_filter);
    CHECK_FALSE(got.without.landlock);
    CHECK(got.limits.open_files == 16);
    CHECK(got.limits.processes == 2);
    CHECK(got.limits.file_bytes == 3);
    CHECK(got.limits.locked_bytes == 4);
    CHECK(got.limits.memory_bytes == 5);
    CHECK(got.limits.cpu_weight == 6);
    CHECK(got.limits.tmp_inodes == 7);
    CHECK(got.spares == 8);
    CHECK(got.cpu_seconds == 9);
    CHECK(encode(isolation_of(got)) == encode(isolation_of(sent)));
    CHECK(encode(job_of(got)) == encode(job_of(sent)));
}

TEST_CASE("a job that is cut, longer or damaged is refused and never overread") {
    Spec spec = full();
    spec.files.pop_back();
    const auto attack = [](const std::string& bytes, const auto& decode) {
        for (std::size_t size = 0; size < bytes.size(); ++size)
            CHECK_THROWS_AS(decode(bytes.substr(0, size)), base::Error);
        CHECK_THROWS_AS(decode(bytes + "x"), base::Error);
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            std::string damaged = bytes;
            damaged[i] = '\xff';
            try {
                decode(damaged);
            } catch (const base::Error& error) {
                CHECK(error.code() == "bad_job");
            }
        }
    };
    attack(encode(job_of(spec)), decode_job);
    attack(encode(isolation_of(spec)), decode_isolation);
}

TEST_CASE("what a jail is made of has a limit") {
    Isolation isolation = isolation_of(full());
    isolation.mounts.assign(1000, {"/usr", "/usr"});
    CHECK_NOTHROW(decode_isolation(encode(isolation)));
    isolation.mounts.assign(2000, {"/usr", "/usr"});
    CHECK_THROWS_AS(encode(isolation), base::Error);
    isolation.mounts.clear();
    isolation.spares = kMaxSpares + 1;
    CHECK_THROWS_AS(encode(isolation), base::Error);
}
