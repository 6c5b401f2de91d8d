// What a client sends on one connection, read by the server's own connection over a socket pair and
// a loop that never sleeps. Promises:
//   - how the bytes are cut into packets changes nothing;
//   - what is accepted is what every other manner of reading HTTP hears (no smuggling);
//   - what is accepted, written out again, is accepted as the same request;
//   - each request and each refusal has one well-formed reply, whatever of the request is reflected
//     in it (no response splitting), and the connection ends.

#include "base/fd.h"
#include "fuzz/fuzz.h"
#include "fuzz/http_model.h"
#include "http/connection.h"
#include "http/form.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

using namespace oauth3;
using fuzz::require;
using http::Request;

namespace {

constexpr std::size_t kBodyLimit = 4096;
constexpr std::size_t kHeadLimit = 2048;

/// What came of the bytes of one connection.
struct Talk {
    std::vector<Request> accepted;
    std::vector<http::Response> answers;  ///< as the handler gave them
    std::vector<std::string> failed;      ///< the methods of what was refused, as far as read
    std::string sent;                     ///< what the client got
};

http::Response reflect(const Request& request) {
    http::Response out;
    const auto header = [&](const char* name, std::string value) {
        out.headers.emplace_back(name, std::move(value));
    };
    header("X-Method", request.method);
    header("X-Path", http::percent_decode(request.path).value_or("(malformed)"));
    header("X-Query", http::percent_decode(request.query).value_or("(malformed)"));
    for (const auto& [name, value] : request.fields) header("X-Field", name + "=" + value);
    out.body = request.body;
    return out;
}

class Wire {
  public:
    Wire()
        : loop_(
              options(), [this](Request& r) { return handle(r); }, &Wire::fail) {
        failed_ = &talk_.failed;
    }

    /// Plays `bytes` in packets that end at `cuts`.
    Talk play(std::string_view bytes, const std::vector<std::size_t>& cuts) {
        talk_ = {};
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0)
            fuzz::broken("socketpair");
        const base::Fd client(ends[0]);
        open(ends[1]);
        run(client.get());
        std::size_t from = 0;
        for (std::size_t i = 0; i <= cuts.size() && loop_.open != 0; ++i) {
            const std::size_t to = i < cuts.size() ? cuts[i] : bytes.size();
            const std::string_view part = bytes.substr(from, to - from);
            from = to;
            // Nobody listens any more: it was told to close, and stops at the end of the input.
            if (::send(client.get(), part.data(), part.size(), MSG_NOSIGNAL) !=
                static_cast<ssize_t>(part.size()))
                break;
            run(client.get());
        }
        ::shutdown(client.get(), SHUT_WR);
        run(client.get());
        require(loop_.open == 0, "a connection ends with its client");
        require(loop_.waiting == 0 && loop_.waiters.empty(), "no waiter is left behind");
        return std::move(talk_);
    }

  private:
    static http::Options options() {
        http::Options out;
        out.body_limit = kBodyLimit;
        out.header_limit = kHeadLimit;
        return out;
    }

    void open(int fd) {
        http::Socket socket(io_.get_executor());
        socket.assign(http::Protocol(AF_UNIX, 0), fd);
        http::Connection::Ends ends;
        ends.remote_address = "127.0.0.1";
        ends.remote_is_loopback = true;
        std::make_shared<http::Connection>(loop_, http::Stream(std::move(socket), nullptr),
                                           std::move(ends), nullptr, io_.get_executor())
            ->start();
    }

    /// Lets the server do all that it can do now, and wakes what waits.
    void run(int client) {
        for (;;) {
            io_.restart();
            io_.poll();
            static std::array<char, 65536> buffer;
            ssize_t got = 0;
            bool more = false;
            while ((got = ::recv(client, buffer.data(), buffer.size(), 0)) > 0) {
                talk_.sent.append(buffer.data(), static_cast<std::size_t>(got));
                more = true;
            }
            if (!loop_.waiters.empty()) {
                loop_.waiters.begin()->second->shared_from_this()->ask(false);
                more = true;
            }
            if (!more) return;
        }
    }

