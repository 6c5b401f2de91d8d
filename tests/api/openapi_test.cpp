// share/openapi.yaml says of each route what the server's own table says, and no more.
#include "support/catch.h"
#include "support/endpoints.h"

#include <yaml-cpp/yaml.h>

#include <fstream>
#include <map>
#include <set>

using namespace oauth3;
using test::endpoints;

namespace {

using Texts = std::set<std::string>;

const YAML::Node& description() {
    static const YAML::Node node = YAML::LoadFile(OAUTH3_SOURCE_DIR "/share/openapi.yaml");
    return node;
}

std::string upper(std::string text) {
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return text;
}

/// "/a/{id}" as the router writes it, "/a/:id".
std::string pattern_of(std::string path) {
    for (std::size_t at = path.find('{'); at != std::string::npos; at = path.find('{')) {
        const std::size_t end = path.find('}', at);
        path = path.substr(0, at) + ":" + path.substr(at + 1, end - at - 1) + path.substr(end + 1);
    }
    return path;
}

const Texts kMethods{"get", "post", "delete", "put", "patch", "head", "options", "trace"};

struct Operation {
    std::string path;
    std::string method;
    YAML::Node node;
    YAML::Node parameters;  ///< of the path
};

std::vector<Operation> operations() {
    std::vector<Operation> out;
    for (const auto& path : description()["paths"])
        for (const auto& member : path.second) {
            const auto name = member.first.as<std::string>();
            if (kMethods.count(name) == 0) continue;
            Operation operation;
            operation.path = path.first.as<std::string>();
            operation.method = upper(name);
            operation.node = member.second;
            if (const YAML::Node shared = path.second["parameters"]; shared)
                operation.parameters = shared;
            out.push_back(operation);
        }
    return out;
}

/// What "#/a/b" points to; an invalid node if there is nothing.
YAML::Node resolve(const std::string& reference) {
    YAML::Node node = YAML::Clone(description());
    if (reference.rfind("#/", 0) != 0) return YAML::Node(YAML::NodeType::Undefined);
    std::string rest = reference.substr(2);
    while (!rest.empty()) {
        const std::size_t slash = rest.find('/');
        const YAML::Node next = node[rest.substr(0, slash)];
        if (!next) return YAML::Node(YAML::NodeType::Undefined);
        node.reset(next);
        rest = slash == std::string::npos ? "" : rest.substr(slash + 1);
    }
    return node;
}

YAML::Node target(const YAML::Node& node) {
    return node["$ref"] ? resolve(node["$ref"].as<std::string>()) : node;
}

void collect_references(const YAML::Node& node, Texts& out) {
    if (node.IsMap())
        for (const auto& member : node) {
            if (member.first.as<std::string>() == "$ref")
                out.insert(member.second.as<std::string>());
            collect_references(member.second, out);
        }
    if (node.IsSequence())
        for (const auto& item : node) collect_references(item, out);
}

Texts content_types(const YAML::Node& node) {
    Texts out;
    if (node && node["content"])
        for (const auto& type : node["content"]) out.insert(type.first.as<std::string>());
    return out;
}

std::map<std::string, int> error_codes() {
    return description()["x-error-codes"].as<std::map<std::string, int>>();
}

}  // namespace

TEST_CASE("openapi.yaml has every route of the server with its auth, and no other") {
    std::map<std::string, std::string> served, described;
    for (const api::Endpoint& endpoint : endpoints())
        served[endpoint.method + " " + endpoint.pattern] = api::to_string(endpoint.auth);
    for (const Operation& operation : operations())
        described[operation.method + " " + pattern_of(operation.path)] =
            operation.node["x-auth"].as<std::string>("");
    for (const auto& [route, auth] : served) {
        CAPTURE(route);
        CHECK(described[route] == auth);
    }
    for (const auto& [route, auth] : described) {
        CAPTURE(route);
        CHECK(served.count(route) == 1);
    }
}

TEST_CASE("openapi.yaml gives each route the bodies and log-ins that the server takes") {
    std::map<std::string, api::Endpoint> table;
    for (const api::Endpoint& endpoint : endpoints())
        table[endpoint.method + " " + endpoint.pattern] = endpoint;
    for (const Operation& operation : operations()) {
        const std::string route = operation.method + " " + pattern_of(operation.path);
        CAPTURE(route);
        REQUIRE(table.count(route) == 1);
        const api::Endpoint& endpoint = table[route];
        const Texts bodies = content_types(operation.node["requestBody"]);
        CHECK((bodies.count("application/x-www-form-urlencoded") == 1) == endpoint.takes_forms);
        CHECK((operation.method == "GET" ? bodies.empty() : true));
        const bool is_html = [&] {
            for (const auto& response : operation.node["responses"])
                if (content_types(target(response.second)).count("text/html") == 1) return true;
            return false;
        }();
        CHECK(is_html == endpoint.is_page);

        Texts schemes;
        const YAML::Node own = operation.node["security"];
        for (const auto& choice : own ? own : description()["security"])
            for (const auto& scheme : choice) schemes.insert(scheme.first.as<std::string>());
        Texts expected;
        using api::Auth;
        switch (endpoint.auth) {
            case Auth::none:
                break;
            case Auth::agent:
                expected = {"key"};
                break;
            case Auth::owner:
            case Auth::admin:
            case Auth::agent_or_owner:
                expected = {"key", "cookie"};
                break;
            case Auth::link:
            case Auth::view:
                expected = {"key", "cookie"};
                if (operation.method == "GET") expected.insert("token");
                break;
            case Auth::browser:
                expected = {"cookie"};
                break;
        }
        CHECK(schemes == expected);
        CHECK_FALSE(operation.node["summary"].as<std::string>("").empty());
        CHECK(operation.node["responses"].size() > 0);
    }
}

