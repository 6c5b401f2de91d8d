#include "base/network.h"
#include "support/catch.h"

#include <arpa/inet.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

using oauth3::base::canonical_host;
using oauth3::base::parse_network;
using namespace std::string_view_literals;

namespace {

struct HostBypasses {
    const char* technique;
    std::vector<std::string_view> spellings;
};

/// Spellings that some program takes for 127.0.0.1, and that must not be it here: a rule says
/// where a program may connect to, and what is compared must be what is dialled.
const std::vector<HostBypasses> kAddress{
    {"the other bases and short forms of inet_aton: octal, hexadecimal, fewer than four parts",
     {"127.1"sv,       "127.0.1"sv,     "0177.0.0.1"sv,       "0177.0.0.01"sv,  "00177.0.0.1"sv,
      "127.0.0.01"sv,  "127.0.0.001"sv, "127.000.000.001"sv,  "0127.0.0.1"sv,   "017700000001"sv,
      "0x7f.0.0.1"sv,  "0X7F.0.0.1"sv,  "0x7f.0x0.0x0.0x1"sv, "127.0.0.0x1"sv,  "0x7f.1"sv,
      "0x7f.0.1"sv,    "0x7f000001"sv,  "0X7F000001"sv,       "0x007f000001"sv, "2130706433"sv,
      "02130706433"sv, "127.1."sv,      "2130706433."sv,      "0x7f000001."sv,  "127.0x1"sv,
      "0177.1"sv,      "127.65535"sv}},
    {"numbers that overflow to it",
     {"383.0.0.1"sv, "127.0.0.257"sv, "127.0.256"sv, "6425673729"sv, "0x17f000001"sv,
      "4294967423.0.0.1"sv}},
    {"dots, blanks and signs around it",
     {"127.0.0.1.."sv, ".127.0.0.1"sv, "127..0.1"sv, "127.0.0..1"sv, " 127.0.0.1"sv, "127.0.0.1 "sv,
      "127.0.0.1\t"sv, "127.0.0.1\n"sv, "+127.0.0.1"sv, "-127.0.0.1"sv, "127.0.0.1 x"sv,
      "127.0.0.1.1"sv, "127,0,0,1"sv, "127.0.0.1-"sv}},
    {"a port, a user, a scheme or a path around it",
     {"127.0.0.1:80"sv, "127.0.0.1:"sv, "x@127.0.0.1"sv, "127.0.0.1@x"sv, "127.0.0.1/"sv,
      "http://127.0.0.1"sv, "//127.0.0.1"sv, "127.0.0.1#"sv, "127.0.0.1?"sv, "127.0.0.1\\"sv,
      "127.0.0.1%2e"sv, "127%2e0.0.1"sv, "%3127.0.0.1"sv, "127.0.0.1%lo"sv, "127.0.0.1;x"sv}},
    {"NUL, at which C ends the name",
     {"127.0.0.1\0"sv, "127.0.0.1\0.example"sv, "127.0.0.1%00"sv, "\000127.0.0.1"sv}},
    {"in IPv6, or in its brackets",
     {"[127.0.0.1]"sv, "[::ffff:127.0.0.1]"sv, "[::ffff:7f00:1]"sv, "[0:0:0:0:0:ffff:7f00:0001]"sv,
      "[::127.0.0.1]"sv, "[64:ff9b::127.0.0.1]"sv, "[2002:7f00:1::]"sv, "[::1]"sv, "[::]"sv,
      "[::ffff:127.1]"sv, "[::ffff:0177.0.0.1]"sv, "[::ffff:127.0.0.1%lo]"sv, "[::1%25lo]"sv,
      "::ffff:127.0.0.1"sv, "::1"sv, "[::1]:80"sv, "[::1"sv}},
    {"digits and dots of other scripts that are no ASCII after mapping",
     {"\u0661\u0662\u0667.0.0.1"sv, "\u0967\u0968\u096D.0.0.1"sv, "127\u20240\u20240\u20241"sv,
      "127\u00B70\u00B70\u00B71"sv, "\uFF10x7f.0.0.1"sv, "\uFF10\uFF11\uFF17\uFF17.0.0.1"sv,
      "\u2488.2.3.4"sv, "127.0.0\u06D41"sv, "\uFF127.0.0.1.\u2460"sv}},
    {"names that mean it, by habit or by a public name server",
     {"localhost"sv, "localhost.localdomain"sv, "ip6-localhost"sv, "127.0.0.1.nip.example"sv, "0"sv,
      "0.0.0.0"sv, "127.0.0.1.example."sv}},
};

/// Spellings that a person, or a careless program, takes for api.github.com.
const std::vector<HostBypasses> kName{
    {"more or fewer labels",
     {"api.github.com.evil.example"sv, "evil-api.github.com"sv, "x.api.github.com"sv,
      "github.com"sv, "api.github"sv, "api-github.com"sv, "apigithub.com"sv, "api.github.com-"sv,
      "-api.github.com"sv, "api.github.comm"sv, "api.github.co"sv, "api.github.c0m"sv,
      "*.github.com"sv}},
    {"dots",
     {"api.github.com.."sv, ".api.github.com"sv, "api..github.com"sv, "api.github..com"sv,
      "api.github.com.\u3002"sv, "api\u2024github.com"sv, "api\u2027github.com"sv,
      "api\u00B7github.com"sv, "api\u06D4github.com"sv, "api\u0701github.com"sv,
      "api\uFE52github.com"sv, "api\u2025github.com"sv}},
    {"a user, a port, a scheme, a path, a query or a fragment",
     {"api.github.com@evil.example"sv,
      "user@api.github.com"sv,
      "user:pw@api.github.com"sv,
      "@api.github.com"sv,
      "api.github.com:443"sv,
      "api.github.com:"sv,
      "api.github.com:443@evil.example"sv,
      "https://api.github.com"sv,
      "//api.github.com"sv,
      "\\\\api.github.com"sv,
      "api.github.com/"sv,
      "api.github.com/x"sv,
      "evil.example/api.github.com"sv,
      "evil.example?api.github.com"sv,
      "evil.example#api.github.com"sv,
      "evil.example\\api.github.com"sv,
      "evil.example#@api.github.com"sv,
      "evil.example\\@api.github.com"sv,
      "evil.example;api.github.com"sv,
      "api.github.com,evil.example"sv,
      "api.github.com|evil.example"sv,
      "[api.github.com]"sv,
      "<api.github.com>"sv}},
    {"escapes, blanks, controls and NUL",
     {"api.github.com%2e"sv,
      "api%2egithub.com"sv,
      "api.github.com%00.evil.example"sv,
      "%61pi.github.com"sv,
      "api.github.com%0d%0a"sv,
      " api.github.com"sv,
      "api.github.com "sv,
      "api.github.com\t"sv,
      "api.github.com\n"sv,
      "api.github.com\r\nHost: evil.example"sv,
      "api.git hub.com"sv,
      "api.github.com\0"sv,
      "api.github.com\0.evil.example"sv,
      "evil.example\0api.github.com"sv,
      "\0api.github.com"sv,
      "api.github.com\x7f"sv,
      "api.github.com\302\205"sv,
      "api.github.com\u3000"sv,
      "api.github.com\377"sv,
      "\300\341pi.github.com"sv}},
    {"letters of other scripts that look the same",
     {"\u0430pi.github.com"sv, "a\u0440i.github.com"sv, "ap\u0456.github.com"sv,
      "ap\u0131.github.com"sv, "api.g\u0131thub.com"sv, "api.g\u0130thub.com"sv,
      "api.\u0261ithub.com"sv, "api.git\u04BBub.com"sv, "api.gith\u1D1Cb.com"sv,
      "api.gi\u03C4hub.com"sv, "api.github.\u03F2om"sv, "api.github.c\u03BFm"sv,
      "api.github.\u0441om"sv, "api.github.c\u043Em"sv, "api.gitnub.com"sv, "api.g\u00EDthub.com"sv,
      "api.githu\u0184.com"sv, "\u0251pi.github.com"sv}},
    {"characters that do not show",
     {"api.gi\u200Cthub.com"sv, "api.gi\u200Dthub.com"sv, "\u202Emoc.buhtig.ipa"sv,
      "api.github.com\u202C"sv, "api.github.com\u2028"sv, "api.gi\u180Ethub.com"sv,
      "api.gi\u3164thub.com"sv, "api.github.com\u0301"sv}},
    {"full-width and other forms of what cuts a host from the rest",
     {"api.github.com\uFF0Fx"sv, "api.github.com\uFF1A443"sv, "x\uFF20api.github.com"sv,
      "api.github.com\uFF03"sv, "api.github.com\uFF1F"sv, "api.github.com\uFF3Cx"sv,
      "api.github.com\u2044x"sv, "api.github.com\u2215x"sv, "api.github.com\u2100"sv,
      "api.github.com\uFF05"sv}},
    {"A-labels that are none, or that say plain ASCII",
     {"xn--api-.github.com"sv, "api.xn--github-.com"sv, "xn--pi-6kc.github.com"sv,
      "api.github.xn--com-"sv, "xn--.api.github.com"sv, "api.github.com.xn--"sv}},
};

std::size_t check_against(const std::vector<HostBypasses>& groups, const std::string& meant) {
    std::set<std::string_view> seen;
    for (const HostBypasses& group : groups)
        for (const std::string_view spelling : group.spellings) {
            CAPTURE(group.technique, spelling);
            CHECK(seen.insert(spelling).second);
            const auto host = canonical_host(spelling);
            CHECK(host.value_or("(refused)") != meant);
            if (!host) continue;
            // A name that passes is none that libc would take as an address.
            in_addr address{}, strict{};
            if (::inet_aton(host->c_str(), &address) != 0)
                CHECK(::inet_pton(AF_INET, host->c_str(), &strict) == 1);
            const auto network = parse_network(spelling).network;
            CHECK((!network || !network->covers(*parse_network(meant).network)));
        }
    return seen.size();
}

}  // namespace

TEST_CASE("no other spelling of a host passes for the address or the name it is meant to be") {
    CHECK(check_against(kAddress, "127.0.0.1") + check_against(kName, "api.github.com") >= 80);
    CHECK(canonical_host("127.0.0.1") == "127.0.0.1");
    CHECK(canonical_host("API.GitHub.com.") == "api.github.com");
}
