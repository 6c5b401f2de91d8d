// The one place where the code of Asio and Beast is compiled; everywhere else only declarations
// are (BOOST_ASIO_SEPARATE_COMPILATION).

// Asio 1.81 uses std::exchange without including <utility>, so the order matters.
// clang-format off
#include <utility>
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
// clang-format on
