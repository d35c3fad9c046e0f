#include "agent/doctor/certificate.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include "base/file_text.h"
#include "base/net/openssl.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace agent::doctor {
namespace {

using openssl::BioPtr;
using openssl::CertificatePtr;
using openssl::SslContextPtr;
using openssl::SslPtr;

using Clock = std::chrono::steady_clock;

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

bool IsAddress(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  return inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), ignored.data()) == 1;
}

std::string NameText(const X509_NAME* name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0,
                     XN_FLAG_ONELINE & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
  std::array<char, 512> text{};
  const int size = BIO_read(bio.get(), text.data(), static_cast<int>(text.size()));
  return std::string(text.data(), static_cast<std::size_t>(std::max(0, size)));
}

int64_t TimeOf(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? ::timegm(&parts) : 0;
}

std::vector<std::string> NamesOf(const X509* certificate) {
  std::vector<std::string> names;
  const std::unique_ptr<GENERAL_NAMES, FreeNames> list(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; list != nullptr && i < sk_GENERAL_NAME_num(list.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(list.get(), i);
    if (name->type == GEN_DNS) {
      const ASN1_STRING* const text = name->d.dNSName;
      names.push_back("DNS:" +
                      std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                                  static_cast<std::size_t>(ASN1_STRING_length(text))));
    } else if (name->type == GEN_IPADD) {
      const ASN1_STRING* const bytes = name->d.iPAddress;
      std::array<char, INET6_ADDRSTRLEN> text{};
      const int family = ASN1_STRING_length(bytes) == 4 ? AF_INET : AF_INET6;
      if (inet_ntop(family, ASN1_STRING_get0_data(bytes), text.data(), text.size()) != nullptr)
        names.push_back("IP:" + std::string(text.data()));
    }
  }
  return names;
}

Status AddAuthorities(SSL_CTX* context, const TlsOptions& tls) {
  if (tls.ca.empty() && tls.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    return {};
  }
  FileText ca(tls.ca, tls.ca_file);
  if (Result<bool> read = ca.Refresh(); !read.ok()) return std::move(read).error();
  const BioPtr bio(BIO_new_mem_buf(ca.text().data(), static_cast<int>(ca.text().size())));
  while (const CertificatePtr next{PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr)})
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), next.get());
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

// Ours, for a server that insists on one.
Status UseOwnCertificate(SSL_CTX* context, const TlsOptions& tls) {
  FileText cert(tls.cert, tls.cert_file);
  FileText key(tls.key, tls.key_file);
  for (FileText* text : {&cert, &key}) {
    if (Result<bool> read = text->Refresh(); !read.ok()) return std::move(read).error();
  }
  if (cert.text().empty()) return {};
  const BioPtr cert_bio(BIO_new_mem_buf(cert.text().data(), static_cast<int>(cert.text().size())));
  const CertificatePtr ours(PEM_read_bio_X509_AUX(cert_bio.get(), nullptr, nullptr, nullptr));
  const BioPtr key_bio(BIO_new_mem_buf(key.text().data(), static_cast<int>(key.text().size())));
  std::string passphrase = tls.key_passphrase;
  const openssl::KeyPtr parsed(
      PEM_read_bio_PrivateKey(key_bio.get(), nullptr, GivePassphrase, &passphrase));
  if (ours == nullptr || parsed == nullptr || SSL_CTX_use_certificate(context, ours.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, parsed.get()) != 1) {
    return Error{ErrorCode::kInvalid,
                 "our own certificate or its key cannot be used: " + openssl::TakeError()};
  }
  while (CertificatePtr next{PEM_read_bio_X509(cert_bio.get(), nullptr, nullptr, nullptr)}) {
    if (SSL_CTX_add0_chain_cert(context, next.get()) == 1) static_cast<void>(next.release());
  }
  ERR_clear_error();
  return {};
}

// Only asked for: nothing is shown.
int NoteRequest(SSL* ssl, X509** /*certificate*/, EVP_PKEY** /*key*/) {
  *static_cast<bool*>(SSL_get_app_data(ssl)) = true;
  return 0;
}

Status Shake(SSL* ssl, int fd, std::chrono::milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  for (;;) {
    ERR_clear_error();
    errno = 0;
    const int done = SSL_connect(ssl);
    if (done == 1) return {};
    const int why = SSL_get_error(ssl, done);
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
      if (left.count() > 0 && WaitFor(fd, why == SSL_ERROR_WANT_WRITE, left)) continue;
      return Error{ErrorCode::kUnavailable, "no answer to the handshake"};
    }
    if (why == SSL_ERROR_SYSCALL)
      return Error{ErrorCode::kIo, "the connection was closed during the handshake"};
    return Error{ErrorCode::kInvalid, openssl::TakeError()};
  }
}

ServerCertificate Describe(SSL* ssl, const std::string& host) {
  ServerCertificate seen;
  seen.protocol = SSL_get_version(ssl);
  const CertificatePtr certificate(SSL_get1_peer_certificate(ssl));
  if (certificate == nullptr) return seen;
  seen.subject = NameText(X509_get_subject_name(certificate.get()));
  seen.issuer = NameText(X509_get_issuer_name(certificate.get()));
  seen.names = NamesOf(certificate.get());
  seen.not_before_s = TimeOf(X509_get0_notBefore(certificate.get()));
  seen.not_after_s = TimeOf(X509_get0_notAfter(certificate.get()));
  const long verdict = SSL_get_verify_result(ssl);
  if (verdict != X509_V_OK && verdict != X509_V_ERR_CERT_HAS_EXPIRED &&
      verdict != X509_V_ERR_CERT_NOT_YET_VALID) {
    seen.untrusted = X509_verify_cert_error_string(verdict);
  }
  seen.name_matches = IsAddress(host)
                          ? X509_check_ip_asc(certificate.get(), host.c_str(), 0) == 1
                          : X509_check_host(certificate.get(), host.data(), host.size(),
                                            X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, nullptr) == 1;
  return seen;
}

}  // namespace

bool WaitFor(int fd, bool to_write, std::chrono::milliseconds timeout) {
  pollfd wait{fd, static_cast<short>(to_write ? POLLOUT : POLLIN), 0};
  return ::poll(&wait, 1, static_cast<int>(timeout.count())) > 0;
}

Result<ServerCertificate> LookAtCertificate(int fd, const std::string& host, const TlsOptions& tls,
                                            std::chrono::milliseconds timeout) {
  ERR_clear_error();
  const SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) return Error{ErrorCode::kIo, openssl::TakeError()};
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  if (Status added = AddAuthorities(context.get(), tls); !added.ok())
    return std::move(added).error();
  if (Status used = UseOwnCertificate(context.get(), tls); !used.ok())
    return std::move(used).error();
  bool asked = false;
  SSL_CTX_set_client_cert_cb(context.get(), NoteRequest);
  const SslPtr ssl(SSL_new(context.get()));
  if (ssl == nullptr || SSL_set_fd(ssl.get(), fd) != 1)
    return Error{ErrorCode::kIo, openssl::TakeError()};
  SSL_set_ex_data(ssl.get(), 0, &asked);
  if (!IsAddress(host)) {
    // What the macro for it does, which casts as C does; it copies the name.
    SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(host.c_str()));
  }
  if (Status shaken = Shake(ssl.get(), fd, timeout); !shaken.ok()) return std::move(shaken).error();
  ServerCertificate seen = Describe(ssl.get(), host);
  seen.asks_for_certificate = asked;
  SSL_shutdown(ssl.get());
  return seen;
}

}  // namespace agent::doctor
