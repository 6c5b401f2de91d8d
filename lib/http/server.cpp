#include "http/server.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "http/connection.h"
#include "http/listening.h"
#include "http/rate_limit.h"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <deque>
#include <map>
#include <mutex>
#include <set>

namespace oauth3::http {
namespace {

using Acceptor = asio::basic_socket_acceptor<Protocol, Executor>;

/// How many connections are accepted before others get their turn.
constexpr int kAcceptBatch = 64;
/// The pause after an accept() that failed for want of descriptors or memory.
constexpr base::Millis kAcceptPause{100};
constexpr std::size_t kMostSparedFiles = 512;
/// The places of a gate that has its own: files that are spared for the rest of the program.
constexpr std::size_t kReservedPlaces = 8;
/// What one client gets of few places.
constexpr std::size_t kFewPlaces = 16;

/// The connections that some gates may have, together.
struct Room {
    Room(std::size_t in_all, std::size_t of_one) : most(in_all), most_of_one(of_one) {}
    std::size_t most;
    std::size_t most_of_one;  ///< client
    std::size_t taken = 0;
    std::map<std::string, std::size_t> clients;  ///< the places that each has taken

    bool is_full() const { return taken >= most; }
    /// Null if the client has as many as one may have. It is given back when the pointer goes.
    std::shared_ptr<void> take(const std::string& client) {
        const auto entry = clients.try_emplace(client, 0).first;
        if (entry->second >= most_of_one) return nullptr;
        ++entry->second;
        ++taken;
        const auto give_back = [this, entry](void*) {
            --taken;
            if (--entry->second == 0) clients.erase(entry);
        };
        return {this, give_back};
    }
};

/// Leaves files to the rest of the program: clients must not be able to use up all of them.
std::size_t connection_limit(std::size_t wanted) {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) return wanted;
    const auto most = static_cast<std::size_t>(files.rlim_cur);
    const std::size_t free = most - std::min(most / 4, kMostSparedFiles);
    return std::max<std::size_t>(1, std::min(wanted, free));
}

/// Who is at the ends of a connection that was just accepted; nullopt if it is gone already.
std::optional<Connection::Ends> ends_of(int fd, const RawAddress& raw) {
    Connection::Ends ends;
    if (raw.family() == AF_UNIX) {
        ucred peer{};
        socklen_t size = sizeof peer;
        if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
        ends.peer_uid = peer.uid;
        ends.remote_is_loopback = true;
        return ends;
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    RawAddress own;
    if (::getsockname(fd, own.get(), &own.size) != 0) return std::nullopt;
    Address remote = from_raw(raw);
    Address local = from_raw(own);
    ends.remote_is_loopback = remote.is_loopback();
    ends.remote_address = std::move(remote.host);
    ends.remote_port = remote.port;
    ends.local_address = std::move(local.host);
    ends.local_port = local.port;
    return ends;
}

template <typename Work>
void run_guarded(const Work& work) {
    try {
        work();
    } catch (const std::exception& error) {
        base::log_error("http: work on the loop failed: {}", error.what());
    }
}

}  // namespace

class Server::Impl {
  public:
    Impl(Options options, RequestHandler handler, FailureHandler failure)
        : loop_(std::move(options), std::move(handler), std::move(failure)) {
        if (loop_.options.listen.empty()) {
            throw base::Error("no_address", "The server was given no address to listen on.");
        }
        room_freed_.expires_at(Steady::time_point::max());
        const std::size_t most = connection_limit(loop_.options.max_connections);
        rooms_.emplace_back(most, std::max(most - most / 4, kFewPlaces));
        loop_.closed = [this] {
            room_freed_.cancel();
            finish_if_empty();
        };
        for (const Listener& listener : loop_.options.listen) {
            Listening open = open_listener(listener);
            if (listener.is_reserved) rooms_.emplace_back(kReservedPlaces, kReservedPlaces);
            Gate& gate = gates_.emplace_back(io_.get_executor(), listener,
                                             listener.is_reserved ? rooms_.back() : rooms_.front());
            gate.acceptor.assign(Protocol(open.family, 0), open.fd.get());
            open.fd.release();
            gate.file = std::move(open.file);
            if (!gate.file) endpoints_.push_back(std::move(open.address));
        }
        for (Gate& gate : gates_) {
            asio::co_spawn(
                io_, [this, &gate] { return accept(gate); }, asio::detached);
        }
        if (loop_.options.handle_signals) {
            signals_.add(SIGTERM);
            signals_.add(SIGINT);
            wait_for_signal();
        }
    }

