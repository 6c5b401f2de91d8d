#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace oauth3::fuzz {

/// How a program reads what RFC 9112 leaves to it, or what it gets wrong. Real programs are to be
/// found for each of these.
struct Manner {
    bool bare_lf = false;           ///< a line ends at LF, with or without a CR before it
    bool bare_cr = false;           ///< a line ends at a CR too
    bool folds = false;             ///< a line that begins with a blank goes on with the one before
    bool loose_names = false;       ///< blanks around names do not count
    bool last_length_wins = false;  ///< of several Content-Length, not the first
    bool length_over_chunks = false;  ///< Content-Length counts where both are given
    bool loose_chunked = false;       ///< any coding that names chunked, anywhere, is chunked
    bool bare_lf_in_chunks = false;   ///< as bare_lf, but only between chunks
};

struct Heard {
    std::string method;
    std::string target;
    std::string body;
    bool operator==(const Heard&) const = default;
};

/// The requests that a program of this manner would hear in `bytes`, up to the first that it
/// refuses or that is not whole.
std::vector<Heard> listen(std::string_view bytes, const Manner& manner);

}  // namespace oauth3::fuzz
