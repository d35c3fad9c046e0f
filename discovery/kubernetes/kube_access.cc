#include "discovery/kubernetes/kube_access.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "base/config/problems.h"
#include "base/config/yaml.h"
#include "base/read_file.h"

namespace agent {
namespace {

std::string TextOf(const ConfigNode& node, std::string_view key) {
  const ConfigNode* const value = node.Find(key);
  return value != nullptr && value->is_scalar() ? value->text() : std::string();
}

// As YAML 1.1 has it, for the one flag that a kubeconfig knows.
bool IsTrue(std::string_view text) {
  return text == "true" || text == "True" || text == "TRUE" || text == "yes" || text == "on";
}

Error Invalid(std::string message) {
  return Error{ErrorCode::kInvalid, std::move(message)};
}

// The six bits that a character of base64 stands for; 64: it is none.
uint32_t Base64Value(char c) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return static_cast<uint32_t>(std::min(kAlphabet.find(c), kAlphabet.size()));
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  std::string bytes;
  uint32_t bits = 0;
  uint32_t held = 0;  // Of `bits`.
  bool ended = false;
  for (const char c : text) {
    if (c == '\n' || c == '\r' || c == ' ') continue;
    if (c == '=') {
      ended = true;
      continue;
    }
    const uint32_t value = Base64Value(c);
    if (ended || value == 64) return std::nullopt;
    bits = (bits << 6U | value) & 0xffffU;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes += static_cast<char>(bits >> held & 0xffU);
  }
  // A lone character has too few bits for a byte.
  return held == 6 ? std::nullopt : std::optional(std::move(bytes));
}

// One of `clusters`, `users` and `contexts`: the map under `inner` of the item with that name.
const ConfigNode* FindNamed(const ConfigNode& top, std::string_view list, std::string_view inner,
                            const std::string& name) {
  const ConfigNode* const items = top.Find(list);
  if (items == nullptr) return nullptr;
  for (const ConfigNode& item : items->items()) {
    if (TextOf(item, "name") != name) continue;
    const ConfigNode* const found = item.Find(inner);
    return found != nullptr && found->is_map() ? found : nullptr;
  }
  return nullptr;
}

class Kubeconfig {
 public:
  Kubeconfig(const ConfigNode& top, const std::string& path) : top_(top) {
    const std::size_t slash = path.rfind('/');
    folder_ = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  }

  Result<KubeAccess> Read() {
    const std::string context_name = TextOf(top_, "current-context");
    if (context_name.empty()) return Invalid("it has no current-context");
    const ConfigNode* const context = FindNamed(top_, "contexts", "context", context_name);
    if (context == nullptr) return Invalid("there is no context called '" + context_name + "'");
    const std::string cluster_name = TextOf(*context, "cluster");
    const ConfigNode* const cluster = FindNamed(top_, "clusters", "cluster", cluster_name);
    if (cluster == nullptr) return Invalid("there is no cluster called '" + cluster_name + "'");
    access_.ns = TextOf(*context, "namespace");
    access_.from = "context " + context_name;
    if (Status read = ReadCluster(*cluster); !read) return std::move(read).error();
    const std::string user_name = TextOf(*context, "user");
    const ConfigNode* const user = FindNamed(top_, "users", "user", user_name);
    if (user == nullptr && !user_name.empty() && !HasUser(user_name))
      return Invalid("there is no user called '" + user_name + "'");
    if (user != nullptr) {
      if (Status read = ReadUser(*user); !read) return std::move(read).error();
    }
    return std::move(access_);
  }

 private:
  // A user may stand there with nothing under it.
  bool HasUser(const std::string& name) const {
    const ConfigNode* const items = top_.Find("users");
    if (items == nullptr) return false;
    for (const ConfigNode& item : items->items()) {
      if (TextOf(item, "name") == name) return true;
    }
    return false;
  }

  std::string PathOf(const std::string& path) const {
    return path.empty() || path[0] == '/' ? path : folder_ + path;
  }

  // `KEY` names a file, `KEY-data` is the content in base64 and wins.
  Status ReadPem(const ConfigNode& from, const std::string& key, std::string& text,
                 std::string& file) const {
    const std::string encoded = TextOf(from, key + "-data");
    if (encoded.empty()) {
      file = PathOf(TextOf(from, key));
      return {};
    }
    std::optional<std::string> decoded = DecodeBase64(encoded);
    if (!decoded) return Invalid(key + "-data is not base64");
    text = std::move(*decoded);
    return {};
  }

  Status ReadCluster(const ConfigNode& cluster) {
    std::string& server = access_.server;
    server = TextOf(cluster, "server");
    while (server.ends_with('/'))
      server.pop_back();
    if (!server.starts_with("https://") && !server.starts_with("http://"))
      return Invalid("the cluster's server is no http:// or https:// URL");
    TlsOptions& tls = access_.http.tls;
    tls.insecure_skip_verify = IsTrue(TextOf(cluster, "insecure-skip-tls-verify"));
    tls.server_name = TextOf(cluster, "tls-server-name");
    access_.http.proxy.proxy_url = TextOf(cluster, "proxy-url");
    return ReadPem(cluster, "certificate-authority", tls.ca, tls.ca_file);
  }

