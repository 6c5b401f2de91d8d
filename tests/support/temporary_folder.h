#pragma once

#include "base/files.h"

#include <filesystem>
#include <string>

namespace oauth3::test {

/// A folder of the product's own kind, named for the tests.
class TemporaryFolder : public base::TemporaryFolder {
  public:
    TemporaryFolder() : base::TemporaryFolder("test") {}
    std::filesystem::path operator/(const std::string& name) const { return path() / name; }
};

}  // namespace oauth3::test
