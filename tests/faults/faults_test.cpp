// A broken network between the client and the real server: every call ends within its time, as it
// is documented, and no submission counts twice.

#include "e2e/database.h"
#include "faults/points.h"
#include "support/catch.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

using namespace oauth3;
using namespace oauth3::test;
using oauth3::e2e::Database;
using oauth3::e2e::Json;
using oauth3::e2e::Server;

namespace {

constexpr int kWorkers = 64;                      // most of their time they wait between two tries
constexpr std::chrono::milliseconds kShort{700};  // for faults that only the deadline ends

const std::vector<Fault> kBreaks{Fault::cut, Fault::reset, Fault::half_close, Fault::garbage};

/// A server with one finished request, whose status and poll replies are the longest.
struct World {
    World() : server({"--max-pending", "100000"}) {
        key = server.sign_up();
        done = server.run(key, "console.log('done')\n", {{"session_id", "s"}})["request_id"];
        port = std::stoi(server.url().substr(server.url().rfind(':') + 1));
    }
    Server server;
    std::string key;
    std::string done;
    int port = 0;

    Client client(const std::string& url, std::chrono::milliseconds timeout) const {
        Client::Options options;
        options.url = url;
        options.agent_key = key;
        options.timeout = timeout;
        return Client(std::move(options));
    }

    /// Skill ids of one length, so that all requests have one length too.
    static std::string skill(std::size_t number) { return fmt::format("p{:06}", number); }

    std::string call(Client& client, Operation operation, std::size_t number) const {
        switch (operation) {
            case Operation::submit: {
                ExecuteRequest request;
                request.skill_id = skill(number);
                request.skill_code = "console.log(1)\n";
                return client.execute(request).request_id;
            }
            case Operation::status:
                return client.status(done).status;
            case Operation::poll:
                return client.poll(done).status;
        }
        return {};
    }

    Ending try_call(const Point& point, const FaultProxy& proxy, std::size_t number) const {
        Ending out;
        try {
            Client client = this->client(proxy.url(), point.timeout);
            out.text = call(client, point.operation, number);
            out.succeeded = true;
        } catch (const ClientError& error) {
            out.kind = error.kind();
            out.maybe_sent = error.maybe_sent();
            out.text = error.what();
        } catch (const std::exception& error) {
            out.text = error.what();
        }
        return out;
    }