TEST_CASE("openapi.yaml describes the parts of each path") {
    for (const Operation& operation : operations()) {
        CAPTURE(operation.path);
        Texts described;
        if (operation.parameters.IsSequence())
            for (const auto& parameter : operation.parameters) {
                const YAML::Node node = target(parameter);
                if (node["in"].as<std::string>() == "path")
                    described.insert(node["name"].as<std::string>());
            }
        Texts named;
        if (operation.path.find("{id}") != std::string::npos) named.insert("id");
        CHECK(described == named);
    }
}

TEST_CASE("every reference in openapi.yaml leads somewhere, and every part is used") {
    Texts references;
    collect_references(description(), references);
    CHECK(references.size() > 20);
    for (const std::string& reference : references) {
        CAPTURE(reference);
        CHECK(resolve(reference).IsDefined());
    }
    for (const char* kind : {"parameters", "responses", "schemas"})
        for (const auto& part : description()["components"][kind]) {
            const std::string reference =
                std::string("#/components/") + kind + "/" + part.first.as<std::string>();
            CAPTURE(reference);
            CHECK(references.count(reference) == 1);
        }
}

TEST_CASE("openapi.yaml names only error codes of its table") {
    const auto codes = error_codes();
    CHECK(codes.size() == 46);
    for (const auto& [code, status] : codes) CHECK((status >= 400 && status < 600));
    for (const Operation& operation : operations())
        for (const auto& code : operation.node["x-errors"])
            CHECK(codes.count(code.as<std::string>()) == 1);
    for (const auto& group : description()["x-common-errors"])
        for (const auto& code : group.second) CHECK(codes.count(code.as<std::string>()) == 1);
    for (const auto auth :
         {api::Auth::none, api::Auth::agent, api::Auth::owner, api::Auth::admin,
          api::Auth::agent_or_owner, api::Auth::link, api::Auth::view, api::Auth::browser})
        CHECK(description()["x-common-errors"][std::string(api::to_string(auth))].IsDefined());
}

TEST_CASE("every error that the server's code makes is in the table, with its status") {
    // A refusal is written as: status, "code". What is not digits before the code is no refusal.
    const auto codes = error_codes();
    std::size_t found = 0;
    namespace fs = std::filesystem;
    for (const auto& file : fs::recursive_directory_iterator(OAUTH3_SOURCE_DIR "/lib/api")) {
        if (file.path().extension() != ".cpp") continue;
        std::ifstream in(file.path());
        std::string text((std::istreambuf_iterator<char>(in)), {});
        text.erase(std::remove(text.begin(), text.end(), '\n'), text.end());
        for (std::size_t at = text.find(", "); at != std::string::npos;
             at = text.find(',', at + 1)) {
            if (at < 3) continue;
            const std::string digits = text.substr(at - 3, 3);
            if ((digits[0] != '4' && digits[0] != '5') ||
                digits.find_first_not_of("0123456789") != std::string::npos ||
                std::isalnum(static_cast<unsigned char>(text[at - 4])))
                continue;
            const std::size_t quote = text.find_first_not_of(" ", at + 1);
            if (quote == std::string::npos || text[quote] != '"') continue;
            const std::string code = text.substr(quote + 1, text.find('"', quote + 1) - quote - 1);
            CAPTURE(file.path().filename().string(), digits, code);
            ++found;
            // What HTTP itself refuses has the nearest code of the table.
            if (digits == "408" || digits == "431") {
                CHECK(code == "bad_request");
                continue;
            }
            CHECK(codes.count(code) == 1);
            if (codes.count(code) == 1) CHECK(codes.at(code) == std::stoi(digits));
        }
    }
    CHECK(found > 30);
}

TEST_CASE("the guide for agents names every error code, and only those") {
    std::ifstream in(OAUTH3_SOURCE_DIR "/share/web/guide.md");
    const std::string guide((std::istreambuf_iterator<char>(in)), {});
    const std::string errors = guide.substr(guide.find("## Errors"));
    const auto codes = error_codes();
    // Not for agents of this server: secrets and browsers come into none of their calls.
    const Texts not_for_agents{"invalid_action", "invalid_level",      "invalid_secret",
                               "invalid_login",  "skill_fetch_failed", "tenant_required",
                               "csrf_failed",    "vault_closed"};
    for (const auto& [code, status] : codes) {
        CAPTURE(code, status);
        CHECK((errors.find("`" + code + "`") != std::string::npos) ==
              (not_for_agents.count(code) == 0));
    }
}

TEST_CASE("links in the guide keep the prefix of the public URL") {
    for (const api::Endpoint& endpoint : endpoints("https://agents.example.org/prefix")) {
        if (endpoint.pattern != "/") continue;
        const std::string guide = std::get<http::Response>(endpoint.handler({}, nullptr)).body;
        CHECK(guide.find("curl -sS https://agents.example.org/prefix/signup") != std::string::npos);
        CHECK(guide.find("{{") == std::string::npos);
        CHECK(guide.find("127.0.0.1") == std::string::npos);
    }
}
