#include "base/net/tls_client.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/net/openssl.h"
#include "base/net/tls_transport.h"
#include "base/net/trusted_fingerprint.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace agent {
namespace {

using openssl::BioPtr;
using openssl::CertificatePtr;
using openssl::KeyPtr;
using openssl::SslContextPtr;
using openssl::SslPtr;

Error TlsError(const std::string& what) {
  return {ErrorCode::kInvalid, "TLS: " + what + ": " + openssl::TakeError()};
}

std::string NameOf(std::string_view what, const FileText& text) {
  std::string name(what);
  if (!text.file().empty()) name += " " + text.file();
  return name;
}

BioPtr ToBio(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Status UseAuthorities(SSL_CTX* context, const FileText& ca) {
  if (ca.text().empty() && ca.file().empty()) {
    SSL_CTX_set_default_verify_paths(context);
    return {};
  }
  const BioPtr bio = ToBio(ca.text());
  int count = 0;
  while (const CertificatePtr next{PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr)}) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), next.get());
    ++count;
  }
  if (count == 0) return TlsError(NameOf("authorities", ca));
  ERR_clear_error();
  return {};
}

// The first of the text is ours, the others lead to its authority.
Status UseCertificate(SSL_CTX* context, const FileText& cert) {
  const BioPtr bio = ToBio(cert.text());
  const CertificatePtr first(PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr));
  if (first == nullptr || SSL_CTX_use_certificate(context, first.get()) != 1) {
    return TlsError(NameOf("certificate", cert));
  }
  while (CertificatePtr next{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    if (SSL_CTX_add0_chain_cert(context, next.get()) != 1) {
      return TlsError(NameOf("certificate", cert));
    }
    static_cast<void>(next.release());  // The context's now.
  }
  ERR_clear_error();
  return {};
}

// OpenSSL's callback; without a passphrase it must not ask at the terminal.
int GivePassphrase(char* buffer, int room, int /*is_writing*/, void* passphrase) {
  const auto& text = *static_cast<const std::string*>(passphrase);
  const std::size_t size = std::min(text.size(), static_cast<std::size_t>(room));
  std::copy_n(text.data(), size, buffer);
  return static_cast<int>(size);
}

Status UseKey(SSL_CTX* context, const FileText& key, std::string passphrase) {
  const KeyPtr parsed(
      PEM_read_bio_PrivateKey(ToBio(key.text()).get(), nullptr, GivePassphrase, &passphrase));
  if (parsed == nullptr || SSL_CTX_use_PrivateKey(context, parsed.get()) != 1) {
    return TlsError(NameOf("key", key));
  }
  if (SSL_CTX_check_private_key(context) != 1) return TlsError("certificate and key");
  return {};
}

Status UseVersions(SSL_CTX* context, const TlsOptions& options) {
  struct Version {
    std::string_view name;
    int number;
  };
  constexpr std::array<Version, 4> kVersions = {{{"TLS10", TLS1_VERSION},
                                                 {"TLS11", TLS1_1_VERSION},
                                                 {"TLS12", TLS1_2_VERSION},
                                                 {"TLS13", TLS1_3_VERSION}}};
  const auto number = [&kVersions](std::string_view name, int otherwise) {
    const auto* const at = std::find_if(kVersions.begin(), kVersions.end(),
                                        [name](const Version& v) { return v.name == name; });
    if (at != kVersions.end()) return at->number;
    return name.empty() ? otherwise : -1;
  };
  const int min = number(options.min_version, TLS1_2_VERSION);
  const int max = number(options.max_version, 0);
  if (min < 0 || max < 0) {
    return Error{ErrorCode::kInvalid, "unknown TLS version: expected TLS10, TLS11, TLS12 or TLS13"};
  }
  // Where the highest allowed is below what is usual, the lowest is not above it.
  SSL_CTX_set_min_proto_version(context,
                                max != 0 && options.min_version.empty() ? std::min(min, max) : min);
  SSL_CTX_set_max_proto_version(context, max);
  return {};
}

bool IsAddress(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  return inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), ignored.data()) == 1;
}

std::string WithoutBrackets(const std::string& host) {
  const bool in_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return in_brackets ? host.substr(1, host.size() - 2) : host;
}

// Whom the certificate must be for; and whom we ask for, where several share an address.
bool UseServerName(SSL* ssl, const std::string& name, bool any_server_name) {
  const bool is_address = IsAddress(name);
  // What the macro for it does, which casts as C does; it copies the name.
  if (!is_address && SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                              const_cast<char*>(name.c_str())) != 1) {
    return false;
  }
  if (any_server_name) return true;
  if (is_address) {
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1;
  }
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(ssl, name.c_str()) == 1;
}

}  // namespace

struct TlsClient::Context {
  SslContextPtr ssl;
};

TlsClient::TlsClient(TlsOptions options)
    : options_(std::move(options)),
      ca_(options_.ca, options_.ca_file),
      cert_(options_.cert, options_.cert_file),
      key_(options_.key, options_.key_file) {}

TlsClient::~TlsClient() = default;

Status TlsClient::Refresh() {
  for (FileText* text : {&ca_, &cert_, &key_}) {
    Result<bool> changed = text->Refresh();
    if (!changed.ok()) return std::move(changed).error().Wrap("TLS");
    if (*changed) context_.reset();
  }
  if (context_ != nullptr) return {};
  ERR_clear_error();
  SslContextPtr ssl(SSL_CTX_new(TLS_client_method()));
  if (ssl == nullptr) return TlsError("context");
  SSL_CTX_set_mode(ssl.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(ssl.get(), SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_verify(ssl.get(), options_.insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                     nullptr);
  if (Status used = UseVersions(ssl.get(), options_); !used.ok()) return used;
  if (Status used = UseAuthorities(ssl.get(), ca_); !used.ok()) return used;
  if (!options_.trusted_fingerprint.empty()) {
    TrustFingerprint(ssl.get(), options_.trusted_fingerprint);
  }
  if (!cert_.text().empty()) {
    if (Status used = UseCertificate(ssl.get(), cert_); !used.ok()) return used;
    if (Status used = UseKey(ssl.get(), key_, options_.key_passphrase); !used.ok()) return used;
  }
  context_ = std::make_unique<Context>();
  context_->ssl = std::move(ssl);
  return {};
}

Result<std::unique_ptr<Transport>> TlsClient::MakeTransport(int fd, const std::string& host) {
  Status refreshed = Refresh();
  if (!refreshed.ok()) return std::move(refreshed).error();
  ERR_clear_error();
  SslPtr ssl(SSL_new(context_->ssl.get()));
  if (ssl == nullptr || SSL_set_fd(ssl.get(), fd) != 1) return TlsError("connection");
  const std::string name =
      options_.server_name.empty() ? WithoutBrackets(host) : options_.server_name;
  const bool any_name = options_.any_server_name || options_.insecure_skip_verify;
  if (!UseServerName(ssl.get(), name, any_name)) return TlsError("server name " + name);
  SSL_set_connect_state(ssl.get());
  return MakeTlsTransport(std::move(ssl));
}

}  // namespace agent
