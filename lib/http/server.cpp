#include "http/server.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "http/connection.h"

#include <arpa/inet.h>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include <csignal>
#include <deque>
#include <mutex>
#include <set>

namespace oauth3::http {
namespace {

using Acceptor = asio::basic_socket_acceptor<Tcp, Executor>;

/// How many connections are accepted before others get their turn.
constexpr int kAcceptBatch = 64;
/// The pause after an accept() that failed for want of descriptors or memory.
constexpr base::Millis kAcceptPause{100};
constexpr std::size_t kMostSparedFiles = 512;

/// An address in the form that the kernel takes.
struct RawAddress {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

RawAddress to_raw(const Address& address) {
    RawAddress raw;
    if (address.is_v6) {
        auto& v6 = reinterpret_cast<sockaddr_in6&>(raw.storage);
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(address.port);
        ::inet_pton(AF_INET6, address.host.c_str(), &v6.sin6_addr);
        raw.size = sizeof v6;
    } else {
        auto& v4 = reinterpret_cast<sockaddr_in&>(raw.storage);
        v4.sin_family = AF_INET;
        v4.sin_port = htons(address.port);
        ::inet_pton(AF_INET, address.host.c_str(), &v4.sin_addr);
        raw.size = sizeof v4;
    }
    return raw;
}

Address from_raw(const RawAddress& raw) {
    Address address;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (raw.storage.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(raw.storage);
        address.is_v6 = true;
        address.port = ntohs(v6.sin6_port);
        ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    } else {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(raw.storage);
        address.port = ntohs(v4.sin_port);
        ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    }
    address.host = text.data();
    return address;
}

/// A socket that listens, and where it does.
base::Fd open_listener(const Address& wanted, Address& real) {
    const std::string where = "listening on " + wanted.to_string();
    const int family = wanted.is_v6 ? AF_INET6 : AF_INET;
    base::Fd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) base::throw_errno(where);
    const int on = 1;
    // Connections of the server before this one must not keep the port for minutes.
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (wanted.is_v6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    RawAddress raw = to_raw(wanted);
    if (::bind(fd.get(), raw.get(), raw.size) != 0 || ::listen(fd.get(), SOMAXCONN) != 0) {
        const int number = errno;
        throw base::SystemError(number, where,
                                number == EADDRINUSE
                                    ? "Another program uses this port: stop it or choose another."
                                    : "");
    }
    raw.size = sizeof raw.storage;
    if (::getsockname(fd.get(), raw.get(), &raw.size) != 0) base::throw_errno(where);
    real = from_raw(raw);
    return fd;
}

/// Leaves files to the rest of the program: clients must not be able to use up all of them.
std::size_t connection_limit(std::size_t wanted) {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) return wanted;
    const auto most = static_cast<std::size_t>(files.rlim_cur);
    const std::size_t free = most - std::min(most / 4, kMostSparedFiles);
    return std::max<std::size_t>(1, std::min(wanted, free));
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
        limit_ = connection_limit(loop_.options.max_connections);
        loop_.closed = [this] {
            room_.cancel();
            finish_if_empty();
        };
        for (const Listener& listener : loop_.options.listen) {
            const Address& wanted = listener.address;
            Address real;
            base::Fd fd = open_listener(wanted, real);
            Acceptor& acceptor = acceptors_.emplace_back(io_.get_executor());
            acceptor.assign(wanted.is_v6 ? Tcp::v6() : Tcp::v4(), fd.get());
            fd.release();
            endpoints_.push_back(std::move(real));
        }
        for (Acceptor& acceptor : acceptors_) {
            asio::co_spawn(
                io_, [this, &acceptor] { return accept(acceptor); }, asio::detached);
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

    void on_hangup(std::function<void()> work) { hangup_hooks_.push_back(std::move(work)); }

    const std::vector<Address>& endpoints() const { return endpoints_; }
    const Loop& loop() const { return loop_; }

  private:
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

    Task<void> accept(Acceptor& acceptor) {
        Timer pause(io_.get_executor());
        while (!loop_.stopping) {
            ErrorCode error;
            if (loop_.open >= limit_) {
                room_.expires_at(Steady::time_point::max());
                co_await room_.async_wait(resume_with(error));
                continue;
            }
            co_await acceptor.async_wait(Acceptor::wait_read, resume_with(error));
            if (loop_.stopping) co_return;
            int failed = ENOMEM;
            run_guarded([&] { failed = accept_batch(acceptor.native_handle()); });
            if (failed == 0) continue;
            // Without a pause the loop would spin: the connection stays in the queue.
            if (Steady::now() >= next_complaint_) {
                base::log_warning("http: accepting failed: {}", base::errno_text(failed));
                next_complaint_ = Steady::now() + std::chrono::minutes(1);
            }
            pause.expires_after(kAcceptPause);
            co_await pause.async_wait(resume_with(error));
        }
    }

    /// 0, or the errno of a failure that will come again.
    int accept_batch(int listener) {
        for (int i = 0; i < kAcceptBatch && loop_.open < limit_; ++i) {
            RawAddress raw;
            base::Fd fd(::accept4(listener, raw.get(), &raw.size, SOCK_CLOEXEC | SOCK_NONBLOCK));
            if (fd) {
                open(std::move(fd), raw);
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

    void open(base::Fd fd, const RawAddress& raw) {
        const int on = 1;
        ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        const Address remote = from_raw(raw);
        Socket socket(io_.get_executor());
        ErrorCode error;
        socket.assign(remote.is_v6 ? Tcp::v6() : Tcp::v4(), fd.get(), error);
        if (error) return;
        fd.release();
        std::make_shared<Connection>(loop_, std::move(socket),
                                     Connection::Remote{remote.host, remote.is_loopback()},
                                     io_.get_executor())
            ->start();
    }

    void wait_for_signal() {
        signals_.async_wait([this](const ErrorCode& error, int) {
            if (error) return;
            if (loop_.stopping) {
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
        for (Acceptor& acceptor : acceptors_) {
            // Who is in the queue with a request would get a reset instead of an answer.
            run_guarded([&] { accept_batch(acceptor.native_handle()); });
            ErrorCode ignored;
            acceptor.close(ignored);
        }
        room_.cancel();
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
    std::size_t limit_ = 0;
    std::vector<Address> endpoints_;
    bool finished_ = false;
    std::vector<std::function<void()>> stop_hooks_;
    std::vector<std::function<void()>> hangup_hooks_;
    Steady::time_point next_complaint_{};

    std::mutex wake_mutex_;
    std::set<std::string, std::less<>> woken_;

    // Last: it destroys the suspended connections, which use what stands above.
    asio::io_context io_{1};
    std::deque<Acceptor> acceptors_;
    std::deque<Periodic> periodics_;
    asio::signal_set signals_{io_};
    Timer grace_{io_.get_executor()};
    Timer room_{io_.get_executor()};
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
