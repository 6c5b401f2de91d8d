#pragma once

// Catch2 version 2 (Debian 12) and 3 have their all-in-one header under different names.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
