#include "agent/http/tls.h"

#include <gnutls/gnutls.h>
#include <microhttpd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>

namespace agent {
namespace {

constexpr std::array<std::pair<std::string_view, ClientAuth>, 6> kClientAuths = {{
    {"", ClientAuth::kNone},
    {"NoClientCert", ClientAuth::kNone},
    {"RequestClientCert", ClientAuth::kRequest},
    {"RequireAnyClientCert", ClientAuth::kRequireAny},
    {"VerifyClientCertIfGiven", ClientAuth::kVerifyIfGiven},
    {"RequireAndVerifyClientCert", ClientAuth::kRequireAndVerify},
}};

// Go's names of versions, and GnuTLS' list from there on.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kVersions = {{
    {"", "+VERS-TLS1.3:+VERS-TLS1.2"},
    {"VersionTLS10", "+VERS-TLS1.3:+VERS-TLS1.2:+VERS-TLS1.1:+VERS-TLS1.0"},
    {"VersionTLS11", "+VERS-TLS1.3:+VERS-TLS1.2:+VERS-TLS1.1"},
    {"VersionTLS12", "+VERS-TLS1.3:+VERS-TLS1.2"},
    {"VersionTLS13", "+VERS-TLS1.3"},
}};

template <typename T, std::size_t kSize>
Result<T> Choose(const std::array<std::pair<std::string_view, T>, kSize>& table,
                 const std::string& key, std::string_view name) {
  for (const auto& [text, value] : table) {
    if (text == name) return value;
  }
  std::string message = key + ": expected one of";
  for (const auto& [text, value] : table) {
    if (!text.empty()) message.append(" ").append(text);
  }
  return Error{ErrorCode::kInvalid, message + ", got '" + std::string(name) + "'"};
}

// The text itself, or that of the file.
Result<std::string> ReadPem(const std::string& text, const std::string& file) {
  if (!text.empty() || file.empty()) return text;
  std::ifstream in(file, std::ios::binary);
  if (!in) return ErrnoError(errno, "open " + file);
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

}  // namespace

Result<ServerTls> LoadServerTls(const ServerConfig& config) {
  const ServerTlsConfig& tls = config.http_tls;
  auto cert = ReadPem(tls.cert, tls.cert_file);
  if (!cert.ok()) return std::move(cert).error();
  auto key = ReadPem(tls.key, tls.key_file);
  if (!key.ok()) return std::move(key).error();
  auto client_ca = ReadPem(tls.client_ca, tls.client_ca_file);
  if (!client_ca.ok()) return std::move(client_ca).error();
  auto auth = Choose(kClientAuths, "server.http_tls_config.client_auth_type", tls.client_auth_type);
  if (!auth.ok()) return std::move(auth).error();
  auto versions = Choose(kVersions, "server.tls_min_version", config.tls_min_version);
  if (!versions.ok()) return std::move(versions).error();
  if (key->empty()) {
    return Error{ErrorCode::kInvalid, "server.http_tls_config: a certificate needs its key_file"};
  }
  // The library asks for client certificates only when it has an authority to name.
  if (*auth >= ClientAuth::kRequireAny && client_ca->empty()) {
    return Error{ErrorCode::kInvalid, "server.http_tls_config: client_auth_type " +
                                          tls.client_auth_type + " needs client_ca_file"};
  }
  return ServerTls{.cert = std::move(*cert),
                   .key = std::move(*key),
                   .client_ca = std::move(*client_ca),
                   .priorities = "NORMAL:-VERS-ALL:" + std::string(*versions),
                   .client_auth = *auth};
}

bool IsClientAccepted(MHD_Connection* connection, ClientAuth auth) {
  if (auth == ClientAuth::kNone || auth == ClientAuth::kRequest) return true;
  const MHD_ConnectionInfo* info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  if (info == nullptr || info->tls_session == nullptr) return false;
  auto* session = static_cast<gnutls_session_t>(info->tls_session);
  unsigned count = 0;
  if (gnutls_certificate_get_peers(session, &count) == nullptr || count == 0) {
    return auth == ClientAuth::kVerifyIfGiven;
  }
  if (auth == ClientAuth::kRequireAny) return true;
  unsigned status = 0;
  return gnutls_certificate_verify_peers2(session, &status) == 0 && status == 0;
}

}  // namespace agent
