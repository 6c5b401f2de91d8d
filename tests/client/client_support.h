#pragma once

#include "client/channel.h"
#include "client/waiting.h"
#include "support/catch.h"

#include <oauth3/client.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

namespace oauth3::test {

inline constexpr const char* kId = "exec_5d0c12ab34cd56ef";
inline const std::string kStatusPath = std::string("/execute/") + kId + "/status";

inline std::string state(const std::string& status) {
    return R"({"request_id":")" + std::string(kId) + R"(","status":")" + status + R"("})";
}

inline Client client_of(const std::string& url,
                        std::chrono::milliseconds timeout = std::chrono::minutes(1),
                        int interrupt_fd = -1) {
    return Client({.url = url,
                   .agent_key = "oauth3_agent",
                   .owner_key = "oauth3_owner_key",
                   .timeout = timeout,
                   .interrupt_fd = interrupt_fd});
}

/// The error that `call` throws.
template <typename Call>
ClientError error_of(Call call) {
    try {
        call();
    } catch (const ClientError& error) {
        return error;
    }
    FAIL("no ClientError was thrown");
    throw std::logic_error("unreachable");
}

/// The clocks of a machine that can be put to sleep.
class FakeClocks final : public client::Clocks {
  public:
    client::Moment now() const override { return Clocks::now() + passed_.load(); }
    std::chrono::nanoseconds asleep() const override { return Clocks::asleep() + asleep_.load(); }

    void pass(std::chrono::nanoseconds time) { passed_ = passed_.load() + time; }
    void sleep(std::chrono::nanoseconds time) {
        asleep_ = asleep_.load() + time;
        pass(time);
    }

  private:
    std::atomic<std::chrono::nanoseconds> passed_{std::chrono::nanoseconds(0)};
    std::atomic<std::chrono::nanoseconds> asleep_{std::chrono::nanoseconds(0)};
};

}  // namespace oauth3::test