    http::Reply handle(Request& request) {
        talk_.accepted.push_back(request);
        talk_.answers.push_back(reflect(request));
        if (!request.query.starts_with("wait")) return talk_.answers.back();
        return http::Hold{"key", base::Millis(3'600'000),
                          [answer = talk_.answers.back(),
                           asked = 0](bool last) mutable -> std::optional<http::Response> {
                              if (!last && asked++ == 0) return std::nullopt;
                              return answer;
                          }};
    }

    static http::Response fail(http::Failure failure, const Request& request) {
        failed_->push_back(request.method);
        return {http::status_of(failure), {{"X-Failure", "yes"}}, "failed", false};
    }

    static inline std::vector<std::string>* failed_ = nullptr;
    Talk talk_;
    http::Loop loop_;
    http::asio::io_context io_{1};
};

/// A reply as a strict client reads it. False if there is none at the start of `rest`.
struct Read {
    unsigned status = 0;
    http::Fields headers;
    std::string body;
};

Read take_reply(std::string_view& rest, bool to_head) {
    Read out;
    const std::size_t end = rest.find("\r\n\r\n");
    require(end != std::string_view::npos, "a reply has a head", rest);
    std::string_view head = rest.substr(0, end + 2);
    rest.remove_prefix(end + 4);
    for (bool first = true; !head.empty(); first = false) {
        const std::string_view line = head.substr(0, head.find("\r\n"));
        head.remove_prefix(line.size() + 2);
        require(line.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos,
                "a line of a reply is one line", line);
        if (first) {
            require(line.starts_with("HTTP/1.1 ") && line.size() > 12, "a status line", line);
            std::from_chars(line.data() + 9, line.data() + 12, out.status);
            continue;
        }
        const std::size_t colon = line.find(": ");
        require(colon != std::string_view::npos, "a header line of a reply", line);
        out.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
    std::size_t length = 0;
    for (const auto& [name, value] : out.headers)
        if (name == "Content-Length")
            std::from_chars(value.data(), value.data() + value.size(), length);
    if (to_head || out.status < 200 || out.status == 204 || out.status == 304) length = 0;
    require(length <= rest.size(), "a reply is whole");
    out.body = rest.substr(0, length);
    rest.remove_prefix(length);
    return out;
}

/// The headers but the server's own.
http::Fields own(const http::Fields& headers) {
    http::Fields out;
    for (const auto& field : headers)
        if (field.first.starts_with("X-")) out.push_back(field);
    return out;
}

void check_replies(const Talk& talk) {
    std::string_view rest = talk.sent;
    std::size_t failures = 0;
    for (std::size_t i = 0; i < talk.accepted.size() || !rest.empty();) {
        if (rest.empty()) {
            // The client had left before the last reply was made.
            require(i + 1 == talk.accepted.size(), "only the last reply can be missing");
            break;
        }
        const bool is_answer = i < talk.accepted.size();
        const bool to_head = is_answer ? talk.accepted[i].method == "HEAD"
                                       : !talk.failed.empty() && talk.failed.back() == "HEAD";
        const Read reply = take_reply(rest, to_head);
        if (reply.status == 100) continue;
        for (const auto& [name, value] : reply.headers)
            require(name.starts_with("X-") || name == "Content-Length" || name == "Connection" ||
                        name == "Date",
                    "a reply has no header that nobody gave it", name);
        const http::Fields headers = own(reply.headers);
        if (!is_answer) {
            require(headers == http::Fields{{"X-Failure", "yes"}} && rest.empty(),
                    "behind the answers stands one refusal at most", talk.sent);
            ++failures;
            continue;
        }
        const http::Response& answer = talk.answers[i++];
        const bool sendable =
            std::all_of(answer.headers.begin(), answer.headers.end(),
                        [](const auto& field) { return http::is_field_value(field.second); });
        if (!sendable) {
            require(reply.status == 500 && headers == http::Fields{{"X-Failure", "yes"}},
                    "what would split a reply is not sent", talk.sent);
            ++failures;
            continue;
        }
        require(reply.status == 200 && headers == answer.headers, "headers arrive as given");
        require(reply.body == (talk.accepted[i - 1].method == "HEAD" ? "" : answer.body),
                "the body arrives as given");
    }
    require(failures == talk.failed.size(), "a refusal is sent once", talk.sent);
}

bool is_framing(std::string_view name) {
    for (const char* own : {"Content-Length", "Transfer-Encoding", "Connection", "Expect"})
        if (http::equal_ignoring_case(name, own)) return true;
    return false;
}

std::string text_of(const Request& request) {
    std::string out = request.method + " " + request.path;
    if (!request.query.empty()) out += "?" + request.query;
    out += " HTTP/1.1\r\n";
    if (!request.has_header("Host")) out += "Host: a\r\n";
    for (const auto& [name, value] : request.fields)
        if (!is_framing(name)) out += name + ": " + value + "\r\n";
    return out + fmt::format("Content-Length: {}\r\n\r\n", request.body.size()) + request.body;
}

bool same(const Request& a, const Request& b) {
    const auto fields = [](const Request& request) {
        http::Fields out;
        for (const auto& field : request.fields)
            if (!is_framing(field.first)) out.push_back(field);
        return out;
    };
    return a.method == b.method && a.path == b.path && a.query == b.query && a.body == b.body &&
           fields(a) == fields(b);
}

void check_written_again(Wire& wire, Request request) {
    const std::string text = text_of(request);
    if (text.find("\r\n\r\n") > kHeadLimit - 4) return;
    const Talk again = wire.play(text, {});
    require(again.accepted.size() == 1, "what was accepted is accepted again", text);
    if (!request.has_header("Host")) request.fields.insert(request.fields.begin(), {"Host", "a"});
    require(same(again.accepted.front(), request), "and is the same request", text);
}

void check_manners(std::string_view bytes, const Talk& talk) {
    static const std::vector<fuzz::Manner> kManners = {
        {},
        {.bare_lf = true},
        {.bare_lf = true, .bare_cr = true},
        {.bare_lf_in_chunks = true},
        {.folds = true, .loose_names = true, .loose_chunked = true},
        {.bare_lf = true, .folds = true, .loose_names = true, .last_length_wins = true},
        {.length_over_chunks = true},
    };
    for (std::size_t m = 0; m < kManners.size(); ++m) {
        const std::vector<fuzz::Heard> heard = fuzz::listen(bytes, kManners[m]);
        const std::string name = fmt::format("manner {}: {}", m, bytes);
        require(heard.size() >= talk.accepted.size(), "others hear every request", name);
        for (std::size_t i = 0; i < talk.accepted.size(); ++i) {
            const Request& request = talk.accepted[i];
            require(heard[i].method == request.method, "others hear the same method", name);
            require(heard[i].body == request.body, "others hear the same body", name);
            std::string target = request.path;
            if (!request.query.empty()) target += "?" + request.query;
            // An absolute target loses its authority, and an empty query its mark.
            require(heard[i].target.ends_with(target) || heard[i].target == target + "?" ||
                        heard[i].target.find("://") != std::string::npos,
                    "others hear the same target", name);
        }
    }
}

/// Places to cut, from the bytes themselves, so that an input always does the same.
std::vector<std::size_t> cuts_of(std::string_view bytes) {
    std::uint64_t state = 0xcbf29ce484222325U;
    for (const char c : bytes) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    std::vector<std::size_t> out;
    for (int i = 0; i < 6 && !bytes.empty(); ++i) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        out.push_back(static_cast<std::size_t>(state >> 33) % bytes.size());
    }
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Wire wire;
    const std::string_view bytes = fuzz::as_text(data, size);
    if (bytes.size() > (std::size_t{64} << 10)) return 0;  // the pair's buffer would not hold it
    const Talk whole = wire.play(bytes, {});
    check_replies(whole);
    const Talk cut = wire.play(bytes, cuts_of(bytes));
    check_replies(cut);
    require(whole.accepted.size() == cut.accepted.size(), "packets make no difference", bytes);
    for (std::size_t i = 0; i < whole.accepted.size(); ++i)
        require(same(whole.accepted[i], cut.accepted[i]), "packets make no difference", bytes);
    check_manners(bytes, whole);
    if (!whole.accepted.empty()) check_written_again(wire, whole.accepted.front());
    return 0;
}
