#pragma once

#include "jail/spawner.h"
#include "jail/supervise.h"
#include "support/temporary_folder.h"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace oauth3::jail::test {

/// The one spawner of the test program, and a root that holds the hostile program as /hostile.
const Spawner& spawner();
const std::filesystem::path& root();

/// A jail that runs the hostile program with these arguments.
Spec spec(std::vector<std::string> arguments);

/// Runs it to its end.
Exit run(const Spec& spec, const SuperviseOptions& options = {});
Exit probe(std::vector<std::string> arguments);

/// Launches it and waits until its program has written something. Throws if that never comes.
Process running(const Spawner& spawner, const Spec& spec);

/// Waits until exactly so many jails wait for jobs there, and nothing else is below the helper.
bool come_to_rest(const Spawner& spawner, std::size_t spares);

/// A copy of root() below `folder`, that a jail can have as its root.
std::filesystem::path copy_root(const std::filesystem::path& folder);

/// Runs the same program outside any jail, as whoever runs the tests: its stdout.
std::string outside(const std::vector<std::string>& arguments);

/// A process of its own, in the place of a server, that does `work` and ends with its result (64
/// if it throws). Without exec it is a copy of this test program, so it must not return.
pid_t fork_server(const std::function<int()>& work);

/// What `work` says, done by an ordinary user: by a child with another user id if the tests run as
/// root, which does `before` while it is still root. spec() then takes a root that this user can
/// read, and spawner() must not be used.
std::string as_user(
    const std::function<std::string()>& work, const std::function<void()>& before = [] {});

std::vector<std::string> lines(const std::string& text);

/// The value of a line "name:\tvalue" in /proc/<pid>/status.
std::string status_line(pid_t pid, const std::string& name);

/// The jail's pid 1, seen from outside, and everything below it.
std::vector<pid_t> tree_of(const Process& process);

/// Of its first thread.
std::vector<pid_t> children_of(pid_t pid);

/// True if there is no such process, or it only waits to be reaped.
bool is_dead(pid_t pid);

/// Waits for something that another process is about to do. False if it never comes.
bool eventually(const std::function<bool()>& condition);

/// A temporary folder that goes with its owner.
using Folder = oauth3::test::TemporaryFolder;

}  // namespace oauth3::jail::test
