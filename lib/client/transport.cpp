#include "client/transport.h"

#include "base/error.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <new>
#include <string_view>

namespace oauth3::client {
namespace {

/// stdout, stderr and an error that repeats stderr, 1 MiB each (wire 5.7), every byte of them
/// escaped as six (\u001b): 18 MiB, and the rest.
constexpr std::size_t kMaxBody = std::size_t{24} << 20;
constexpr std::size_t kMaxHeaders = std::size_t{256} << 10;
constexpr long kConnectTimeoutMs = 10'000;
constexpr long kKeepAliveSeconds = 20;
/// No wait lasts longer, so that the end of a sleep is noticed: the kernel's waits stand still in
/// it.
constexpr std::chrono::milliseconds kTick{1000};
/// The version of the protocol's client side, not of this program (wire 1.3).
constexpr const char* kSdkHeader = "X-OAuth3-SDK-Version: 0.3.0";

void init_curl_once() {
    static std::once_flag once;
    std::call_once(once, [] {
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw std::bad_alloc();
    });
}

}  // namespace

struct CurlHandles {
    CurlHandles() {
        init_curl_once();
        multi = curl_multi_init();
        if (multi == nullptr) throw std::bad_alloc();
        easy = curl_easy_init();
        if (easy == nullptr) {
            curl_multi_cleanup(multi);
            throw std::bad_alloc();
        }
    }
    ~CurlHandles() {
        curl_easy_cleanup(easy);
        curl_multi_cleanup(multi);
    }
    CurlHandles(const CurlHandles&) = delete;
    CurlHandles& operator=(const CurlHandles&) = delete;

    template <typename Value>
    void set(CURLoption option, Value value) {
        const CURLcode code = curl_easy_setopt(easy, option, value);
        // An option that keeps us safe must not be missing silently.
        if (code != CURLE_OK) throw base::Error("internal", curl_easy_strerror(code));
    }

    CURLM* multi = nullptr;
    CURL* easy = nullptr;
};

namespace {

/// The header lines of one exchange. Its memory is wiped: one line holds the key.
class Headers {
  public:
    explicit Headers(const Exchange& exchange) {
        add("Accept: application/json");
        add(kSdkHeader);
        add("Expect:");
        if (!exchange.body.empty()) add("Content-Type: application/json");
        if (!exchange.idempotency_key.empty())
            add(("Idempotency-Key: " + exchange.idempotency_key).c_str());
        if (exchange.key != nullptr && !exchange.key->empty()) {
            std::string line = "Authorization: Bearer ";
            line += exchange.key->reveal();
            add(line.c_str());
            base::wipe(line.data(), line.size());
        }
    }
    Headers(const Headers&) = delete;
    Headers& operator=(const Headers&) = delete;
    ~Headers() {
        for (curl_slist* line = list_; line != nullptr; line = line->next)
            base::wipe(line->data, std::string_view(line->data).size());
        curl_slist_free_all(list_);
    }
    const curl_slist* get() const { return list_; }

  private:
    void add(const char* line) {
        curl_slist* const longer = curl_slist_append(list_, line);
        if (longer == nullptr) throw std::bad_alloc();
        list_ = longer;
    }
    curl_slist* list_ = nullptr;
};

/// What the callbacks of one exchange collect.
struct Collected {
    std::string body;
    std::size_t header_bytes = 0;
    bool head_is_whole = false;  ///< the empty line after the last head was seen
    bool too_big = false;
    bool maybe_sent = false;
};

std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) {
    auto& collected = *static_cast<Collected*>(user);
    if (size > kMaxBody - collected.body.size()) {
        collected.too_big = true;
        return 0;
    }
    collected.body.append(data, size);
    return size;
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) {
    auto& collected = *static_cast<Collected*>(user);
    const std::string_view line(data, size);
    if (line.substr(0, 5) == "HTTP/") collected.head_is_whole = false;  // after a 1xx there is more
    if (line == "\r\n" || line == "\n") collected.head_is_whole = true;
    collected.header_bytes += size;
    if (collected.header_bytes > kMaxHeaders) {
        collected.too_big = true;
        return 0;
    }
    return size;
}

/// libcurl calls this when the connection is up and before the first byte of the request.
int on_connected(void* user, char*, char*, int, int) {
    static_cast<Collected*>(user)->maybe_sent = true;
    return CURL_PREREQFUNC_OK;
}

Ending ending_of(CURLcode code) {
    switch (code) {
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_ISSUER_ERROR:
            return Ending::untrusted;
        case CURLE_UNSUPPORTED_PROTOCOL:  // an answer without a status line
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_BAD_CONTENT_ENCODING:
        case CURLE_WRITE_ERROR:
            return Ending::garbage;
        default:
            return Ending::network;
    }
}

std::string reason_of(CURL* easy, CURLcode code, const Collected& collected) {
    if (collected.too_big) return "the answer is too big";
    long number = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
    if (code == CURLE_COULDNT_CONNECT && number != 0)
        return base::errno_text(static_cast<int>(number));
    return curl_easy_strerror(code);
}

bool is_readable(int fd, int wait_ms) {
    pollfd entry{fd, POLLIN, 0};
    return ::poll(&entry, fd < 0 ? 0 : 1, wait_ms) > 0;
}

void set_options(CurlHandles& h, const TransportOptions& options, const Exchange& exchange,
                 const Headers& headers, Collected& collected) {
    curl_easy_reset(h.easy);
    h.set(CURLOPT_URL, exchange.url.c_str());
    h.set(CURLOPT_PATH_AS_IS, 1L);
    h.set(CURLOPT_PROTOCOLS_STR, "http,https");
    h.set(CURLOPT_FOLLOWLOCATION, 0L);
    h.set(CURLOPT_SSL_VERIFYPEER, 1L);
    h.set(CURLOPT_SSL_VERIFYHOST, 2L);
    h.set(CURLOPT_NOSIGNAL, 1L);
    h.set(CURLOPT_USERAGENT, "oauth3");
    h.set(CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
    h.set(CURLOPT_TCP_KEEPALIVE,
          1L);  // a long poll is silent: what lies between must not forget it
    h.set(CURLOPT_TCP_KEEPIDLE, kKeepAliveSeconds);
    h.set(CURLOPT_TCP_KEEPINTVL, kKeepAliveSeconds);
    h.set(CURLOPT_WRITEFUNCTION, &on_body);
    h.set(CURLOPT_WRITEDATA, &collected);
    h.set(CURLOPT_HEADERFUNCTION, &on_header);
    h.set(CURLOPT_HEADERDATA, &collected);
    h.set(CURLOPT_PREREQFUNCTION, &on_connected);
    h.set(CURLOPT_PREREQDATA, &collected);
    const char* const bundle = std::getenv("SSL_CERT_FILE");
    if (bundle != nullptr && *bundle != '\0') h.set(CURLOPT_CAINFO, bundle);
    if (options.loopback) h.set(CURLOPT_PROXY, "");
    if (!options.unix_socket.empty()) h.set(CURLOPT_UNIX_SOCKET_PATH, options.unix_socket.c_str());
    if (exchange.method != "GET") {
        if (!exchange.body.empty() || exchange.method == "POST") {
            h.set(CURLOPT_POST, 1L);
            h.set(CURLOPT_POSTFIELDS, exchange.body.data());
            h.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(exchange.body.size()));
        }
        h.set(CURLOPT_CUSTOMREQUEST, exchange.method.c_str());
        if (exchange.idempotency_key.empty()) h.set(CURLOPT_FRESH_CONNECT, 1L);
    }
    h.set(CURLOPT_HTTPHEADER, headers.get());
}

}  // namespace