    void run() { io_.run(); }

    void post(std::function<void()> work) {
        asio::post(io_, [work = std::move(work)] { run_guarded(work); });
    }

    void stop() {
        asio::post(io_, [this] { begin_stop(); });
    }

    void wake(std::string_view key) {
        const std::lock_guard lock(wake_mutex_);
        if (!woken_.emplace(key).second || woken_.size() > 1) return;
        asio::post(io_, [this] { ask_woken(); });
    }

    void every(base::Millis period, std::function<void()> work) {
        if (finished_) return;
        periodics_.emplace_back(io_.get_executor(), period, std::move(work));
        arm(periodics_.back());
    }

    void on_stop(std::function<void()> work) { stop_hooks_.push_back(std::move(work)); }

    void on_hangup(std::function<void()> work) {
        if (loop_.options.handle_signals && hangup_hooks_.empty()) signals_.add(SIGHUP);
        hangup_hooks_.push_back(std::move(work));
    }

    const std::vector<Address>& endpoints() const { return endpoints_; }
    const Loop& loop() const { return loop_; }

  private:
    /// One Listener, open.
    struct Gate {
        Gate(const Executor& executor, const Listener& listener, Room& places)
            : acceptor(executor), tls(listener.tls), tag(listener.tag), room(places) {}
        std::unique_ptr<SocketFile> file;
        Acceptor acceptor;
        std::shared_ptr<Tls> tls;
        int tag;
        Room& room;
    };
    struct Periodic {
        Periodic(const Executor& executor, base::Millis p, std::function<void()> w)
            : timer(executor), period(p), work(std::move(w)) {}
        Timer timer;
        base::Millis period;
        std::function<void()> work;
    };

    void arm(Periodic& periodic) {
        periodic.timer.expires_after(periodic.period);
        periodic.timer.async_wait([this, &periodic](const ErrorCode& error) {
            if (error || finished_) return;
            run_guarded(periodic.work);
            if (!finished_) arm(periodic);
        });
    }

    /// Attempts may wake others: what comes in meanwhile is asked in the next round.
    void ask_woken() {
        std::set<std::string, std::less<>> keys;
        {
            const std::lock_guard lock(wake_mutex_);
            keys.swap(woken_);
        }
        std::vector<std::shared_ptr<Connection>> found;
        for (const std::string& key : keys) {
            const auto [begin, end] = loop_.waiters.equal_range(key);
            for (auto i = begin; i != end; ++i) found.push_back(i->second->shared_from_this());
        }
        for (const auto& connection : found) connection->ask(false);
    }

    Task<void> accept(Gate& gate) {
        Timer pause(io_.get_executor());
        while (!loop_.stopping) {
            ErrorCode error;
            if (gate.room.is_full()) {
                // Its time is set once for all gates: to set it wakes whoever waits already.
                co_await room_freed_.async_wait(resume_with(error));
                continue;
            }
            co_await gate.acceptor.async_wait(Acceptor::wait_read, resume_with(error));
            if (loop_.stopping) co_return;
            int failed = ENOMEM;
            run_guarded([&] { failed = accept_batch(gate); });
            if (failed == 0) continue;
            // Without a pause the loop would spin: the connection stays in the queue.
            complain(next_complaint_, "accepting failed: " + base::errno_text(failed));
            pause.expires_after(kAcceptPause);
            co_await pause.async_wait(resume_with(error));
        }
    }

    /// Clients cause it, so once a minute is enough.
    static void complain(Steady::time_point& next, const std::string& what) {
        if (Steady::now() < next) return;
        base::log_warning("http: {}", what);
        next = Steady::now() + std::chrono::minutes(1);
    }

    /// 0, or the errno of a failure that will come again.
    int accept_batch(Gate& gate) {
        const int listener = gate.acceptor.native_handle();
        for (int i = 0; i < kAcceptBatch && !gate.room.is_full(); ++i) {
            RawAddress raw;
            base::Fd fd(::accept4(listener, raw.get(), &raw.size, SOCK_CLOEXEC | SOCK_NONBLOCK));
            if (fd) {
                open(std::move(fd), raw, gate);
                continue;
            }
            switch (errno) {
                case EAGAIN:
                    return 0;
                case EMFILE:
                case ENFILE:
                case ENOBUFS:
                case ENOMEM:
                case EBADF:
                case EINVAL:
                    return errno;
                default:
                    break;  // the one connection failed: the next may be good
            }
        }
        return 0;
    }

