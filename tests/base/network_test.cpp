#include "base/network.h"

#include "base/utf8.h"
#include "support/catch.h"
#include "support/property.h"

#include <set>
#include <string>
#include <vector>

using oauth3::base::canonical_host;
using oauth3::base::Network;
using oauth3::base::parse_network;

namespace {

const oauth3::test::Cases kCases("max_success=1000 max_discard_ratio=100");

struct Spelling {
    std::string text;
    const char* canonical;  ///< nullptr: refused
};

std::string dotted(std::size_t labels, std::size_t length, const char* end) {
    std::string out;
    for (std::size_t i = 0; i < labels; ++i) out += std::string(length, 'a') + ".";
    return out + end;
}

const std::string k63(63, 'a');
const std::string k253 = dotted(3, 63, "") + std::string(61, 'b');

std::vector<Spelling> spellings() {
    return {
        // Plain names.
        {"localhost", "localhost"},
        {"example.com", "example.com"},
        {"EXAMPLE.Com", "example.com"},
        {"a.b.c.d.e.f", "a.b.c.d.e.f"},
        {"xn--p1ai", "xn--p1ai"},
        {"a-b.example", "a-b.example"},
        {"1password.com", "1password.com"},
        {"1.2.3.com", "1.2.3.com"},
        {"k8", "k8"},
        {"node-1.lab.site1", "node-1.lab.site1"},
        {"e0x1", "e0x1"},
        // One final dot says the same; more do not.
        {"example.com.", "example.com"},
        {"localhost.", "localhost"},
        {"example.com..", nullptr},
        {".example.com", nullptr},
        {"example..com", nullptr},
        {".", nullptr},
        {"..", nullptr},
        {"", nullptr},
        // Dots and letters of other scripts that mean ASCII.
        {"example\u3002com", "example.com"},
        {"example\uFF0Ecom", "example.com"},
        {"example\uFF61com", "example.com"},
        {"example.com\u3002", "example.com"},
        {"\uFF45\uFF58ample.com", "example.com"},
        {"\u212Aelvin.org", "kelvin.org"},
        {"ex\u00ADample.com", "example.com"},
        {"ex\u200Bample.com", "example.com"},
        {"ex\u2060ample.com", "example.com"},
        {"\u24D4xample.com", "example.com"},
        {"\U0001D41Eexample.com", "eexample.com"},
        // International names.
        {"b\u00FCcher.example", "xn--bcher-kva.example"},
        {"B\u00DCCHER.example", "xn--bcher-kva.example"},
        {"bu\u0308cher.example", "xn--bcher-kva.example"},
        {"XN--BCHER-KVA.example", "xn--bcher-kva.example"},
        {"fa\u00DF.de", "xn--fa-hia.de"},
        {"fass.de", "fass.de"},
        {"\u03B2\u03CC\u03BB\u03BF\u03C2.com", "xn--nxasmm1c.com"},
        {"\u4F8B\u3048.\u30C6\u30B9\u30C8", "xn--r8jz45g.xn--zckzah"},
        {"\U00020000.example", "xn--j50i.example"},
        // Allowed by UTS 46 but not by IDNA 2008, and libidn2 goes by both.
        {"\U0001F4A9.la", nullptr},
        {"p\u0430ypal.com", "xn--pypal-4ve.com"},
        {"\u0627\u0628\u062C\u062F.example", "xn--mgbcmm.example"},
        // Characters that become something dangerous, or nothing.
        {"a\u2100b.com", nullptr},
        {"example.com\uFF0Fpath", nullptr},
        {"example.com\uFF1A443", nullptr},
        {"user\uFF20example.com", nullptr},
        {"example\u2024com", nullptr},
        {"example\u2025com", nullptr},
        {"\uFF05example.com", nullptr},
        {"\uFF0Dexample.com", nullptr},
        {"\u00AD", nullptr},
        {"a.\u00AD.b", nullptr},
        {"\u0300a.com", nullptr},
        {"a\u200Db.com", nullptr},
        {"\u202Eexample.com", nullptr},
        {"exa\u2028mple.com", nullptr},
        {"\u2260.com", "xn--1ch.com"},
        {"\uFFFD.com", nullptr},
        {"\uE000.com", nullptr},
        // Broken A-labels.
        {"xn--", nullptr},
        {"xn--.com", nullptr},
        {"xn--a", nullptr},
        {"xn--a-.com", nullptr},
        {"xn--0.com", nullptr},
        {"xn--example-.com", nullptr},
        {"xn--99999999.com", nullptr},
        {"xn--pypal-4ve-.com", nullptr},
        {"xn--\u00FC.com", nullptr},
        {"ab--cd.com", nullptr},
        // Characters that no host has.
        {"exam_ple.com", nullptr},
        {"_dmarc.example.com", nullptr},
        {"exam ple.com", nullptr},
        {" example.com", nullptr},
        {"example.com ", nullptr},
        {"example.com\t", nullptr},
        {"example.com\n", nullptr},
        {"example.com\r\nHost: x", nullptr},
        {std::string("example.com\0.evil.org", 21), nullptr},
        {"%65xample.com", nullptr},
        {"example%2Ecom", nullptr},
        {"example.com%00", nullptr},
        {"user@example.com", nullptr},
        {"user:pw@example.com", nullptr},
        {"http://example.com", nullptr},
        {"example.com/", nullptr},
        {"example.com?x", nullptr},
        {"example.com#x", nullptr},
        {"example.com\\x", nullptr},
        {"example.com:443", nullptr},
        {"*.example.com", nullptr},
        {"*", nullptr},
        {"exam*ple.com", nullptr},
        {"<b>.com", nullptr},
        {"a,b.com", nullptr},
        {"a;b.com", nullptr},
        {"$HOME", nullptr},
        {"\xFF.com", nullptr},
        {"a\xC0\xAE"
         "com",
         nullptr},
        {"\xED\xA0\x80.com", nullptr},
        // Hyphens and lengths.
        {"-a.com", nullptr},
        {"a-.com", nullptr},
        {"a.-", nullptr},
        {"-", nullptr},
        {k63 + ".com", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.com"},
        {k63 + "a.com", nullptr},
        {k253, k253.c_str()},
        {k253 + ".", k253.c_str()},
        {k253 + "b", nullptr},
        {std::string(2000, 'a'), nullptr},
        // IPv4: the four-part decimal form, and nothing that libc would also read as an address.
        {"127.0.0.1", "127.0.0.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"1.2.3.4.", "1.2.3.4"},
        {"\uFF11\uFF12\uFF17.0.0.1", "127.0.0.1"},
        {"127\u30020\u30020\u30021", "127.0.0.1"},
        {"\u2460.2.3.4", "1.2.3.4"},
        {"127.1", nullptr},
        {"127.0.1", nullptr},
        {"0x7f.1", nullptr},
        {"0x7f.0.0.0x1", nullptr},
        {"0x7f000001", nullptr},
        {"0X7F000001", nullptr},
        {"2130706433", nullptr},
        {"017700000001", nullptr},
        {"0177.0.0.1", nullptr},
        {"127.0.0.01", nullptr},
        {"127.000.000.001", nullptr},
        {"256.0.0.1", nullptr},
        {"1.2.3.256", nullptr},
        {"1.2.3.4.5", nullptr},
        {"1.2.3.", nullptr},
        {"1.2.3.4..", nullptr},
        {"a.1", nullptr},
        {"example.0x10", nullptr},
        {"example.0x", nullptr},
        {"example.09", nullptr},
        {"0", nullptr},
        {"00", nullptr},
        {"-1", nullptr},
        {"1e9", "1e9"},
        {"127.0.0.1%lo", nullptr},
        {"\u0661\u0662.1", nullptr},
        // IPv6.
        {"[::1]", "[::1]"},
        {"[0:0:0:0:0:0:0:1]", "[::1]"},
        {"[::]", "[::]"},
        {"[2001:DB8::0:0:1]", "[2001:db8::1]"},
        {"[2001:db8:0:1:1:1:1:1]", "[2001:db8:0:1:1:1:1:1]"},
        {"[2001:db8:0:0:1:0:0:1]", "[2001:db8::1:0:0:1]"},
        {"[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]"},
        {"[::ffff:7f00:1]", "[::ffff:127.0.0.1]"},
        {"[::FFFF:7F00:0001]", "[::ffff:127.0.0.1]"},
        {"[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]"},
        {"[fe80::1%eth0]", nullptr},
        {"[fe80::1%25eth0]", nullptr},
        {"[::1]:80", nullptr},
        {"[::1", nullptr},
        {"::1]", nullptr},
        {"::1", nullptr},
        {"[]", nullptr},
        {"[", nullptr},
        {"[[::1]]", nullptr},
        {"[127.0.0.1]", nullptr},
        {"[::1].", nullptr},
        {"[::1 ]", nullptr},
        {"[:::1]", nullptr},
        {"[1:2:3:4:5:6:7:8:9]", nullptr},
        {"[12345::]", nullptr},
        {"[::ffff:127.0.0.1.5]", nullptr},
        {"[example.com]", nullptr},
        {std::string("[::1\0]", 6), nullptr},
        {"\uFF3B::1\uFF3D", nullptr},
    };
}

/// Hosts of few letters, so that generated networks often have to do with each other.
std::string any_host() {
    static const std::vector<std::string> kHosts{
        "d.org",     "a.d.org", "b.a.d.org", "xd.org",      "org.example", "d.org.example",
        "127.0.0.1", "[::1]",   "localhost", "a.localhost", "site.lab1",   "a.site.lab1"};
    return kHosts[*rc::gen::inRange<std::size_t>(0, kHosts.size())];
}

Network any_network() {
    std::string text = any_host();
    if (*rc::gen::arbitrary<bool>()) text = "*." + text;
    text += *rc::gen::element<std::string>("", ":80", ":443", ":8080");
    const auto result = parse_network(text);
    return result.network ? *result.network : *parse_network("d.org").network;
}

/// Whether a network names a host and port, said from the words of the wire alone.
bool names(const Network& network, const std::string& host, int port) {
    const bool port_right = network.port ? *network.port == port : port == 80 || port == 443;
    const std::string end = "." + network.host;
    const bool below = host.size() > end.size() && host.substr(host.size() - end.size()) == end;
    return port_right && (network.wildcard ? below : host == network.host);
}

}  // namespace

TEST_CASE("hosts have one canonical form, and what is not a host has none") {
    const auto table = spellings();
    CHECK(table.size() >= 120);
    for (const Spelling& spelling : table) {
        CAPTURE(spelling.text);
        const auto got = canonical_host(spelling.text);
        if (spelling.canonical == nullptr)
            CHECK(got.value_or("(refused)") == "(refused)");
        else
            CHECK(got.value_or("(refused)") == spelling.canonical);
    }
}

TEST_CASE("the canonical form of a host is its own canonical form") {
    for (const Spelling& spelling : spellings())
        if (const auto once = canonical_host(spelling.text)) CHECK(canonical_host(*once) == once);
    CHECK(rc::check([] {
        // Code points from all over Unicode, dots among them.
        std::string text;
        const auto size = *rc::gen::inRange(1, 12);
        for (int i = 0; i < size; ++i) {
            const auto point = *rc::gen::weightedOneOf<std::uint32_t>(
                {{4, rc::gen::inRange<std::uint32_t>('!', 0x7F)},
                 {2, rc::gen::element<std::uint32_t>('.', '-', 'x', 'n', '0', 0x3002, 0xAD, 0xDF)},
                 {3, rc::gen::inRange<std::uint32_t>(0x80, 0x3000)},
                 {1, rc::gen::inRange<std::uint32_t>(0xE000, 0x110000)}});
            oauth3::base::append_utf8(text, point);
        }
        const auto once = canonical_host(text);
        RC_CLASSIFY(once.has_value(), "a host");
        if (!once) return;
        RC_ASSERT(canonical_host(*once) == once);
        for (const char c : *once)
            RC_ASSERT(std::string_view("abcdefghijklmnopqrstuvwxyz0123456789-.").find(c) !=
                      std::string_view::npos);
    }));
}

TEST_CASE("no bytes make the reader of networks fail otherwise than by refusing") {
    CHECK(rc::check([](const std::string& bytes) {
        const auto result = parse_network(bytes);
        RC_ASSERT(result.network.has_value() == result.problem.empty());
    }));
}

TEST_CASE("networks are read with wildcard and port") {
    struct Case {
        std::string text;
        const char* canonical;
    };
    const std::vector<Case> table{
        {"API.Example.com", "api.example.com"},
        {"api.example.com:443", "api.example.com:443"},
        {"api.example.com:1", "api.example.com:1"},
        {"api.example.com:65535", "api.example.com:65535"},
        {"*.example.com", "*.example.com"},
        {"*.Example.com.:8443", "*.example.com:8443"},
        {"*.b\u00FCcher.example", "*.xn--bcher-kva.example"},
        {"*.site.lab1", "*.site.lab1"},
        {"[::1]", "[::1]"},
        {"[0::1]:8080", "[::1]:8080"},
        {"10.0.0.1:22", "10.0.0.1:22"},
        {"example.com:", nullptr},
        {"example.com:0", nullptr},
        {"example.com:00080", nullptr},
        {"example.com:080", nullptr},
        {"example.com:65536", nullptr},
        {"example.com:4294967376", nullptr},
        {"example.com:99999999999999999999", nullptr},
        {"example.com:+80", nullptr},
        {"example.com:-80", nullptr},
        {"example.com:80 ", nullptr},
        {"example.com: 80", nullptr},
        {"example.com:8 0", nullptr},
        {"example.com:0x50", nullptr},
        {"example.com:http", nullptr},
        {"example.com:\uFF18\uFF10", nullptr},
        {"example.com:80:80", nullptr},
        {":80", nullptr},
        {"", nullptr},
        {"*", nullptr},
        {"*.", nullptr},
        {"*.com", nullptr},
        {"*.localhost", nullptr},
        {"*.com:443", nullptr},
        {"*.com.", nullptr},
        {"*.xn--p1ai", nullptr},
        {"*.1.2.3.4", nullptr},
        {"*.[::1]", nullptr},
        {"*.*.example.com", nullptr},
        {"a.*.example.com", nullptr},
        {"*example.com", nullptr},
        {"**.example.com", nullptr},
        {"*..example.com", nullptr},
        {"\uFF0A.example.com", nullptr},
        {"https://example.com", nullptr},
        {"//example.com", nullptr},
        {"example.com/path", nullptr},
        {"example.com?q", nullptr},
        {"example.com#f", nullptr},
        {"example.com\\", nullptr},
        {"user@example.com", nullptr},
        {"user:80@example.com", nullptr},
        {"[::1", nullptr},
        {"[::1]x", nullptr},
        {"[::1]x:80", nullptr},
        {"[::1]80", nullptr},
        {"[::1]:", nullptr},
        {"::1", nullptr},
        {"fe80::1", nullptr},
        {"x[::1]", nullptr},
    };
    for (const Case& c : table) {
        CAPTURE(c.text);
        const auto result = parse_network(c.text);
        CHECK(result.network.has_value() == result.problem.empty());
        CHECK((result.network ? result.network->text() : "(refused)") ==
              (c.canonical != nullptr ? c.canonical : "(refused)"));
    }
}

TEST_CASE("a network's text reads back as the same network") {
    CHECK(rc::check([] {
        const Network network = any_network();
        RC_ASSERT(parse_network(network.text()).network == network);
    }));
}

TEST_CASE("covers is an order: reflexive, transitive, antisymmetric") {
    CHECK(rc::check([] {
        const Network a = any_network(), b = any_network(), c = any_network();
        RC_ASSERT(a.covers(a));
        if (a.covers(b) && b.covers(c)) RC_ASSERT(a.covers(c));
        if (a.covers(b) && b.covers(a)) RC_ASSERT(a == b);
    }));
}

TEST_CASE("a network covers nothing wider than it was spelled") {
    CHECK(rc::check([] {
        const Network a = any_network(), b = any_network();
        RC_PRE(a.covers(b));
        for (int i = 0; i < 30; ++i) {
            const std::string host = *rc::gen::element<std::string>("", "x.", "y.x.") + any_host();
            const int port = *rc::gen::element(80, 443, 8080, 22);
            if (names(b, host, port)) RC_ASSERT(names(a, host, port));
        }
    }));
}