Transport::Transport(TransportOptions options, const Clocks& clocks)
    : handles_(std::make_unique<CurlHandles>()),
      options_(std::move(options)),
      clocks_(&clocks),
      asleep_(clocks.asleep()) {}

Transport::~Transport() = default;

int Transport::wait_ms(Moment until) const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clocks_->now());
    return static_cast<int>(std::clamp(left, std::chrono::milliseconds(0), kTick).count());
}

bool Transport::sleep_until(Moment moment) const {
    for (;;) {
        const int wait = wait_ms(moment);
        if (is_readable(options_.interrupt_fd, wait)) return false;
        if (wait == 0) return true;
    }
}

Outcome Transport::run(const Exchange& exchange) {
    const auto slept = [this] { return clocks_->asleep() - asleep_ > kLongSleep; };
    if (slept()) handles_ = std::make_unique<CurlHandles>();  // kept connections may be dead
    asleep_ = clocks_->asleep();

    CurlHandles& h = *handles_;
    Collected collected;
    const Headers headers(exchange);
    set_options(h, options_, exchange, headers, collected);

    Outcome outcome;
    if (curl_multi_add_handle(h.multi, h.easy) != CURLM_OK) throw std::bad_alloc();
    struct Remove {
        CurlHandles& handles;
        ~Remove() { curl_multi_remove_handle(handles.multi, handles.easy); }
    };
    const Remove remove{h};
    const auto end = [&outcome](Ending ending, std::string reason) {
        outcome.ending = ending;
        outcome.reason = std::move(reason);
    };
    for (;;) {
        int running = 0;
        const CURLMcode code = curl_multi_perform(h.multi, &running);
        if (code != CURLM_OK) throw base::Error("internal", curl_multi_strerror(code));
        int left = 0;
        const CURLMsg* const message = curl_multi_info_read(h.multi, &left);
        if (message != nullptr && message->msg == CURLMSG_DONE) {
            const CURLcode result = message->data.result;
            if (result == CURLE_OK && !collected.head_is_whole) {
                // libcurl takes a connection that is cut in the head for an answer without body.
                end(Ending::network, "the answer was cut off");
            } else if (result == CURLE_OK) {
                end(Ending::answered, {});
            } else {
                end(ending_of(result), reason_of(h.easy, result, collected));
            }
            break;
        }
        if (is_readable(options_.interrupt_fd, 0)) {
            end(Ending::interrupted, "interrupted");
            break;
        }
        const int wait = wait_ms(exchange.deadline);
        if (wait == 0) {
            end(Ending::deadline, "no answer in time");
            break;
        }
        if (slept()) {
            end(Ending::network, "this machine was asleep");
            break;
        }
        curl_waitfd extra{options_.interrupt_fd, CURL_WAIT_POLLIN, 0};
        curl_multi_poll(h.multi, &extra, options_.interrupt_fd < 0 ? 0 : 1, wait, nullptr);
    }
    outcome.maybe_sent = collected.maybe_sent;
    if (outcome.ending == Ending::answered) {
        long status = 0;
        curl_easy_getinfo(h.easy, CURLINFO_RESPONSE_CODE, &status);
        outcome.status = static_cast<int>(status);
        curl_off_t seconds = 0;
        curl_easy_getinfo(h.easy, CURLINFO_RETRY_AFTER, &seconds);
        if (seconds > 0) outcome.retry_after = std::chrono::seconds(seconds);
        outcome.body = std::move(collected.body);
    }
    return outcome;
}

}  // namespace oauth3::client
