#include "orchestrator/reviews.h"

#include <exception>
#include <utility>

namespace oauth3::orchestrator {
namespace {

constexpr std::size_t kAtOnce = 2;
/// Each may take seconds, and whoever submits more than this would be reviewed too late.
constexpr std::size_t kMostWaiting = 50;

}  // namespace

Reviews::Reviews(Reviewer reviewer, std::function<void(std::function<void()>)> post, Done done)
    : reviewer_(std::move(reviewer)), post_(std::move(post)), done_(std::move(done)) {
    if (reviewer_) workers_ = std::make_unique<Workers>(kAtOnce);
}

Reviews::~Reviews() {
    shut_down();
}

void Reviews::start(const std::string& request_id, std::string request_json) {
    if (!is_on() || stop_.stop_requested()) return;
    if (waiting_ >= kMostWaiting) {
        post_([this, request_id] {
            done_(request_id, notify::no_opinion("too many other requests wait for the reviewer"));
        });
        return;
    }
    ++waiting_;
    workers_->submit([this, request_id, request_json = std::move(request_json)] {
        notify::Opinion opinion;
        try {
            opinion = reviewer_(request_json, stop_);
        } catch (const std::exception&) {
            // Out of a thread it would end the server.
            opinion = notify::no_opinion("the reviewer could not be asked");
        }
        --waiting_;
        if (stop_.stop_requested()) return;
        post_([this, request_id, opinion] { done_(request_id, opinion); });
    });
}

void Reviews::shut_down() {
    if (!workers_) return;
    stop_.request_stop();
    workers_->finish();
}

}  // namespace oauth3::orchestrator