    void open(base::Fd fd, const RawAddress& raw, const Gate& gate) {
        auto ends = ends_of(fd.get(), raw);
        if (!ends) return;
        auto place = gate.room.take(ends->remote_is_loopback ? "this machine"
                                                             : rate_key(ends->remote_address));
        if (!place) {
            // Not left in the queue, where it would stand before the clients that get one.
            complain(next_refusal_, "one client has all the connections that it may have");
            return;
        }
        ends->listener = gate.tag;
        auto tls = gate.tls ? std::make_unique<TlsSession>(*gate.tls, fd.get()) : nullptr;
        Socket socket(io_.get_executor());
        ErrorCode error;
        socket.assign(Protocol(raw.family(), 0), fd.get(), error);
        if (error) return;
        fd.release();
        std::make_shared<Connection>(loop_, Stream(std::move(socket), std::move(tls)),
                                     std::move(*ends), std::move(place), io_.get_executor())
            ->start();
    }

    void wait_for_signal() {
        signals_.async_wait([this](const ErrorCode& error, int signal) {
            if (error) return;
            if (signal == SIGHUP) {
                for (const auto& hook : hangup_hooks_) run_guarded(hook);
            } else if (loop_.stopping) {
                end_grace();
            } else {
                begin_stop();
            }
            if (!finished_) wait_for_signal();
        });
    }

    std::vector<std::shared_ptr<Connection>> all_connections() const {
        std::vector<std::shared_ptr<Connection>> all;
        all.reserve(loop_.connections.size());
        for (Connection* connection : loop_.connections) {
            all.push_back(connection->shared_from_this());
        }
        return all;
    }

    void begin_stop() {
        if (loop_.stopping) return;
        for (const auto& hook : stop_hooks_) run_guarded(hook);
        loop_.stopping = true;
        for (Gate& gate : gates_) {
            gate.file.reset();
            // Who is in the queue with a request would get a reset instead of an answer.
            run_guarded([&] { accept_batch(gate); });
            ErrorCode ignored;
            gate.acceptor.close(ignored);
        }
        room_freed_.cancel();
        for (const auto& connection : all_connections()) connection->stop();
        grace_.expires_after(loop_.options.grace);
        grace_.async_wait([this](const ErrorCode& error) {
            if (!error) end_grace();
        });
        finish_if_empty();
    }

    void end_grace() {
        loop_.grace_over = true;
        for (const auto& connection : all_connections()) connection->abandon();
    }

    /// Takes all work off the loop, so that run() returns.
    void finish_if_empty() {
        if (!loop_.stopping || loop_.open != 0) return;
        finished_ = true;
        grace_.cancel();
        ErrorCode ignored;
        signals_.cancel(ignored);
        for (Periodic& periodic : periodics_) periodic.timer.cancel();
    }

    Loop loop_;
    std::deque<Room> rooms_;  ///< first that of all gates that have none of their own
    std::vector<Address> endpoints_;
    bool finished_ = false;
    std::vector<std::function<void()>> stop_hooks_;
    std::vector<std::function<void()>> hangup_hooks_;
    Steady::time_point next_complaint_{};
    Steady::time_point next_refusal_{};

    std::mutex wake_mutex_;
    std::set<std::string, std::less<>> woken_;

    // Last: it destroys the suspended connections, which use what stands above.
    asio::io_context io_{1};
    std::deque<Gate> gates_;
    std::deque<Periodic> periodics_;
    asio::signal_set signals_{io_};
    Timer grace_{io_.get_executor()};
    Timer room_freed_{io_.get_executor()};
};

Server::Server(Options options, RequestHandler handler, FailureHandler failure)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(handler), std::move(failure))) {}
Server::~Server() = default;

void Server::run() {
    impl_->run();
}
void Server::stop() {
    impl_->stop();
}
void Server::post(std::function<void()> work) {
    impl_->post(std::move(work));
}
void Server::wake(std::string_view key) {
    impl_->wake(key);
}
void Server::every(base::Millis period, std::function<void()> work) {
    impl_->every(period, std::move(work));
}
void Server::on_stop(std::function<void()> work) {
    impl_->on_stop(std::move(work));
}
void Server::on_hangup(std::function<void()> work) {
    impl_->on_hangup(std::move(work));
}
const std::vector<Address>& Server::local_endpoints() const {
    return impl_->endpoints();
}
std::size_t Server::waiting() const {
    return impl_->loop().waiting;
}
std::size_t Server::connections() const {
    return impl_->loop().open;
}

}  // namespace oauth3::http
