#include "words.h"

#include <signal.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace hostile {

void tell(long result) {
    std::printf("%s\n", result >= 0 ? "ok" : strerrorname_np(errno));
    std::fflush(stdout);
}

int number(const Arguments& a) {
    return a.empty() ? 0 : std::atoi(a[0].c_str());
}

void ignore_all_signals() {
    for (int i = 1; i < NSIG; ++i) ::signal(i, SIG_IGN);
}

}  // namespace hostile

int main(int argc, char** argv) {
    using namespace hostile;
    const std::string wanted = argc > 1 ? argv[1] : "";
    for (const auto words : {memory_words(), process_words(), file_words(), seeing_words()})
        for (const Word& word : words) {
            if (wanted != word.name) continue;
            const int result = word.probe(Arguments(argv + 2, argv + argc));
            std::fflush(stdout);
            return result;
        }
    return 99;
}
