// The one place where the code of Asio and Beast is compiled; everywhere else only declarations
// are (BOOST_ASIO_SEPARATE_COMPILATION). GCC 12 and clang 14 want <utility> first.
#include <utility>

#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
