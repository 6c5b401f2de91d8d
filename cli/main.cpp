#include "cli/command.h"

int main(int argc, char** argv) {
    return oauth3::cli::run(argc, argv);
}
