// TLS of a client, whatever it speaks.

#pragma once

#include <string>

namespace agent {

// Of each pair (value, file) at most one is set; files are read again before they are used.
struct TlsOptions {
  std::string ca;  // Empty, and no file: the system's authorities.
  std::string ca_file;
  std::string cert;
  std::string cert_file;
  std::string key;
  std::string key_file;
  std::string key_passphrase;  // Of an encrypted key; empty: it is not.
  std::string server_name;     // Empty: the host that is connected to.
  // SHA-256 of an authority that is trusted too, when the peer shows it: 64 digits in lower case.
  // Empty: none.
  std::string trusted_fingerprint;
  bool insecure_skip_verify = false;
  bool any_server_name = false;  // The certificate must be good, whoever's it is.
  std::string min_version;       // "TLS10" to "TLS13"; empty: the library's.
  std::string max_version;
};

}  // namespace agent
