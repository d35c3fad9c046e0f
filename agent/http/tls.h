// TLS of the HTTP server: what `server.http_tls_config` says, read and checked.

#pragma once

#include <cstdint>
#include <string>

#include "agent/config/config.h"
#include "base/result.h"

struct MHD_Connection;

namespace agent {

// Go's client_auth_type.
enum class ClientAuth : uint8_t {
  kNone,
  kRequest,           // Asked for, nothing is checked.
  kRequireAny,        // There must be one; it is not verified.
  kVerifyIfGiven,     // One that is given must be signed by client_ca.
  kRequireAndVerify,  // There must be one, signed by client_ca.
};

// PEM texts as the library wants them.
struct ServerTls {
  std::string cert;
  std::string key;
  std::string client_ca;   // Empty: client certificates are not asked for.
  std::string priorities;  // GnuTLS priority string, from tls_min_version.
  ClientAuth client_auth = ClientAuth::kNone;
};

// Reads the files. kInvalid where the configuration contradicts itself.
Result<ServerTls> LoadServerTls(const ServerConfig& config);

// Whether the certificate that the client showed, if any, is what `auth` asks for.
bool IsClientAccepted(MHD_Connection* connection, ClientAuth auth);

}  // namespace agent
