#include "agent/runtime/client_options.h"

#include <chrono>
#include <string>
#include <utility>

#include "agent/config/effective_yaml.h"

namespace agent {

TlsOptions ToTlsOptions(const TlsConfig& tls) {
  TlsOptions options;
  options.ca = tls.ca;
  options.ca_file = tls.ca_file;
  options.cert = tls.cert;
  options.cert_file = tls.cert_file;
  options.key = tls.key;
  options.key_file = tls.key_file;
  options.key_passphrase = tls.key_passphrase;
  options.server_name = tls.server_name;
  options.trusted_fingerprint = tls.trusted_fingerprint;
  options.insecure_skip_verify = tls.insecure_skip_verify;
  options.any_server_name = tls.any_server_name;
  options.min_version = TlsVersionName(tls.min_version);
  options.max_version = TlsVersionName(tls.max_version);
  return options;
}

namespace {

HttpProxyOptions ToProxy(const ProxyConfig& proxy) {
  HttpProxyOptions options;
  options.proxy_url = proxy.url;
  options.no_proxy = proxy.no_proxy;
  options.from_environment = proxy.from_environment;
  for (const auto& [name, values] : proxy.connect_header) {
    for (const std::string& value : values)
      options.connect_headers.emplace_back(name, value);
  }
  return options;
}

HttpOauth2Options ToOauth2(const OAuth2& oauth2) {
  HttpOauth2Options options;
  options.client_id = oauth2.client_id;
  options.client_secret = oauth2.client_secret;
  options.client_secret_file = oauth2.client_secret_file;
  options.token_url = oauth2.token_url;
  options.scopes = oauth2.scopes;
  for (const auto& [name, value] : oauth2.endpoint_params)
    options.endpoint_params[name] = value;
  options.tls = ToTlsOptions(oauth2.tls);
  options.proxy = ToProxy(oauth2.proxy);
  return options;
}

HttpAuthOptions ToAuth(const HttpClientConfig& http) {
  HttpAuthOptions options;
  if (http.basic_auth) {
    options.kind = HttpAuthKind::kBasic;
    options.basic = {http.basic_auth->username, http.basic_auth->username_file,
                     http.basic_auth->password, http.basic_auth->password_file};
  } else if (http.authorization) {
    options.kind = HttpAuthKind::kCredentials;
    options.type = http.authorization->type;
    options.credentials = http.authorization->credentials;
    options.credentials_file = http.authorization->credentials_file;
  } else if (http.oauth2) {
    options.kind = HttpAuthKind::kOauth2;
    options.oauth2 = ToOauth2(*http.oauth2);
  }
  return options;
}

}  // namespace

HttpOptions ToHttpOptions(const HttpClientConfig& http) {
  HttpOptions options;
  options.auth = ToAuth(http);
  options.tls = ToTlsOptions(http.tls);
  options.proxy = ToProxy(http.proxy);
  options.follow_redirects = http.follow_redirects;
  for (const HttpHeader& header : http.http_headers) {
    HttpHeaderValues values{header.name, header.values, header.files};
    values.values.insert(values.values.end(), header.secrets.begin(), header.secrets.end());
    options.http_headers.push_back(std::move(values));
  }
  return options;
}

LokiOptions ToLokiOptions(const ClientConfig& client, const LimitsConfig& limits) {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  LokiOptions options;
  options.name = client.name;
  options.user_agent = "log-agent/" AGENT_VERSION;
  options.url = client.url;
  options.tenant_id = client.tenant_id;
  options.batchwait = duration_cast<milliseconds>(client.batch_wait);
  options.batchsize_bytes = client.batch_size_bytes;
  options.min_backoff = duration_cast<milliseconds>(client.backoff.min_period);
  options.max_backoff = duration_cast<milliseconds>(client.backoff.max_period);
  if (client.backoff.max_retries_given && client.backoff.max_retries > 0) {
    options.max_retries = static_cast<int>(client.backoff.max_retries);
  }
  options.drop_rate_limited_batches = client.drop_rate_limited_batches;
  options.external_labels = client.external_labels;
  options.http = ToHttpOptions(client.http);
  options.http.timeout = duration_cast<milliseconds>(client.timeout);
  for (const auto& [name, value] : client.headers)
    options.http.headers[name] = value;
  options.max_line_size_bytes = limits.max_line_size_bytes;
  options.max_line_size_truncate = limits.max_line_size_truncate;
  options.max_streams = limits.max_streams;
  return options;
}

}  // namespace agent
