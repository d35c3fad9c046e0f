#include "base/net/trusted_fingerprint.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <array>
#include <cctype>
#include <cstddef>
#include <memory>

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

namespace agent {
namespace {

constexpr std::size_t kDigits = 64;

std::string FingerprintOf(const X509* certificate) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
  std::string hex;
  for (std::size_t i = 0; i < size; ++i) {
    hex += kHex[digest.at(i) >> 4];
    hex += kHex[digest.at(i) & 15];
  }
  return hex;
}

struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};

// In place of OpenSSL's own X509_verify_cert(), which it ends in.
int Verify(X509_STORE_CTX* store, void* fingerprint) {
  const auto& wanted = *static_cast<const std::string*>(fingerprint);
  const STACK_OF(X509)* const shown = X509_STORE_CTX_get0_untrusted(store);
  const std::unique_ptr<STACK_OF(X509), FreeStack> trusted(sk_X509_new_null());
  for (int i = 0; i < sk_X509_num(shown); ++i) {
    X509* const certificate = sk_X509_value(shown, i);
    if (FingerprintOf(certificate) == wanted) sk_X509_push(trusted.get(), certificate);
  }
  if (sk_X509_num(trusted.get()) > 0) {
    X509_STORE_CTX_set0_trusted_stack(store, trusted.get());
    // It need not be signed by itself.
    X509_STORE_CTX_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  }
  return X509_verify_cert(store);
}

}  // namespace

std::string NormalFingerprint(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c == ':') continue;
    if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return {};
    digits += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return digits.size() == kDigits ? digits : std::string();
}

void TrustFingerprint(SSL_CTX* context, const std::string& fingerprint) {
  // OpenSSL only hands it back.
  SSL_CTX_set_cert_verify_callback(context, Verify, const_cast<std::string*>(&fingerprint));
}

}  // namespace agent
