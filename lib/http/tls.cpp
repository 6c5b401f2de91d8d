#include "http/tls.h"

#include "base/error.h"
#include "base/files.h"
#include "base/log.h"
#include "base/secret_string.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <ctime>
#include <string>

namespace oauth3::http {
namespace {

namespace fs = std::filesystem;

using Bio = std::unique_ptr<BIO, decltype(&::BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&::X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)>;

/// Forward secrecy and authenticated encryption only; TLS 1.3 has nothing else.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
/// RFC 7301: each with its length before it. curl asks for the second one if told to speak 1.0.
constexpr std::string_view kProtocols = "\x08http/1.1\x08http/1.0";

/// OpenSSL's word for what went wrong last, in this thread.
std::string reason() {
    const char* text = ::ERR_reason_error_string(::ERR_peek_last_error());
    return text == nullptr ? "unknown reason" : text;
}

[[noreturn]] void refuse_certificate(const fs::path& path, const std::string& what) {
    throw base::Error("bad_certificate", "The certificate " + path.string() + " " + what + ".",
                      "It must be a PEM file: the server's certificate, then those that sign it.");
}

[[noreturn]] void refuse_key(const fs::path& path, const std::string& what,
                             const std::string& hint) {
    throw base::Error("bad_key", "The key " + path.string() + " " + what + ".", hint);
}

/// Instead of OpenSSL's own, which asks on the terminal and stops the server while it waits.
int no_passphrase(char*, int, int, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

Bio reader(std::string_view text) {
    return {::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &::BIO_free};
}

Certificate read_certificate(BIO* bio) {
    bool ignored = false;
    return {::PEM_read_bio_X509(bio, nullptr, no_passphrase, &ignored), &::X509_free};
}

base::Time end_of(const X509* certificate) {
    std::tm time{};
    if (::ASN1_TIME_to_tm(::X509_get0_notAfter(certificate), &time) != 1) return {};
    return std::chrono::floor<base::Millis>(std::chrono::system_clock::from_time_t(timegm(&time)));
}

/// Gives the chain to the context; returns the end of the first one's validity.
base::Time use_certificates(SSL_CTX* context, const fs::path& path) {
    const std::string text = base::read_file(path);
    const Bio bio = reader(text);
    const Certificate own = read_certificate(bio.get());
    if (!own) refuse_certificate(path, "cannot be read (" + reason() + ")");
    if (::SSL_CTX_use_certificate(context, own.get()) != 1) {
        refuse_certificate(path, "cannot be used (" + reason() + ")");
    }
    while (Certificate next = read_certificate(bio.get())) {
        if (::SSL_CTX_add1_chain_cert(context, next.get()) != 1) {
            refuse_certificate(path, "has a chain that cannot be used (" + reason() + ")");
        }
    }
    // The end of the file shows as "no start line"; anything else is a damaged certificate.
    if (ERR_GET_REASON(::ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
        refuse_certificate(path, "has a damaged part (" + reason() + ")");
    }
    ::ERR_clear_error();
    if (::X509_cmp_current_time(::X509_get0_notAfter(own.get())) < 0) {
        base::log_warning("the certificate {} has expired", path.string());
    } else if (::X509_cmp_current_time(::X509_get0_notBefore(own.get())) > 0) {
        base::log_warning("the certificate {} is not valid yet", path.string());
    }
    return end_of(own.get());
}

void use_key(SSL_CTX* context, const fs::path& path) {
    const base::SecretString text(base::read_file(path));
    const Bio bio = reader(text.reveal());
    bool asked = false;
    const Key key(::PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, &asked),
                  &::EVP_PKEY_free);
    if (asked) {
        refuse_key(path, "is locked with a passphrase",
                   "Unlock it with \"openssl pkey -in KEY -out NEW\", and keep it at mode 0600.");
    }
    if (!key) refuse_key(path, "cannot be read (" + reason() + ")", "It must be a PEM file.");
    // Compares with the certificate, which is there already.
    if (::SSL_CTX_use_PrivateKey(context, key.get()) != 1 ||
        ::SSL_CTX_check_private_key(context) != 1) {
        refuse_key(path, "does not belong to the certificate (" + reason() + ")",
                   "Give the key with which this certificate was requested.");
    }
}

int select_protocol(SSL*, const unsigned char** out, unsigned char* size,
                    const unsigned char* offered, unsigned offered_size, void*) {
    unsigned char* chosen = nullptr;
    if (::SSL_select_next_proto(&chosen, size,
                                reinterpret_cast<const unsigned char*>(kProtocols.data()),
                                static_cast<unsigned>(kProtocols.size()), offered,
                                offered_size) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Tls::Tls(fs::path certificate, fs::path key)
    : certificate_(std::move(certificate)), key_(std::move(key)), loaded_(load()) {}

Tls::~Tls() = default;

Tls::Loaded Tls::load() const {
    ::ERR_clear_error();
    Loaded loaded;
    loaded.context.reset(::SSL_CTX_new(::TLS_server_method()), &::SSL_CTX_free);
    SSL_CTX* context = loaded.context.get();
    if (context == nullptr || ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        ::SSL_CTX_set_cipher_list(context, kCiphers) != 1) {
        throw base::Error("tls", "OpenSSL cannot be set up: " + reason() + ".");
    }
    ::SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    // Clients resume with tickets, so nothing is kept here for those who left.
    ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    // Thousands wait: buffers are given back while there is nothing in them.
    ::SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    ::SSL_CTX_set_alpn_select_cb(context, select_protocol, nullptr);
    loaded.expires = use_certificates(context, certificate_);
    use_key(context, key_);
    return loaded;
}

void Tls::reload() {
    Loaded loaded = load();
    const std::lock_guard lock(mutex_);
    std::swap(loaded_, loaded);
}

base::Time Tls::expires() const {
    const std::lock_guard lock(mutex_);
    return loaded_.expires;
}

std::shared_ptr<ssl_ctx_st> Tls::context() const {
    const std::lock_guard lock(mutex_);
    return loaded_.context;
}

}  // namespace oauth3::http