    Sizes measure(Operation operation) const {
        FaultProxy proxy(port);
        proxy.set({});
        Client client = this->client(proxy.url(), std::chrono::seconds(60));
        call(client, operation, 900'000 + static_cast<std::size_t>(operation));
        return {proxy.request_bytes(), proxy.reply_bytes()};
    }
};

/// All that may happen on the way to and from the server, for one kind of call.
void add_points(std::vector<Point>& out, Operation operation, const Sizes& sizes) {
    for (std::size_t at = 0; at < sizes.reply; ++at) {
        // Every byte of the reply is cut at, and broken in one of the other ways.
        out.push_back({.operation = operation, .plan = {.fault = Fault::cut, .at = at}});
        out.push_back({.operation = operation, .plan = {.fault = kBreaks[1 + at % 3], .at = at}});
    }
    const std::vector<Fault> slow{Fault::stall, Fault::delay, Fault::trickle};
    for (std::size_t at = 0; at < sizes.reply; at += 7) {
        const Fault fault = slow[at / 7 % slow.size()];
        out.push_back({.operation = operation,
                       .plan = {.fault = fault, .at = at},
                       .timeout = fault == Fault::stall ? kShort : std::chrono::seconds(60)});
    }
    std::vector<Fault> all = kBreaks;
    all.insert(all.end(), slow.begin(), slow.end());
    for (std::size_t at = 0; at < sizes.request; at += 3) {
        const Fault fault = all[at / 3 % all.size()];
        out.push_back({.operation = operation,
                       .plan = {.fault = fault, .in_request = true, .at = at},
                       .timeout = fault == Fault::stall ? kShort : std::chrono::seconds(60)});
    }
    // A network that never gets better.
    for (std::size_t at = 0; at < sizes.reply; at += 29)
        out.push_back({.operation = operation,
                       .plan = {.fault = kBreaks[at / 29 % 3], .at = at, .connections = 1'000'000},
                       .timeout = kShort});
}

/// True for faults that only a deadline ends.
bool is_short(const Point& point) {
    return point.plan.fault == Fault::stall || point.plan.connections > 1;
}

/// "" if a call may end so; else why not.
std::string fault_of(const Point& point, const Ending& ending) {
    const bool forever = point.plan.connections > 1;
    if (ending.happened == 0) {
        // On a busy machine a short deadline may pass before the fault's byte has come.
        const bool in_time = !is_short(point) || ending.succeeded;
        return in_time ? "the fault did not happen" : "";
    }
    if (ending.succeeded) {
        if (point.plan.fault == Fault::stall || forever) return "good, but it cannot be";
        return point.operation == Operation::submit || ending.text == "completed" ? "" : "status";
    }
    if (!ending.kind) return "no ClientError";
    if (*ending.kind == ClientErrorKind::interrupted) return "interrupted by nobody";
    const bool once = point.operation == Operation::status;
    switch (point.plan.fault) {
        case Fault::cut:
        case Fault::reset:
        case Fault::half_close:
            // A server that sees the end of half a request may say so.
            if (point.plan.fault == Fault::half_close && point.plan.in_request &&
                *ending.kind == ClientErrorKind::refused)
                return "";
            if (forever && *ending.kind == ClientErrorKind::timeout) return "";
            if (!once && !forever) return "not tried again";
            return *ending.kind == ClientErrorKind::unreachable ? "" : "not unreachable";
        case Fault::garbage:
            return *ending.kind == ClientErrorKind::timeout ? "garbage taken for silence" : "";
        case Fault::stall:
            return *ending.kind == ClientErrorKind::timeout ? "" : "silence is a timeout";
        case Fault::none:
        case Fault::delay:
        case Fault::trickle:
            break;
    }
    return "slowness is no failure";
}

/// The requests that the server has for the skills of `points`, each at most one, and for those
/// that succeeded the one that the client was told of.
void check_submissions(const World& world, const std::vector<Point>& points,
                       const std::vector<Ending>& endings) {
    Database database(world.server.data());
    CHECK(database.number("SELECT count(*) FROM (SELECT skill_id FROM requests GROUP BY skill_id "
                          "HAVING count(*) > 1)") == 0);
    CHECK(database.number("SELECT count(*) FROM ledger WHERE action = 'request.created'") ==
          database.number("SELECT count(*) FROM requests"));
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
        if (points[i].operation != Operation::submit || !endings[i].succeeded) continue;
        if (database.number("SELECT count(*) FROM requests WHERE skill_id = ? AND id = ?",
                            {World::skill(i), endings[i].text}) != 1)
            ++wrong;
    }
    CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("thousands of broken connections: every call ends as documented, nothing counts twice") {
    const World world;
    std::vector<Point> points;
    for (const Operation operation : {Operation::submit, Operation::status, Operation::poll})
        add_points(points, operation, world.measure(operation));
    REQUIRE(points.size() >= 2000);
    const auto endings =
        run_points(points, world.port, kWorkers,
                   [&](const Point& point, const FaultProxy& proxy, std::size_t number) {
                       return world.try_call(point, proxy, number);
                   });
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
        const std::string fault = fault_of(points[i], endings[i]);
        if (!fault.empty() && ++wrong <= 20)
            UNSCOPED_INFO(fault << ": " << describe(points[i], endings[i]));
    }
    CHECK(wrong == 0);
    CHECK(static_cast<std::size_t>(std::count_if(endings.begin(), endings.end(), [](const auto& e) {
              return e.happened > 0;
          })) >= 2000);
    check_submissions(world, points, endings);
}

TEST_CASE("the program ends with a documented exit code, whatever the network does") {
    const World world;
    std::vector<Point> points;
    for (const Operation operation : {Operation::submit, Operation::status, Operation::poll}) {
        std::vector<Point> all;
        add_points(all, operation, world.measure(operation));
        for (std::size_t i = 0; i < all.size(); i += std::max<std::size_t>(1, all.size() / 70)) {
            // The program counts whole seconds, and "status" has no --timeout: 30 s of silence.
            if (all[i].timeout == kShort) all[i].timeout = std::chrono::seconds(2);
            if (all[i].operation == Operation::status && all[i].plan.fault == Fault::stall)
                continue;
            points.push_back(all[i]);
        }
    }
    REQUIRE(points.size() >= 200);
    std::filesystem::create_directories(world.server.folder() / "home");
    const auto endings = run_points(
        points, world.port, 8,
        [&](const Point& point, const FaultProxy& proxy, std::size_t number) {
            std::vector<std::string> arguments;
            const std::string seconds = std::to_string(point.timeout / std::chrono::seconds(1));
            const auto code = world.server.folder() / (World::skill(number) + ".ts");
            switch (point.operation) {
                case Operation::submit:
                    e2e::write_file(code, "console.log(1)\n");
                    arguments = {"execute", "--code", code, "--no-wait", "--timeout", seconds};
                    break;
                case Operation::status:
                    arguments = {"status", world.done};
                    break;
                case Operation::poll:
                    arguments = {"poll", world.done, "--timeout", seconds};
                    break;
            }
            const auto program = world.server.cli(
                arguments, {{"OAUTH3_API_KEY", world.key}, {"OAUTH3_URL", proxy.url()}});
            const e2e::Ended ended = program->wait();
            Ending out;
            out.exit_code = ended.exit_code;
            out.succeeded = ended.exit_code == 0;
            out.text = ended.out + ended.err;
            if (out.succeeded || !ended.out.empty()) {
                try {
                    const Json document = base::parse_json(ended.out);
                    if (out.succeeded && point.operation == Operation::submit)
                        out.text = document.at("request_id").get<std::string>();
                } catch (const std::exception&) {
                    out.exit_code = -1;  // what is on stdout must be one document
                }
            }
            return out;
        });
    const std::set<int> documented{0, 1, 4, 6, 124};
    for (std::size_t i = 0; i < points.size(); ++i) {
        INFO(describe(points[i], endings[i]));
        CHECK(documented.count(endings[i].exit_code) == 1);
        CHECK((endings[i].happened > 0 || is_short(points[i])));
        const Fault fault = points[i].plan.fault;
        const bool breaks =
            fault == Fault::cut || fault == Fault::reset || fault == Fault::half_close;
        if (points[i].plan.connections > 1) {
            CHECK(std::set<int>{6, 124}.count(endings[i].exit_code) == 1);
        } else if (fault == Fault::half_close && points[i].plan.in_request) {
            // A server that sees the end of half a request may say so.
            CHECK(std::set<int>{0, 1, 6}.count(endings[i].exit_code) == 1);
        } else if (breaks && points[i].operation == Operation::status) {
            CHECK(endings[i].exit_code == 6);
        } else if (breaks || fault == Fault::delay || fault == Fault::trickle) {
            CHECK(endings[i].exit_code == 0);
        }
    }
    check_submissions(world, points, endings);
}