  Status ReadUser(const ConfigNode& user) {
    for (const std::string_view key : {"exec", "auth-provider"}) {
      const ConfigNode* const value = user.Find(key);
      if (value == nullptr || value->is_null()) continue;
      return Invalid("the user has '" + std::string(key) +
                     "': the agent runs no programs to get credentials; use a token, tokenFile or "
                     "a client certificate");
    }
    TlsOptions& tls = access_.http.tls;
    if (Status cert = ReadPem(user, "client-certificate", tls.cert, tls.cert_file); !cert)
      return cert;
    if (Status key = ReadPem(user, "client-key", tls.key, tls.key_file); !key) return key;
    HttpAuthOptions& auth = access_.http.auth;
    auth.credentials_file = PathOf(TextOf(user, "tokenFile"));
    if (auth.credentials_file.empty()) auth.credentials = TextOf(user, "token");
    if (!auth.credentials.empty() || !auth.credentials_file.empty()) {
      auth.kind = HttpAuthKind::kCredentials;
    } else if (const std::string name = TextOf(user, "username"); !name.empty()) {
      auth.kind = HttpAuthKind::kBasic;
      auth.basic.username = name;
      auth.basic.password = TextOf(user, "password");
    }
    ReadImpersonation(user);
    return {};
  }

  void ReadImpersonation(const ConfigNode& user) {
    const std::string name = TextOf(user, "as");
    if (!name.empty()) access_.http.headers["Impersonate-User"] = name;
    const ConfigNode* const groups = user.Find("as-groups");
    if (groups == nullptr || groups->items().empty()) return;
    HttpHeaderValues header{"Impersonate-Group", {}, {}};
    for (const ConfigNode& group : groups->items())
      header.values.push_back(group.text());
    access_.http.http_headers.push_back(std::move(header));
  }

  const ConfigNode& top_;
  std::string folder_;
  KubeAccess access_;
};

Result<KubeAccess> InCluster(const KubernetesOptions& options, const KubeEnvironment& environment) {
  const std::string host = environment("KUBERNETES_SERVICE_HOST");
  const std::string port = environment("KUBERNETES_SERVICE_PORT");
  if (host.empty() || port.empty()) {
    return Error{ErrorCode::kUnavailable,
                 "not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not "
                 "set; give api_server or kubeconfig_file"};
  }
  KubeAccess access;
  const bool is_ipv6 = host.find(':') != std::string::npos;
  access.server = "https://" + (is_ipv6 ? "[" + host + "]" : host) + ":" + port;
  access.from = "in-cluster";
  access.http.auth.kind = HttpAuthKind::kCredentials;
  access.http.auth.credentials_file = options.service_account_path + "/token";
  access.http.tls.ca_file = options.service_account_path + "/ca.crt";
  // A pod may be without a service account; then there is nothing to ask with.
  Result<std::string> token = ReadSmallFile(access.http.auth.credentials_file);
  if (!token) return std::move(token).error().Wrap("service account");
  if (Result<std::string> ns = ReadSecretFile(options.service_account_path + "/namespace"))
    access.ns = *ns;
  return access;
}

}  // namespace

Result<KubeAccess> ParseKubeconfig(const std::string& text, const std::string& path) {
  Problems problems(path, text);
  const ConfigNode top = LoadYaml(text, problems);
  for (const Problem& problem : problems.all()) {
    // Its place alone: the text has secrets in it.
    if (problem.severity == Severity::kError)
      return Invalid(path + ":" + std::to_string(problem.place.line) + ": this is no YAML");
  }
  if (!top.is_map()) return Invalid(path + ": this is no kubeconfig");
  Result<KubeAccess> access = Kubeconfig(top, path).Read();
  if (!access) return std::move(access).error().Wrap(path);
  access->from = path + ", " + access->from;
  access->text = text;
  return access;
}

Result<KubeAccess> FindKubeAccess(const KubernetesOptions& options,
                                  const KubeEnvironment& environment) {
  if (!options.kubeconfig_file.empty()) {
    Result<std::string> text = ReadSmallFile(options.kubeconfig_file);
    if (!text) return std::move(text).error().Wrap("kubeconfig_file");
    return ParseKubeconfig(*text, options.kubeconfig_file);
  }
  if (options.api_server.empty()) return InCluster(options, environment);
  KubeAccess access;
  access.server = options.api_server;
  while (access.server.ends_with('/'))
    access.server.pop_back();
  access.http = options.http;
  access.from = "api_server";
  return access;
}

}  // namespace agent
