// What takes memory, in each way in which it can be counted wrongly.
#include "words.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <thread>

namespace hostile {
namespace {

/// Touches so many MiB, and keeps them.
bool eat(long megabytes, int sharing) {
    for (long i = 0; i < megabytes; ++i) {
        void* block =
            ::mmap(nullptr, kMegabyte, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED) return false;
        std::memset(block, 1, kMegabyte);
    }
    return true;
}

/// Eats, says so, and stays.
int eat_and_stay(const Arguments& a, int sharing) {
    tell(eat(number(a), sharing) ? 0 : -1);
    for (;;) ::pause();
    return 0;
}

/// So many children of which each eats so many MiB and stays.
int eat_in_children(const Arguments& a) {
    for (int i = std::atoi(a[0].c_str()); i > 0; --i)
        if (::fork() == 0) {
            eat(std::atoi(a[1].c_str()), MAP_PRIVATE);
            for (;;) ::pause();
        }
    tell(0);
    for (;;) ::pause();
    return 0;
}

/// Touched once, before the children are there: all of them have it, and it is there once.
int share_with_children(const Arguments& a) {
    eat(std::atoi(a[1].c_str()), MAP_PRIVATE);
    eat(std::atoi(a[1].c_str()), MAP_SHARED);
    for (int i = std::atoi(a[0].c_str()); i > 0; --i)
        if (::fork() == 0)
            for (;;) ::pause();
    tell(0);
    for (;;) ::pause();
    return 0;
}

/// With a name that could be taken for other fields of its files in /proc.
int eat_in_disguise(const Arguments& a) {
    ::prctl(PR_SET_NAME, ") R 1\nRssAnon:");
    return eat_and_stay(a, MAP_PRIVATE);
}

/// In the child of a thread that is not the first.
int eat_below_thread(const Arguments& a) {
    std::thread other([&] {
        if (::fork() == 0) eat_and_stay(a, MAP_PRIVATE);
        for (;;) ::pause();
    });
    other.join();
    return 0;
}

/// With the first thread gone, which /proc/<pid> tells of.
int eat_without_leader(const Arguments& a) {
    std::thread([a] { eat_and_stay(a, MAP_PRIVATE); }).detach();
    ::syscall(SYS_exit, 0);
    return 1;
}

/// So many MiB of page tables, each for a page of nothing.
int eat_page_tables(const Arguments& a) {
    constexpr size_t kPerTable = 2 * kMegabyte;
    ::prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    const size_t tables = static_cast<size_t>(number(a)) * 256;
    void* all = ::mmap(nullptr, tables * kPerTable, PROT_READ,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all != MAP_FAILED)
        for (size_t i = 0; i < tables; ++i) static_cast<volatile const char*>(all)[i * kPerTable];
    tell(all == MAP_FAILED ? -1 : 0);
    for (;;) ::pause();
    return 0;
}

/// So many files of 1 MiB.
int eat_in_files(const Arguments& a) {
    const std::string block(kMegabyte, 'x');
    for (int i = number(a); i > 0; --i) {
        const int fd =
            ::open(("/tmp/" + std::to_string(i)).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (::write(fd, block.data(), block.size()) < 0) break;
        ::close(fd);
    }
    tell(0);
    for (;;) ::pause();
    return 0;
}

constexpr Word kWords[] = {
    {"eat", [](const Arguments& a) { return eat_and_stay(a, MAP_PRIVATE); }},
    {"eat-shared", [](const Arguments& a) { return eat_and_stay(a, MAP_SHARED); }},
    {"eat-in-children", eat_in_children},
    {"eat-in-disguise", eat_in_disguise},
    {"eat-below-thread", eat_below_thread},
    {"eat-without-leader", eat_without_leader},
    {"eat-page-tables", eat_page_tables},
    {"eat-in-files", eat_in_files},
    {"share-with-children", share_with_children},
};

}  // namespace

std::span<const Word> memory_words() {
    return kWords;
}

}  // namespace hostile
