#pragma once

#include "base/fd.h"

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

// Runs the real program, in a home folder of its own.

namespace oauth3::test {

struct Finished {
    int code = -1;  ///< exit code, or -signal
    std::string out;
    std::string err;
};

/// A temporary folder that is a program's HOME, with a file for its code.
class Home {
  public:
    Home();
    ~Home();
    Home(const Home&) = delete;
    Home& operator=(const Home&) = delete;

    const std::filesystem::path& path() const { return path_; }
    std::string file(const std::string& name, const std::string& text, unsigned mode = 0600) const;
    std::string read(const std::string& name) const;
    bool has(const std::string& name) const { return std::filesystem::exists(path_ / name); }
    unsigned mode(const std::string& name) const;

  private:
    std::filesystem::path path_;
};

struct RunOptions {
    std::map<std::string, std::string> environment = {};
    std::string input = {};
    /// Gives the program this terminal as its controlling one, and as stdout if `terminal_out`.
    std::string terminal = {};
    bool terminal_out = false;
};

class Program {
  public:
    Program(const Home& home, const std::vector<std::string>& arguments, RunOptions options = {});
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    void signal(int number) const;
    Finished wait();

  private:
    const Home& home_;
    std::string name_;
    pid_t pid_ = -1;
};

Finished run_program(const Home& home, const std::vector<std::string>& arguments,
                     RunOptions options = {});

/// Text as it was before it was wrapped: each stretch of white space is one blank.
std::string unwrapped(const std::string& text);

/// A pseudo-terminal: the test sits at it.
class PseudoTerminal {
  public:
    PseudoTerminal();
    const std::string& name() const { return name_; }
    /// Reads until `text` was seen; returns everything read so far.
    std::string read_until(const std::string& text);
    void type(const std::string& text) const;

  private:
    base::Fd master_;
    base::Fd slave_;
    std::string name_;
    std::string seen_;
};

}  // namespace oauth3::test
