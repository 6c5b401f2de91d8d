// The same kernel through other doors of an x86-64 machine: the calls of 32-bit programs and of
// x32, whose numbers mean other calls than a filter thinks.
#include "words.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace hostile {
namespace {

long call_32(long call) {
    long result = 0;
    asm volatile("int $0x80" : "=a"(result) : "a"(call) : "memory", "r8", "r9", "r10", "r11");
    if (result >= 0) return result;
    errno = static_cast<int>(-result);
    return -1;
}

void call_as_32_bit(const Arguments&) {
    constexpr long kGetpid = 20;
    tell(call_32(kGetpid));
}

void call_as_x32(const Arguments&) {
    constexpr long kX32 = 0x40000000;
    tell(::syscall(kX32 | SYS_getpid));
}

/// A number that no kernel has: a filter must not let it through for later kernels.
void call_unknown(const Arguments&) {
    tell(::syscall(0x3ff));
}

constexpr Word kWords[] = {
    {"call-as-32-bit", call_as_32_bit},
    {"call-as-x32", call_as_x32},
    {"call-unknown", call_unknown},
};

}  // namespace

std::span<const Word> foreign_words() {
    return kWords;
}

}  // namespace hostile
