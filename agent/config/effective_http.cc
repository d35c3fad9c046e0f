// What an HTTP client was told, as YAML; and the texts that are secret.

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/effective_parts.h"
#include "agent/config/effective_yaml.h"
#include "base/http/http_url.h"

namespace agent::effective {

namespace {
// Headers and parameters that carry a secret by their name.

bool IsSecretName(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  for (const std::string_view part :
       {"auth", "token", "secret", "password", "key", "cookie", "credential", "assertion"}) {
    if (lower.find(part) != std::string::npos) return true;
  }
  return false;
}
}  // namespace

void WriteList(YamlWriter& out, std::string_view key, const std::vector<std::string>& list) {
  if (list.empty()) return;
  out.BeginList(key);
  for (const std::string& text : list)
    out.Item(text);
  out.EndList();
}

namespace {
void WriteSecretList(YamlWriter& out, std::string_view key, const std::vector<std::string>& list) {
  WriteList(out, key, std::vector<std::string>(list.size(), std::string(kSecret)));
}
}  // namespace

void WritePairs(YamlWriter& out, std::string_view key, const StringPairs& pairs) {
  if (pairs.empty()) return;
  out.BeginMap(key);
  for (const auto& [name, value] : pairs) {
    const std::string_view shown = value;
    out.Text(name, IsSecretName(name) ? kSecret : shown);
  }
  out.EndMap();
}

namespace {

// What `tls_config` cannot say, as Beats' `ssl` has it.
void WriteSsl(YamlWriter& out, const TlsConfig& tls) {
  constexpr std::array<std::string_view, 5> kNames = {"", "TLSv1.0", "TLSv1.1", "TLSv1.2",
                                                      "TLSv1.3"};
  out.BeginMap("ssl");
  if (!tls.ca.empty() || !tls.ca_file.empty()) {
    WriteList(out, "certificate_authorities", {tls.ca.empty() ? tls.ca_file : tls.ca});
  }
  out.OptionalText("ca_trusted_fingerprint", tls.trusted_fingerprint);
  out.OptionalText("certificate", tls.cert.empty() ? tls.cert_file : tls.cert);
  if (tls.key.empty()) out.OptionalText("key", tls.key_file);
  out.Secret("key", tls.key);
  out.Secret("key_passphrase", tls.key_passphrase);
  out.Text("verification_mode", tls.insecure_skip_verify ? "none"
                                : tls.any_server_name    ? "certificate"
                                                         : "full");
  std::vector<std::string> versions;
  for (const TlsVersion version : {tls.min_version, tls.max_version}) {
    const std::string name(kNames[static_cast<std::size_t>(version)]);
    if (!name.empty() && (versions.empty() || versions.front() != name)) versions.push_back(name);
  }
  WriteList(out, "supported_protocols", versions);
  out.EndMap();
}

}  // namespace

void WriteTls(YamlWriter& out, const TlsConfig& tls) {
  if (tls == TlsConfig{}) return;
  if (tls.any_server_name || !tls.key_passphrase.empty() || !tls.trusted_fingerprint.empty()) {
    return WriteSsl(out, tls);
  }
  out.BeginMap("tls_config");
  out.OptionalText("ca", tls.ca);
  out.OptionalText("ca_file", tls.ca_file);
  out.OptionalText("cert", tls.cert);
  out.OptionalText("cert_file", tls.cert_file);
  out.Secret("key", tls.key);
  out.OptionalText("key_file", tls.key_file);
  out.OptionalText("server_name", tls.server_name);
  out.Bool("insecure_skip_verify", tls.insecure_skip_verify);
  out.OptionalText("min_version", TlsVersionName(tls.min_version));
  out.OptionalText("max_version", TlsVersionName(tls.max_version));
  out.EndMap();
}

namespace {
void WriteProxy(YamlWriter& out, const ProxyConfig& proxy) {
  out.OptionalText("proxy_url", MaskedUrl(proxy.url));
  out.OptionalText("no_proxy", proxy.no_proxy);
  if (proxy.from_environment) out.Bool("proxy_from_environment", true);
  if (proxy.connect_header.empty()) return;
  out.BeginMap("proxy_connect_header");
  for (const auto& [name, values] : proxy.connect_header)
    WriteSecretList(out, name, values);
  out.EndMap();
}

void WriteAuthentication(YamlWriter& out, const HttpClientConfig& http) {
  if (http.basic_auth) {
    out.BeginMap("basic_auth");
    out.OptionalText("username", http.basic_auth->username);
    out.OptionalText("username_file", http.basic_auth->username_file);
    out.Secret("password", http.basic_auth->password);
    out.OptionalText("password_file", http.basic_auth->password_file);
    out.EndMap();
  }
  if (http.authorization) {
    out.BeginMap("authorization");
    out.Text("type", http.authorization->type);
    out.Secret("credentials", http.authorization->credentials);
    out.OptionalText("credentials_file", http.authorization->credentials_file);
    out.EndMap();
  }
  if (http.oauth2) {
    const OAuth2& oauth2 = *http.oauth2;
    out.BeginMap("oauth2");
    out.Text("client_id", oauth2.client_id);
    out.Secret("client_secret", oauth2.client_secret);
    out.OptionalText("client_secret_file", oauth2.client_secret_file);
    out.Text("token_url", MaskedUrl(oauth2.token_url));
    WriteList(out, "scopes", oauth2.scopes);
    WritePairs(out, "endpoint_params", oauth2.endpoint_params);
    WriteTls(out, oauth2.tls);
    WriteProxy(out, oauth2.proxy);
    out.EndMap();
  }
}
}  // namespace

void WriteHttp(YamlWriter& out, const HttpClientConfig& http) {
  WriteAuthentication(out, http);
  WriteTls(out, http.tls);
  WriteProxy(out, http.proxy);
  out.Bool("follow_redirects", http.follow_redirects);
  out.Bool("enable_http2", http.enable_http2);
  if (http.http_headers.empty()) return;
  out.BeginMap("http_headers");
  for (const HttpHeader& header : http.http_headers) {
    out.BeginMap(header.name);
    if (IsSecretName(header.name)) {
      WriteSecretList(out, "values", header.values);
    } else {
      WriteList(out, "values", header.values);
    }
    WriteSecretList(out, "secrets", header.secrets);
    WriteList(out, "files", header.files);
    out.EndMap();
  }
  out.EndMap();
}

}  // namespace agent::effective
