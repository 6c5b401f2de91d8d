#include "bench/bench.h"

#include "base/error.h"
#include "base/files.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <sstream>

namespace oauth3::bench {
namespace {

[[noreturn]] void fail(const std::string& why) {
    throw base::Error("failed", why);
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

}  // namespace

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double quantile(std::vector<double> values, double part) {
    std::sort(values.begin(), values.end());
    const auto rank =
        static_cast<std::size_t>(std::ceil(part * static_cast<double>(values.size())));
    return values.at(std::max<std::size_t>(rank, 1) - 1);
}

void print_row(const Row& row) {
    const bool met = row.at_least ? row.figure >= row.target : row.figure <= row.target;
    const std::string figure = fmt::format("{}{:.2f}{}{}", row.unit.empty() ? "ratio " : "",
                                           row.figure, row.unit.empty() ? "" : " ", row.unit);
    fmt::print("{:<44} {:>11} {:>11}   {:>11}   target {} {:.2f} {}\n", row.name, row.first,
               row.second, figure, row.at_least ? ">=" : "<=", row.target, met ? "met" : "MISSED");
    std::fflush(stdout);
}

Url parse_url(std::string_view text) {
    constexpr std::string_view kStart = "http://127.0.0.1:";
    Url out;
    if (text.starts_with(kStart)) {
        const std::string_view rest = text.substr(kStart.size());
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), out.port);
        out.path = rest.substr(static_cast<std::size_t>(end - rest.data()));
        if (out.path.empty()) out.path = "/";
        if (error == std::errc() && out.port != 0 && out.path.front() == '/') return out;
    }
    throw base::Error("usage", fmt::format("\"{}\" is not http://127.0.0.1:PORT/path", text));
}

std::string request_text(std::string_view method, std::string_view path, std::string_view key,
                         std::string_view body) {
    std::string out = fmt::format(
        "{} {} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\n", method, path, key);
    if (!body.empty())
        out += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size());
    return out + "\r\n" + std::string(body);
}

base::Fd connect_to(std::uint16_t port) {
    base::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) base::throw_errno("socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        base::throw_errno("connect");
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

std::optional<std::size_t> reply_size(std::string_view bytes) {
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    const std::string head = lower(bytes.substr(0, end));
    constexpr std::string_view kName = "\r\ncontent-length: ";
    const std::size_t at = head.find(kName);
    std::size_t length = 0;
    if (at == std::string::npos) fail("a reply has no length:\n" + head);
    std::from_chars(head.data() + at + kName.size(), head.data() + head.size(), length);
    const std::size_t size = end + 4 + length;
    return bytes.size() < size ? std::nullopt : std::optional(size);
}

void check_ok(std::string_view reply) {
    if (!reply.starts_with("HTTP/1.1 200 ")) fail("a call failed:\n" + std::string(reply));
}

std::string text_member(std::string_view body, std::string_view name) {
    const std::string start = fmt::format("\"{}\":\"", name);
    const std::size_t at = body.find(start);
    if (at == std::string_view::npos) fail(fmt::format("no {} in {}", name, body));
    body.remove_prefix(at + start.size());
    return std::string(body.substr(0, body.find('"')));
}

void Client::send(std::string_view request) {
    while (!request.empty()) {
        const ssize_t sent = ::send(fd_.get(), request.data(), request.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) base::throw_errno("send");
        request.remove_prefix(static_cast<std::size_t>(sent));
    }
}

std::string Client::receive() {
    std::array<char, 16384> buffer{};
    for (;;) {
        if (const auto size = reply_size(in_)) {
            std::string reply = in_.substr(0, *size);
            in_.erase(0, *size);
            check_ok(reply);
            return reply;
        }
        const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) base::throw_errno("recv");
        if (got == 0) fail("the server closed the connection");
        in_.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

std::size_t resident_bytes(int pid) {
    std::istringstream in(base::read_file(fmt::format("/proc/{}/statm", pid)));
    std::size_t all = 0, resident = 0;
    in >> all >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

double cpu_seconds(int pid) {
    const std::string text = base::read_file(fmt::format("/proc/{}/stat", pid));
    // The name, in brackets, may hold anything; the times are the 12th and 13th field behind it.
    std::istringstream in(text.substr(text.rfind(')') + 1));
    std::string skipped;
    for (int i = 0; i < 11; ++i) in >> skipped;
    double user = 0, system = 0;
    in >> user >> system;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::size_t open_files(int pid) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", pid))) {
        (void)entry;
        ++count;
    }
    return count;
}

std::size_t raise_file_limit() {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0) base::throw_errno("getrlimit");
    files.rlim_cur = files.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &files) != 0) base::throw_errno("setrlimit");
    return files.rlim_cur;
}

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

}  // namespace oauth3::bench
