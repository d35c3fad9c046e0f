// What every HTTP client can be told: authentication, TLS, proxy, headers.

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/sections.h"

namespace agent {
namespace {

using Header = std::pair<std::string, std::vector<std::string>>;

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// Reports when more than one of `keys` has a value.
void AtMostOne(FieldReader& fields, std::initializer_list<std::string_view> keys) {
  std::string names;
  std::string_view last;
  int given = 0;
  for (const std::string_view key : keys) {
    names += (names.empty() ? "" : ", ") + std::string(key);
    const ConfigNode* value = fields.Node(key);
    if (value == nullptr || value->is_null()) continue;
    if (value->is_scalar() && value->text().empty()) continue;
    ++given;
    last = key;
  }
  if (given > 1) fields.Error(last, "at most one of " + names, "keep one of them");
}

TlsVersion ReadTlsVersion(FieldReader& fields, std::string_view key) {
  const std::string text = fields.Choice(key, "", {"TLS10", "TLS11", "TLS12", "TLS13"});
  if (text == "TLS10") return TlsVersion::kTls10;
  if (text == "TLS11") return TlsVersion::kTls11;
  if (text == "TLS12") return TlsVersion::kTls12;
  return text == "TLS13" ? TlsVersion::kTls13 : TlsVersion::kDefault;
}

// Headers with a line break in them could smuggle in others.
bool IsHeaderSafe(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

std::vector<Header> ReadConnectHeader(FieldReader& parent) {
  std::vector<Header> headers;
  const ConfigNode* node = parent.Node("proxy_connect_header");
  if (node == nullptr) return headers;
  FieldReader fields(*node, parent.PathOf("proxy_connect_header"), parent.problems());
  for (const auto& [name, value] : node->pairs()) {
    Header& header = headers.emplace_back(name.text(), fields.StringList(name.text()));
    if (!std::all_of(header.second.begin(), header.second.end(), IsHeaderSafe)) {
      fields.Error(name.text(), "a header must not contain control characters");
    }
  }
  return headers;
}

ProxyConfig ReadProxy(FieldReader& fields) {
  ProxyConfig proxy;
  proxy.url = fields.String("proxy_url");
  proxy.no_proxy = fields.String("no_proxy");
  proxy.from_environment = fields.Bool("proxy_from_environment", false);
  proxy.connect_header = ReadConnectHeader(fields);
  if (!proxy.no_proxy.empty() && proxy.url.empty()) {
    fields.Error("no_proxy", "no_proxy needs proxy_url");
  }
  if (proxy.from_environment && (!proxy.url.empty() || !proxy.no_proxy.empty())) {
    fields.Error("proxy_from_environment",
                 "proxy_from_environment excludes proxy_url and no_proxy");
  }
  return proxy;
}

BasicAuth ReadBasicAuth(const ConfigNode& node, const std::string& path, Problems& problems) {
  FieldReader fields(node, path, problems);
  BasicAuth auth;
  auth.username = fields.String("username");
  auth.username_file = fields.String("username_file");
  auth.password = fields.String("password");
  auth.password_file = fields.String("password_file");
  AtMostOne(fields, {"username", "username_file"});
  AtMostOne(fields, {"password", "password_file"});
  fields.Finish();
  return auth;
}

Authorization ReadAuthorization(const ConfigNode& node, const std::string& path,
                                Problems& problems) {
  FieldReader fields(node, path, problems);
  Authorization authorization;
  authorization.type = fields.String("type", authorization.type);
  if (authorization.type.empty()) authorization.type = "Bearer";
  authorization.credentials = fields.String("credentials");
  authorization.credentials_file = fields.String("credentials_file");
  AtMostOne(fields, {"credentials", "credentials_file"});
  if (LowerCase(authorization.type) == "basic") {
    fields.Error("type", "authorization type cannot be basic", "use basic_auth");
  }
  if (!IsHeaderSafe(authorization.type) || !IsHeaderSafe(authorization.credentials)) {
    fields.MapError("a header must not contain control characters");
  }
  fields.Finish();
  return authorization;
}

OAuth2 ReadOAuth2(const ConfigNode& node, const std::string& path, Problems& problems) {
  FieldReader fields(node, path, problems);
  OAuth2 oauth2;
  oauth2.client_id = fields.RequiredString("client_id");
  oauth2.client_secret = fields.String("client_secret");
  oauth2.client_secret_file = fields.String("client_secret_file");
  oauth2.token_url = fields.RequiredString("token_url");
  if (const std::string wrong = WhatIsWrongWithUrl(oauth2.token_url);
      !oauth2.token_url.empty() && !wrong.empty()) {
    fields.Error("token_url", wrong);
  }
  oauth2.scopes = fields.StringList("scopes");
  oauth2.endpoint_params = fields.StringMap("endpoint_params", /*null_as_empty=*/true);
  oauth2.tls = ReadTls(fields);
  oauth2.proxy = ReadProxy(fields);
  AtMostOne(fields, {"client_secret", "client_secret_file"});
  fields.Choice("grant_type", "client_credentials", {"", "client_credentials"});
  for (const std::string_view key :
       {"client_certificate_key", "client_certificate_key_file", "client_certificate_key_id",
        "audience", "claims", "iss", "signature_algorithm"}) {
    if (fields.Node(key) != nullptr)
      fields.Error(key, "signed requests for tokens are not built yet");
  }
  fields.Finish();
  return oauth2;
}

// What the agent sets itself, or has a setting of its own for.
bool IsReservedHeader(std::string_view name) {
  static constexpr std::array<std::string_view, 13> kReserved = {
      "authorization",       "host",       "content-encoding", "content-length",    "content-type",
      "user-agent",          "connection", "keep-alive",       "transfer-encoding", "te",
      "proxy-authorization", "upgrade",    "x-scope-orgid"};
  return std::find(kReserved.begin(), kReserved.end(), LowerCase(name)) != kReserved.end();
}

std::vector<HttpHeader> ReadHttpHeaders(FieldReader& parent) {
  std::vector<HttpHeader> headers;
  const ConfigNode* node = parent.Node("http_headers");
  if (node == nullptr) return headers;
  FieldReader names(*node, parent.PathOf("http_headers"), parent.problems());
  for (const auto& [name, value] : node->pairs()) {
    FieldReader fields(value, names.PathOf(name.text()), parent.problems());
    HttpHeader header;
    header.name = name.text();
    header.values = fields.StringList("values");
    header.secrets = fields.StringList("secrets");
    header.files = fields.StringList("files");
    const bool safe = std::all_of(header.values.begin(), header.values.end(), IsHeaderSafe) &&
                      std::all_of(header.secrets.begin(), header.secrets.end(), IsHeaderSafe);
    if (!safe) fields.MapError("a header must not contain control characters");
    if (IsReservedHeader(header.name)) {
      names.Error(header.name, "this header cannot be set here");
    }
    fields.Finish();
    headers.push_back(std::move(header));
  }
  return headers;
}

}  // namespace

std::string WhatIsWrongWithUrl(const std::string& url) {
  std::string_view rest = url;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!LowerCase(rest.substr(0, scheme.size())).starts_with(scheme)) continue;
    rest.remove_prefix(scheme.size());
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
    const std::string_view host = authority.substr(
        authority.rfind('@') == std::string_view::npos ? 0 : authority.rfind('@') + 1);
    if (host.empty() || host[0] == ':') return "a URL needs a host";
    const bool blank = std::any_of(url.begin(), url.end(), [](char c) {
      return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
    });
    return blank ? "a URL must not contain blanks or control characters" : "";
  }
  return "a URL starts with http:// or https://";
}

