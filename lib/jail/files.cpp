#include "jail/files.h"

#include "base/error.h"
#include "base/fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace oauth3::jail::files {
namespace {

constexpr std::string_view kTop = "/tmp/";

/// All folders on the way to the last slash of an absolute path below kTop.
void make_folders(const std::string& path) {
    for (std::size_t end = path.find('/', kTop.size()); end != std::string::npos;
         end = path.find('/', end + 1)) {
        const std::string folder = path.substr(0, end);
        if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
            base::throw_errno("make folder " + folder);
    }
}

}  // namespace

void lay(const Job& job) {
    if (job.cwd.starts_with(kTop)) make_folders(job.cwd + "/");
    for (const File& file : job.files) {
        const std::string path = std::string(kTop) + file.path;
        make_folders(path);
        const base::Fd fd(
            ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!fd) base::throw_errno("write " + path);
        base::write_all(fd.get(), file.content);
    }
}

}  // namespace oauth3::jail::files
