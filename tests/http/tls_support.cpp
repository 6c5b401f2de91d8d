#include "http/tls_support.h"

#include "base/error.h"
#include "base/fd.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <stdexcept>

extern char** environ;

namespace oauth3::test {
namespace {

std::string reason() {
    const char* text = ::ERR_reason_error_string(::ERR_peek_error());
    return text == nullptr ? "the connection ended" : text;
}

}  // namespace

Ran run(std::vector<std::string> argv) {
    std::vector<char*> raw;
    for (std::string& argument : argv) raw.push_back(argument.data());
    raw.push_back(nullptr);
    base::Pipe pipe = base::make_pipe();
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, pipe.write.get(), 1);
    ::posix_spawn_file_actions_adddup2(&actions, pipe.write.get(), 2);
    pid_t child = 0;
    const int failed = ::posix_spawnp(&child, raw[0], &actions, nullptr, raw.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) throw base::SystemError(failed, "starting " + argv[0]);
    pipe.write.reset();
    Ran ran;
    ran.output = base::read_all(pipe.read.get(), std::size_t{64} << 20);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status)) ran.status = WEXITSTATUS(status);
    return ran;
}

Certificates::Certificates(const std::string& name, std::vector<std::string> more) : name_(name) {
    std::vector<std::string> argv{"openssl",
                                  "req",
                                  "-x509",
                                  "-newkey",
                                  "ec",
                                  "-pkeyopt",
                                  "ec_paramgen_curve:P-256",
                                  "-nodes",
                                  "-keyout",
                                  key().string(),
                                  "-out",
                                  certificate().string(),
                                  "-days",
                                  "2",
                                  "-subj",
                                  "/CN=" + name,
                                  "-addext",
                                  "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"};
    argv.insert(argv.end(), more.begin(), more.end());
    const Ran ran = run(argv);
    if (ran.status != 0) throw std::runtime_error("openssl: " + ran.output);
}

std::shared_ptr<http::Tls> Certificates::tls() const {
    return std::make_shared<http::Tls>(certificate(), key());
}

http::Options tls_options(std::shared_ptr<http::Tls> tls) {
    http::Options options;
    options.listen.emplace_back(*http::parse_address("127.0.0.1:0"), std::move(tls));
    return options;
}

TlsClient::TlsClient(std::uint16_t port, Options options)
    : Client(port),
      chunk_(options.chunk),
      context_(::SSL_CTX_new(::TLS_client_method()), &::SSL_CTX_free),
      ssl_(nullptr) {
    SSL_CTX* context = context_.get();
    // Old versions need it.
    if (options.max_version != 0) ::SSL_CTX_set_security_level(context, 0);
    ::SSL_CTX_set_min_proto_version(context, options.min_version);
    ::SSL_CTX_set_max_proto_version(context, options.max_version);
    if (!options.ciphers.empty()) ::SSL_CTX_set_cipher_list(context, options.ciphers.c_str());
    if (!options.trusted.empty()) {
        ::SSL_CTX_load_verify_file(context, options.trusted.c_str());
        ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    }
    std::string protocols;
    for (const std::string& protocol : options.protocols) {
        protocols += static_cast<char>(protocol.size());
        protocols += protocol;
    }
    ::SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(protocols.data()),
                              static_cast<unsigned>(protocols.size()));
    ssl_.reset(::SSL_new(context), &::SSL_free);
    ::SSL_set_bio(ssl_.get(), ::BIO_new(::BIO_s_mem()), ::BIO_new(::BIO_s_mem()));
    ::BIO_set_mem_eof_return(::SSL_get_rbio(ssl_.get()), -1);
    ::SSL_set_connect_state(ssl_.get());
    ::SSL_set1_host(ssl_.get(), "localhost");
    if (options.session != nullptr) ::SSL_set_session(ssl_.get(), options.session);
    while (true) {
        ::ERR_clear_error();
        const int result = ::SSL_do_handshake(ssl_.get());
        const bool sent = flush();
        if (result == 1) break;
        std::string bytes;
        if (::SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ || !sent ||
            !receive(bytes)) {
            throw std::runtime_error("handshake: " + reason());
        }
        ::BIO_write(::SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
    }
}

std::string TlsClient::seal(std::string_view bytes) {
    if (!bytes.empty()) {
        ::ERR_clear_error();
        if (::SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) <= 0) {
            throw std::runtime_error("SSL_write: " + reason());
        }
    }
    BIO* out = ::SSL_get_wbio(ssl_.get());
    std::string records(::BIO_ctrl_pending(out), '\0');
    if (!records.empty()) ::BIO_read(out, records.data(), static_cast<int>(records.size()));
    return records;
}

bool TlsClient::flush() {
    const std::string records = seal({});
    for (std::size_t at = 0; at < records.size(); at += chunk_) {
        if (!Client::try_send(std::string_view(records).substr(at, chunk_))) return false;
    }
    return true;
}

bool TlsClient::try_send(std::string_view bytes) {
    ::ERR_clear_error();
    if (::SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) <= 0) return false;
    return flush();
}

void TlsClient::send_close_notify() {
    ::SSL_shutdown(ssl_.get());
    flush();
}

bool TlsClient::got_close_notify() const {
    return (::SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

bool TlsClient::fill() {
    std::array<char, 16384> buffer{};
    while (true) {
        ::ERR_clear_error();
        const int got = ::SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()));
        if (got > 0) {
            in_.append(buffer.data(), static_cast<std::size_t>(got));
            return true;
        }
        if (::SSL_get_error(ssl_.get(), got) != SSL_ERROR_WANT_READ) return false;
        flush();
        std::string bytes;
        if (!receive(bytes)) return false;
        ::BIO_write(::SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
    }
}

std::string refusal(std::uint16_t port, const TlsClient::Options& options) {
    try {
        const TlsClient client(port, options);
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return "";
}

}  // namespace oauth3::test
