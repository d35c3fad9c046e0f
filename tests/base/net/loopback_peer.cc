#include "tests/base/net/loopback_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <utility>

#include "base/check.h"

#include <openssl/x509v3.h>

namespace agent {
namespace {

using BioPtr = std::unique_ptr<BIO, int (*)(BIO*)>;
using X509Ptr = std::unique_ptr<X509, void (*)(X509*)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;

constexpr long kLifetimeSeconds = 3600;  // NOLINT(google-runtime-int): OpenSSL's type.

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

BioPtr ToBio(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

KeyPtr ParseKey(const std::string& text) {
  return {PEM_read_bio_PrivateKey(ToBio(text).get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
}

X509Ptr ParseCertificate(const std::string& text) {
  return {PEM_read_bio_X509(ToBio(text).get(), nullptr, nullptr, nullptr), X509_free};
}

void AddExtension(X509* cert, int nid, const std::string& value) {
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  CHECK(extension != nullptr);
  X509_add_ext(cert, extension, -1);
  X509_EXTENSION_free(extension);
}

void SetName(X509* cert, const std::string& subject) {
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1, 0);
}

}  // namespace

LoopbackPeer::LoopbackPeer(std::function<void(int)> script, int connections)
    : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  ::signal(SIGPIPE, SIG_IGN);  // Of TLS connections that the other side has closed.
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  CHECK(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  CHECK(::listen(listener_.get(), 8) == 0);
  CHECK(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this, script = std::move(script), connections] {
    for (int i = 0; i < connections; ++i) {
      const UniqueFd fd(::accept(listener_.get(), nullptr, nullptr));
      if (!fd.valid()) return;
      script(fd.get());
    }
  });
}

LoopbackPeer::~LoopbackPeer() {
  ::shutdown(listener_.get(), SHUT_RDWR);
  thread_.join();
}

std::string ReadBytes(int fd, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t count = ::recv(fd, bytes.data() + have, size - have, 0);
    if (count <= 0) break;
    have += static_cast<std::size_t>(count);
  }
  bytes.resize(have);
  return bytes;
}

void WriteBytes(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void ResetOnClose(int fd) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  CHECK(::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == 0);
}

TestCertificate MakeTestCertificate(const std::string& subject, const std::string& valid_for,
                                    const TestCertificate* issuer) {
  const KeyPtr key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const X509Ptr cert(X509_new(), X509_free);
  static long serial = 1;  // NOLINT(google-runtime-int): OpenSSL's type.
  X509_set_version(cert.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -kLifetimeSeconds);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), kLifetimeSeconds);
  X509_set_pubkey(cert.get(), key.get());
  SetName(cert.get(), subject);
  if (!valid_for.empty()) AddExtension(cert.get(), NID_subject_alt_name, valid_for);
  if (issuer == nullptr) {
    AddExtension(cert.get(), NID_basic_constraints, "critical,CA:TRUE");
    X509_set_issuer_name(cert.get(), X509_get_subject_name(cert.get()));
    X509_sign(cert.get(), key.get(), EVP_sha256());
  } else {
    X509_set_issuer_name(cert.get(), X509_get_subject_name(ParseCertificate(issuer->cert).get()));
    X509_sign(cert.get(), ParseKey(issuer->key).get(), EVP_sha256());
  }
  const BioPtr cert_text(BIO_new(BIO_s_mem()), BIO_free);
  const BioPtr key_text(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_X509(cert_text.get(), cert.get());
  PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return {TextOf(cert_text.get()), TextOf(key_text.get())};
}

std::string FingerprintOf(const std::string& certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  X509_digest(ParseCertificate(certificate).get(), EVP_sha256(), digest.data(), &size);
  std::string hex;
  for (std::size_t i = 0; i < size; ++i) {
    hex += "0123456789abcdef"[digest.at(i) >> 4];
    hex += "0123456789abcdef"[digest.at(i) & 15];
  }
  return hex;
}

std::string EncryptedKey(const std::string& key, const std::string& passphrase) {
  const BioPtr text(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_PKCS8PrivateKey(text.get(), ParseKey(key).get(), EVP_aes_256_cbc(),
                                passphrase.data(), static_cast<int>(passphrase.size()), nullptr,
                                nullptr);
  return TextOf(text.get());
}

TlsPeer::TlsPeer(int fd, const TestCertificate& own, const std::string& client_authority)
    : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free), ssl_(nullptr, SSL_free) {
  SSL_CTX_use_certificate(context_.get(), ParseCertificate(own.cert).get());
  SSL_CTX_use_PrivateKey(context_.get(), ParseKey(own.key).get());
  const std::size_t more = own.cert.find("-----BEGIN", 1);
  if (more != std::string::npos) {
    SSL_CTX_add1_chain_cert(context_.get(), ParseCertificate(own.cert.substr(more)).get());
  }
  if (!client_authority.empty()) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()),
                        ParseCertificate(client_authority).get());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_fd(ssl_.get(), fd);
  accepted_ = SSL_accept(ssl_.get()) == 1;
}

std::string TlsPeer::Read(std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const int count = SSL_read(ssl_.get(), bytes.data() + have, static_cast<int>(size - have));
    if (count <= 0) break;
    have += static_cast<std::size_t>(count);
  }
  bytes.resize(have);
  return bytes;
}

void TlsPeer::Write(std::string_view bytes) {
  SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace agent
