#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include <uv.h>

#include "agent/receivers/syslog/peer_stream.h"

#include <openssl/x509.h>

namespace agent {
namespace {

template <auto kFree>
struct Freed {
  template <typename T>
  void operator()(T* value) const {
    kFree(value);
  }
};
using BioPtr = std::unique_ptr<BIO, Freed<BIO_free>>;
using CertificatePtr = std::unique_ptr<X509, Freed<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using SslPtr = std::unique_ptr<SSL, Freed<SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;

// The oldest of the thread's errors; takes them all.
std::string TakeError() {
  std::array<char, 256> text{};
  const unsigned long code = ERR_get_error();  // NOLINT(google-runtime-int): OpenSSL's type.
  if (code == 0) return "unknown error";
  const char* const reason = ERR_reason_error_string(code);
  if (reason == nullptr) ERR_error_string_n(code, text.data(), text.size());
  ERR_clear_error();
  return reason != nullptr ? reason : text.data();
}

Error TlsError(const std::string& what) {
  return {ErrorCode::kInvalid, what + ": " + TakeError()};
}

class TlsStream final : public PeerStream {
 public:
  explicit TlsStream(SslPtr ssl) : ssl_(std::move(ssl)) {}
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  ~TlsStream() override {
    // Tells the sender, if there is room for it, that this is an end and no break.
    if (SSL_is_init_finished(ssl_.get()) == 1 && error_.empty()) SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }

  ReadResult Read(std::span<char> buffer) override {
    ERR_clear_error();
    errno = 0;
    const int room = static_cast<int>(std::min<std::size_t>(buffer.size(), INT_MAX));
    const int size = SSL_read(ssl_.get(), buffer.data(), room);
    wanted_events_ = UV_READABLE;
    if (size > 0) return {State::kData, static_cast<std::size_t>(size)};
    const int system_error = errno;
    switch (SSL_get_error(ssl_.get(), size)) {
      case SSL_ERROR_WANT_READ:
        return {State::kWait};
      case SSL_ERROR_WANT_WRITE:
        wanted_events_ = UV_WRITABLE;
        return {State::kWait};
      case SSL_ERROR_ZERO_RETURN:
        break;
      case SSL_ERROR_SYSCALL:
        if (system_error != 0) error_ = ErrnoError(system_error, "TLS").message;
        break;
      default:
        error_ = "TLS: " + TakeError();
    }
    if (SSL_is_init_finished(ssl_.get()) == 1) return {State::kEnded};
    if (error_.empty()) error_ = "TLS: the sender has closed the connection in the handshake";
    return {State::kRefused};
  }

  [[nodiscard]] int wanted_events() const override { return wanted_events_; }
  [[nodiscard]] bool has_more() const override { return SSL_has_pending(ssl_.get()) == 1; }
  [[nodiscard]] const std::string& error() const override { return error_; }

