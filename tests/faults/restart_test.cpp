// Two hundred clients wait while the server is killed and started again and again.

#include "e2e/database.h"
#include "e2e/harness.h"
#include "support/catch.h"

#include <fmt/format.h>
#include <oauth3/client.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

using namespace oauth3;
using oauth3::e2e::Database;
using oauth3::e2e::Json;
using oauth3::e2e::Server;

namespace {

constexpr int kLibraryClients = 176;
constexpr int kPrograms = 24;
constexpr int kClients = kLibraryClients + kPrograms;
/// Every n-th request is denied.
constexpr int kDenied = 4;
constexpr std::chrono::minutes kPatience{5};

/// How one client's request ended, as it was told.
struct Told {
    std::string id;
    std::string status;
    std::string error;
    std::string out;
    int exit_code = -1;
};

std::string skill(int number) {
    return fmt::format("c{:03}", number);
}

std::string code(int number) {
    return fmt::format("console.log('client {}')\n", number);
}

bool is_denied(int number) {
    return number % kDenied == 0;
}

Client client_of(const std::string& url, const std::string& agent_key,
                 const std::string& owner_key) {
    Client::Options options;
    options.url = url;
    options.agent_key = agent_key;
    options.owner_key = owner_key;
    options.timeout = kPatience;
    return Client(std::move(options));
}

/// Decides what is pending, again and again, until all clients' requests are decided. What the
/// owner does not know to have arrived is seen in the next list.
class Owner {
  public:
    Owner(std::string url, std::string key)
        : thread_([this, url = std::move(url), key = std::move(key)] { run(url, key); }) {}
    ~Owner() {
        over_ = true;
        thread_.join();
    }
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;

    /// Waits until so many decisions are known to be made; false if the owner has given up.
    bool wait_for(int decisions) const {
        while (decided_ < decisions) {
            if (failed_) return false;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return true;
    }

  private:
    void run(const std::string& url, const std::string& key) {
        Client client = client_of(url, {}, key);
        std::set<std::string> seen;
        const auto end = std::chrono::steady_clock::now() + kPatience;
        while (!over_ && seen.size() < kClients) {
            if (std::chrono::steady_clock::now() > end) break;
            try {
                const Json page = base::parse_json(client.pending().json);
                if (page["requests"].empty())
                    std::this_thread::sleep_for(std::chrono::milliseconds(20));
                for (const Json& request : page["requests"]) {
                    const std::string id = request["id"];
                    const int number = std::stoi(request["skill_id"].get<std::string>().substr(1));
                    Client::Decision decision;
                    decision.approve = !is_denied(number);
                    decision.reason = is_denied(number) ? "not this one" : "";
                    client.decide(id, decision);
                    seen.insert(id);
                    ++decided_;
                }
            } catch (const ClientError& error) {
                // The server is gone just now, or the decision that a kill cut off was made.
                if (error.kind() == ClientErrorKind::protocol ||
                    error.kind() == ClientErrorKind::authentication)
                    break;
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
            }
        }
        failed_ = seen.size() < kClients;
    }

    std::atomic<bool> over_{false};
    std::atomic<bool> failed_{false};
    std::atomic<int> decided_{0};
    std::thread thread_;
};

Told wait_by_library(const std::string& url, const std::string& key, int number) {
    Told out;
    try {
        Client client = client_of(url, key, {});
        ExecuteRequest request;
        request.skill_id = skill(number);
        request.skill_code = code(number);
        const RequestState state = client.execute_and_wait(request);
        out.id = state.request_id;
        out.status = state.status;
        out.error = state.error;
        if (state.result) out.out = state.result->out;
    } catch (const std::exception& error) {
        out.error = error.what();
    }
    return out;
}

Told read_program(e2e::Process& process) {
    Told out;
    const e2e::Ended ended = process.wait();
    out.exit_code = ended.exit_code;
    out.error = ended.err;
    try {
        const Json document = base::parse_json(ended.out);
        out.id = document.at("request_id");
        out.status = document.at("status");
        out.error = document.value("error", "");
        if (document.contains("result")) out.out = document["result"]["stdout"];
    } catch (const std::exception& error) {
        out.error += error.what();
    }
    return out;
}

}  // namespace

TEST_CASE("200 clients wait, the server is killed and restarted three times: nothing is lost") {
    Server server({"--parallel", "4", "--max-pending", "1000"});
    const std::string key = server.sign_up();
    const std::string url = server.url();
    std::vector<Told> told(kClients);

    std::vector<std::unique_ptr<e2e::Process>> programs;
    for (int i = 0; i < kPrograms; ++i) {
        const auto file = server.folder() / (skill(i) + ".ts");
        e2e::write_file(file, code(i));
        programs.push_back(
            server.cli({"execute", "--code", file, "--timeout", "300"}, {{"OAUTH3_API_KEY", key}}));
    }
    std::vector<std::jthread> clients;
    for (int i = kPrograms; i < kClients; ++i)
        clients.emplace_back(
            [&, i] { told[static_cast<std::size_t>(i)] = wait_by_library(url, key, i); });

    {
        const Owner owner(url, server.owner_key());
        for (const int decisions : {kClients / 8, kClients / 3, kClients / 2}) {
            CHECK(owner.wait_for(decisions));
            server.kill9();
            server.start(true);
        }
        REQUIRE(server.url() == url);
        for (std::jthread& client : clients) client.join();
        for (int i = 0; i < kPrograms; ++i)
            told[static_cast<std::size_t>(i)] =
                read_program(*programs[static_cast<std::size_t>(i)]);
    }

    int completed = 0;
    std::set<std::string> ids;
    for (int i = 0; i < kClients; ++i) {
        const Told& one = told[static_cast<std::size_t>(i)];
        INFO("client " << i << ": " << one.id << " " << one.status << " " << one.error
                       << ", exit code " << one.exit_code);
        ids.insert(one.id);
        int exit_code = 1;
        if (is_denied(i)) {
            CHECK(one.status == "denied");
            CHECK(one.error == "not this one");
            exit_code = 3;
        } else if (one.status == "completed") {
            CHECK(one.out == fmt::format("client {}", i));
            ++completed;
            exit_code = 0;
        } else {
            CHECK(one.status == "failed");
            CHECK(one.error == "server restarted during execution");
        }
        if (i < kPrograms) CHECK(one.exit_code == exit_code);
    }
    CHECK(ids.size() == kClients);
    // At most as many as ran at once were cut off by each kill.
    CHECK(completed >= kClients - kClients / kDenied - 3 * 4);

    Database database(server.data());
    CHECK(database.number("SELECT count(*) FROM requests") == kClients);
    CHECK(database.number("SELECT count(DISTINCT skill_id) FROM requests") == kClients);
    for (const char* action : {"request.created", "request.decided", "request.finished"}) {
        CAPTURE(action);
        CHECK(
            database.number("SELECT count(*) FROM ledger WHERE action = ?", {action}) ==
            (action == std::string("request.finished") ? kClients - kClients / kDenied : kClients));
    }
    CHECK(database.number("SELECT count(*) FROM (SELECT request_id FROM ledger WHERE action = "
                          "'request.started' GROUP BY request_id HAVING count(*) > 1)") == 0);
    CHECK(ledger::first_break(database.events()) == std::nullopt);
}
