// How to reach a receiver over HTTP: what Promtail's clients and our own outputs have in common.

#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/tls_options.h"

namespace agent {

struct HttpProxyOptions {
  std::string proxy_url;  // Empty and not from the environment: no proxy.
  std::string no_proxy;
  bool from_environment = false;
  std::vector<std::pair<std::string, std::string>> connect_headers;  // Name, value.
};

struct HttpBasicAuth {
  std::string username;
  std::string username_file;
  std::string password;
  std::string password_file;
};

// The client credentials flow.
struct HttpOauth2Options {
  std::string client_id;
  std::string client_secret;
  std::string client_secret_file;
  std::string token_url;
  std::vector<std::string> scopes;
  std::map<std::string, std::string> endpoint_params;
  TlsOptions tls;
  HttpProxyOptions proxy;
};

enum class HttpAuthKind { kNone, kBasic, kCredentials, kOauth2 };

struct HttpAuthOptions {
  HttpAuthKind kind = HttpAuthKind::kNone;
  HttpBasicAuth basic;
  std::string type = "Bearer";  // Of kCredentials; bearer_token is this with "Bearer".
  std::string credentials;
  std::string credentials_file;
  HttpOauth2Options oauth2;
};

// A header of `http_headers`: all of its values are sent.
struct HttpHeaderValues {
  std::string name;
  std::vector<std::string> values;  // `values` and `secrets`.
  std::vector<std::string> files;   // Their content, read before each attempt.
};

struct HttpOptions {
  std::string unix_socket;  // Path of the socket to connect to, whatever the URL's host; or empty.
  std::chrono::milliseconds timeout{10'000};  // Of a whole request; 0: none.
  std::chrono::milliseconds connect_timeout{5'000};
  HttpAuthOptions auth;
  TlsOptions tls;
  HttpProxyOptions proxy;
  bool follow_redirects = true;  // 307 and 308, which keep the method.
  std::map<std::string, std::string> headers;
  std::vector<HttpHeaderValues> http_headers;
};

}  // namespace agent