 private:
  const SslPtr ssl_;
  int wanted_events_ = UV_READABLE;
  std::string error_;
};

// The text itself, or that of the file.
Result<std::string> ReadPem(const std::string& text, const std::string& file) {
  if (!text.empty()) return text;
  std::ifstream in(file, std::ios::binary);
  if (!in) return ErrnoError(errno, "open " + file);
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

BioPtr ToBio(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string NameOf(const std::string& file) {
  return file.empty() ? "" : " " + file;
}

// The first of the file is the server's, the others lead to its authority.
Status UseCertificates(SSL_CTX* context, const TlsConfig& config) {
  auto pem = ReadPem(config.cert, config.cert_file);
  if (!pem.ok()) return std::move(pem).error();
  const BioPtr bio = ToBio(*pem);
  const CertificatePtr first(PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr));
  if (first == nullptr || SSL_CTX_use_certificate(context, first.get()) != 1) {
    return TlsError("certificate" + NameOf(config.cert_file));
  }
  while (CertificatePtr next{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    if (SSL_CTX_add0_chain_cert(context, next.get()) != 1) {
      return TlsError("certificate" + NameOf(config.cert_file));
    }
    static_cast<void>(next.release());  // The context's now.
  }
  ERR_clear_error();
  return {};
}

Status UseKey(SSL_CTX* context, const TlsConfig& config) {
  auto pem = ReadPem(config.key, config.key_file);
  if (!pem.ok()) return std::move(pem).error();
  // A password would be asked for at the terminal.
  const auto no_password = [](char*, int, int, void*) { return 0; };
  const KeyPtr key(PEM_read_bio_PrivateKey(ToBio(*pem).get(), nullptr, no_password, nullptr));
  if (key == nullptr || SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return TlsError("key" + NameOf(config.key_file));
  }
  return {};
}

Status UseAuthorities(SSL_CTX* context, const TlsConfig& config) {
  if (config.ca.empty() && config.ca_file.empty()) return {};
  auto pem = ReadPem(config.ca, config.ca_file);
  if (!pem.ok()) return std::move(pem).error();
  const BioPtr bio = ToBio(*pem);
  int count = 0;
  while (const CertificatePtr ca{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca.get()) != 1 ||
        SSL_CTX_add_client_CA(context, ca.get()) != 1) {
      return TlsError("client CA" + NameOf(config.ca_file));
    }
    ++count;
  }
  ERR_clear_error();
  if (count == 0) {
    return Error{ErrorCode::kInvalid, "client CA" + NameOf(config.ca_file) + ": no certificate"};
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return {};
}

int ToOpenSsl(TlsVersion version, int otherwise) {
  switch (version) {
    case TlsVersion::kTls10:
      return TLS1_VERSION;
    case TlsVersion::kTls11:
      return TLS1_1_VERSION;
    case TlsVersion::kTls12:
      return TLS1_2_VERSION;
    case TlsVersion::kTls13:
      return TLS1_3_VERSION;
    case TlsVersion::kDefault:
      break;
  }
  return otherwise;
}

}  // namespace

struct TlsServer::Context {
  SslContextPtr ssl;
};

TlsServer::TlsServer(std::unique_ptr<Context> context) : context_(std::move(context)) {}

TlsServer::~TlsServer() = default;

Result<std::unique_ptr<TlsServer>> TlsServer::Load(const TlsConfig& config) {
  SslContextPtr ssl(SSL_CTX_new(TLS_server_method()));
  if (ssl == nullptr) return TlsError("TLS");
  SSL_CTX_set_min_proto_version(ssl.get(), ToOpenSsl(config.min_version, TLS1_2_VERSION));
  SSL_CTX_set_max_proto_version(ssl.get(), ToOpenSsl(config.max_version, 0));
  // Senders that just close the connection have ended it. A session that is taken up again would
  // need what a syslog sender gains nothing by.
  SSL_CTX_set_options(ssl.get(),
                      SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_session_cache_mode(ssl.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(ssl.get(), 0);
  SSL_CTX_set_read_ahead(ssl.get(), 1);
  for (const auto use : {UseCertificates, UseKey, UseAuthorities}) {
    Status used = use(ssl.get(), config);
    if (!used.ok()) return std::move(used).error();
  }
  if (SSL_CTX_check_private_key(ssl.get()) != 1) return TlsError("certificate and key");
  auto context = std::make_unique<Context>();
  context->ssl = std::move(ssl);
  return std::unique_ptr<TlsServer>(new TlsServer(std::move(context)));
}

std::unique_ptr<PeerStream> TlsServer::MakeStream(int fd) const {
  SslPtr ssl(SSL_new(context_->ssl.get()));
  if (ssl == nullptr || SSL_set_fd(ssl.get(), fd) != 1) return nullptr;
  SSL_set_accept_state(ssl.get());
  return std::make_unique<TlsStream>(std::move(ssl));
}

}  // namespace agent
