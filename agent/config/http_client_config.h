// What receivers of every kind can be told: how to reach them, how long to try, where to keep what
// they do not take.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace agent {

// In the order of the file.
using StringPairs = std::vector<std::pair<std::string, std::string>>;

enum class TlsVersion : uint8_t { kDefault, kTls10, kTls11, kTls12, kTls13 };

// TLS of a client. Of each pair at most one is set: inline PEM, or a file that is read again when
// it changes. Empty: the system's authorities, no client certificate.
struct TlsConfig {
  std::string ca;
  std::string ca_file;
  std::string cert;
  std::string cert_file;
  std::string key;  // Secret.
  std::string key_file;
  std::string key_passphrase;  // Secret. Of an encrypted key; `ssl` alone has it.
  std::string server_name;     // Empty: the host of the URL.
  std::string
      trusted_fingerprint;  // `ca_trusted_fingerprint`, of `ssl` alone. Lower case, no colons.
  bool insecure_skip_verify = false;
  bool any_server_name = false;  // `verification_mode: certificate`, of `ssl` alone.
  TlsVersion min_version = TlsVersion::kDefault;
  TlsVersion max_version = TlsVersion::kDefault;

  bool operator==(const TlsConfig&) const = default;
};

struct BasicAuth {
  std::string username;
  std::string username_file;  // Not together with `username`.
  std::string password;       // Secret.
  std::string password_file;  // Not together with `password`.

  bool operator==(const BasicAuth&) const = default;
};

// The Authorization header "TYPE CREDENTIALS"; also what `bearer_token` and `bearer_token_file`
// become.
struct Authorization {
  std::string type = "Bearer";   // Never "basic", in any case.
  std::string credentials;       // Secret.
  std::string credentials_file;  // Read again for each request. Not together with `credentials`.

  bool operator==(const Authorization&) const = default;
};

struct ProxyConfig {
  std::string
      url;  // Empty: none; the environment counts only with `from_environment`. Secret in part.
  std::string no_proxy;           // Comma-separated; needs `url`.
  bool from_environment = false;  // HTTP_PROXY, HTTPS_PROXY, NO_PROXY; excludes the two above.
  std::vector<std::pair<std::string, std::vector<std::string>>>
      connect_header;  // Values are secret.

  bool operator==(const ProxyConfig&) const = default;
};

// OAuth 2.0, client credentials flow.
struct OAuth2 {
  std::string client_id;
  std::string client_secret;       // Secret.
  std::string client_secret_file;  // Not together with `client_secret`.
  std::string token_url;
  std::vector<std::string> scopes;
  StringPairs endpoint_params;
  TlsConfig tls;
  ProxyConfig proxy;

  bool operator==(const OAuth2&) const = default;
};

// One header of `http_headers`: all values are sent.
struct HttpHeader {
  std::string name;
  std::vector<std::string> values;
  std::vector<std::string> secrets;
  std::vector<std::string> files;  // Each file's text, without the final line break, is a value.

  bool operator==(const HttpHeader&) const = default;
};

// What every HTTP client of the agent can be told. At most one of basic_auth, authorization,
// oauth2.
struct HttpClientConfig {
  std::optional<BasicAuth> basic_auth;
  std::optional<Authorization> authorization;
  std::optional<OAuth2> oauth2;
  TlsConfig tls;
  ProxyConfig proxy;
  bool follow_redirects = true;
  bool enable_http2 = true;  // Accepted; pushing always uses HTTP/1.1, as Promtail does.
  std::vector<HttpHeader> http_headers;

  bool operator==(const HttpClientConfig&) const = default;
};

struct BackoffConfig {
  std::chrono::nanoseconds min_period = std::chrono::milliseconds(500);
  std::chrono::nanoseconds max_period = std::chrono::minutes(5);
  // Number of attempts; 0: for ever, our default. Given explicitly (also by a flag) and used up,
  // the batch goes to the dead letter.
  uint32_t max_retries = 0;
  bool max_retries_given = false;

  bool operator==(const BackoffConfig&) const = default;
};

enum class BufferType : uint8_t { kDefault, kNone, kDisk };
enum class BufferWhenFull : uint8_t { kBlock, kDropOldest, kDropNewest };
enum class BufferSync : uint8_t { kInterval, kAlways, kNever };

// `buffer` of an output: where batches go that its receiver does not take.
struct BufferConfig {
  BufferType type = BufferType::kDefault;  // Disk where there are several outputs, else none.
  std::string path;                        // Empty: a folder named after the output.
  uint64_t max_size_bytes = uint64_t{1} << 30U;
  BufferWhenFull when_full = BufferWhenFull::kBlock;
  BufferSync sync = BufferSync::kInterval;
  // Of the file system, always left free; unset: 5 % of it, but 1 GiB at least.
  std::optional<uint64_t> min_free_bytes;

  bool operator==(const BufferConfig&) const = default;
};

}  // namespace agent
