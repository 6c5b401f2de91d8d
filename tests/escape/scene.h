#pragma once

#include "jail/fixture.h"

#include <filesystem>
#include <string>
#include <vector>

namespace oauth3::escape {

/// Makes what there is to get at outside, starts the spawner after it, and keeps all of it until
/// the program ends: a file, a variable of the environment, an open folder that is not
/// close-on-exec, sockets of each kind, shared memory, a message queue.
///
/// In the words of an attack these stand for it:
///   {server}    process id of the test program, in the place of a server
///   {helper}    process id of the spawner's helper
///   {folder}    a folder of the host that everybody can enter, with the file "secret" (readable
///               for everybody), the socket "socket" and the folder "shared", which is /extra in
///               the jail and holds links that point out of it
///   {tcp} {tcp6} {udp}    ports of the loopback interface on which the server listens
///   {abstract}  name of its abstract socket, with a leading "@"
///   {key} {queue}         of its shared memory and its message queue
void prepare_scene();
std::string fill_in(std::string text);
std::vector<std::string> fill_in(std::vector<std::string> words);

/// The jail of the attacks: as jail::test::spec(), with limits that a bomb reaches soon.
jail::Spec spec(const std::vector<std::string>& words);

/// What a run comes to in one word: what the program told on stdout without the last newline, or
/// the name of the signal that ended it ("SIGSYS"), or "deadline", or why it never started.
std::string told_by(const jail::Exit& exit);

/// What a program outside any jail says on stdout, with this environment.
std::string output_of(std::vector<std::string> words, std::vector<std::string> environment);

/// True if the tests run as the machine's root, with the rights that demonstrations need.
bool is_mighty();

/// The folder behind {folder}.
const std::filesystem::path& folder();

/// Stands in the environment of the server, so nowhere in a jail.
inline constexpr const char* kPlantedVariable = "OAUTH3_ESCAPE_PLANTED";

}  // namespace oauth3::escape
