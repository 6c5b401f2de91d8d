#include "base/crypto.h"

#include "base/error.h"
#include "base/secret_string.h"

#include <sodium.h>

#include <algorithm>

namespace oauth3::base {
namespace {

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

/// libsodium picks its fastest code paths in here; it may be called any number of times.
void ready() {
    static const bool ok = sodium_init() >= 0;
    if (!ok) throw Error("crypto", "libsodium cannot be initialised");
}

template <std::size_t N>
std::string hex_of(const std::array<unsigned char, N>& digest) {
    return to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace

void wipe(void* data, std::size_t size) {
    sodium_memzero(data, size);
}

std::string sha256_hex(std::string_view bytes) {
    ready();
    std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
    crypto_hash_sha256(digest.data(), bytes_of(bytes), bytes.size());
    return hex_of(digest);
}

std::string sha256_base64(std::string_view bytes) {
    ready();
    std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
    crypto_hash_sha256(digest.data(), bytes_of(bytes), bytes.size());
    constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL;
    std::string out(sodium_base64_encoded_len(digest.size(), kVariant), '\0');
    sodium_bin2base64(out.data(), out.size(), digest.data(), digest.size(), kVariant);
    out.pop_back();
    return out;
}

std::string hmac_sha256_hex(std::string_view key, std::string_view message) {
    ready();
    if (key.size() != crypto_auth_hmacsha256_KEYBYTES)
        throw Error("crypto", "the HMAC key must be 32 bytes");
    std::array<unsigned char, crypto_auth_hmacsha256_BYTES> digest{};
    crypto_auth_hmacsha256(digest.data(), bytes_of(message), message.size(), bytes_of(key));
    return hex_of(digest);
}

bool equal_constant_time(std::string_view a, std::string_view b) {
    return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string random_bytes(std::size_t count) {
    ready();
    std::string out(count, '\0');
    randombytes_buf(out.data(), out.size());
    return out;
}

std::size_t random_below(std::size_t bound) {
    ready();
    return randombytes_uniform(static_cast<std::uint32_t>(bound));
}

std::string to_hex(std::string_view bytes) {
    std::string out(bytes.size() * 2 + 1, '\0');
    sodium_bin2hex(out.data(), out.size(), bytes_of(bytes), bytes.size());
    out.pop_back();
    return out;
}

std::string to_base64url(std::string_view bytes) {
    constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    std::string out(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
    sodium_bin2base64(out.data(), out.size(), bytes_of(bytes), bytes.size(), kVariant);
    out.pop_back();
    return out;
}

std::string make_id(std::string_view prefix) {
    return std::string(prefix) + to_hex(random_bytes(8));
}

bool is_lower_hex(std::string_view text, std::size_t length) {
    return text.size() == length && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

bool is_id(std::string_view id, std::string_view prefix) {
    return id.starts_with(prefix) && is_lower_hex(id.substr(prefix.size()), 16);
}

}  // namespace oauth3::base