TlsConfig ReadTls(FieldReader& parent) {
  TlsConfig tls;
  const ConfigNode* node = parent.Node("tls_config");
  if (node == nullptr) return tls;
  FieldReader fields(*node, parent.PathOf("tls_config"), parent.problems());
  tls.ca = fields.String("ca");
  tls.ca_file = fields.String("ca_file");
  tls.cert = fields.String("cert");
  tls.cert_file = fields.String("cert_file");
  tls.key = fields.String("key");
  tls.key_file = fields.String("key_file");
  tls.server_name = fields.String("server_name");
  tls.insecure_skip_verify = fields.Bool("insecure_skip_verify", false);
  tls.min_version = ReadTlsVersion(fields, "min_version");
  tls.max_version = ReadTlsVersion(fields, "max_version");
  AtMostOne(fields, {"ca", "ca_file"});
  AtMostOne(fields, {"cert", "cert_file"});
  AtMostOne(fields, {"key", "key_file"});
  const bool has_cert = !tls.cert.empty() || !tls.cert_file.empty();
  const bool has_key = !tls.key.empty() || !tls.key_file.empty();
  if (has_cert != has_key) {
    fields.MapError(has_cert ? "a certificate needs its key" : "a key needs its certificate",
                    has_cert ? "give key_file" : "give cert_file");
  }
  if (tls.max_version != TlsVersion::kDefault && tls.min_version > tls.max_version) {
    fields.Error("max_version", "max_version is below min_version");
  }
  fields.Finish();
  return tls;
}

HttpClientConfig ReadHttpClient(FieldReader& fields) {
  HttpClientConfig http;
  AtMostOne(fields, {"basic_auth", "authorization", "oauth2", "bearer_token", "bearer_token_file"});
  const auto given = [&](std::string_view key) {
    const ConfigNode* node = fields.Node(key);
    return node != nullptr && !node->is_null() ? node : nullptr;
  };
  if (const ConfigNode* node = given("basic_auth")) {
    http.basic_auth = ReadBasicAuth(*node, fields.PathOf("basic_auth"), fields.problems());
  }
  if (const ConfigNode* node = given("authorization")) {
    http.authorization =
        ReadAuthorization(*node, fields.PathOf("authorization"), fields.problems());
  }
  if (const ConfigNode* node = given("oauth2")) {
    http.oauth2 = ReadOAuth2(*node, fields.PathOf("oauth2"), fields.problems());
  }
  Authorization bearer;
  bearer.credentials = fields.String("bearer_token");
  bearer.credentials_file = fields.String("bearer_token_file");
  if (!IsHeaderSafe(bearer.credentials)) {
    fields.Error("bearer_token", "a header must not contain control characters");
  }
  if (!bearer.credentials.empty() || !bearer.credentials_file.empty()) http.authorization = bearer;
  http.tls = ReadTls(fields);
  http.proxy = ReadProxy(fields);
  http.follow_redirects = fields.Bool("follow_redirects", http.follow_redirects);
  http.enable_http2 = fields.Bool("enable_http2", http.enable_http2);
  http.http_headers = ReadHttpHeaders(fields);
  return http;
}

}  // namespace agent
