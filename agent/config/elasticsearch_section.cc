// `elasticsearch` of an output. Beats' names of keys are understood beside our own.

#include <openssl/evp.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/sections.h"
#include "agent/config/setup_section.h"
#include "base/http/http_auth.h"
#include "outputs/event_pattern.h"

namespace agent {
namespace {

constexpr uint64_t kMinBatchBytes = uint64_t{1} << 10U;
constexpr uint64_t kMaxBatchBytes = uint64_t{100} << 20U;  // What a server takes by default.

void CheckPattern(FieldReader& fields, std::string_view key, const std::string& text) {
  const auto pattern = EventPattern::Parse(text);
  if (!pattern) fields.Error(key, pattern.error().message);
}

// "https://h:9200/prefix" of "h", "h:9200", "https://h/prefix", "[::1]".
std::string HostUrl(const std::string& host, std::string_view protocol, std::string_view path) {
  std::string url =
      host.find("://") != std::string::npos ? host : std::string(protocol) + "://" + host;
  while (url.ends_with('/'))
    url.pop_back();
  const std::size_t authority = url.find("://") + 3;
  std::size_t end = url.find('/', authority);
  if (end == std::string::npos) {
    end = url.size();
    url += path;
  }
  const std::size_t bracket = url.find(']', authority);
  const std::size_t colon =
      url.find(':', bracket != std::string::npos && bracket < end ? bracket : authority);
  // With a user, the colon may be of the password.
  const std::size_t at = url.rfind('@', end);
  const bool has_port =
      colon < end && (at == std::string::npos || at < authority || url.find(':', at) < end);
  if (!has_port) url.insert(end, ":9200");
  return url;
}

void ReadHosts(FieldReader& fields, ElasticsearchConfig& config) {
  const std::string protocol = fields.Choice("protocol", "http", {"http", "https"});
  std::string path = fields.String("path");
  while (path.ends_with('/'))
    path.pop_back();
  if (!path.empty() && path[0] != '/') path.insert(0, 1, '/');
  for (const std::string& host : fields.StringList("hosts")) {
    std::string url = HostUrl(host, protocol, path);
    const std::string wrong = WhatIsWrongWithUrl(url);
    if (!wrong.empty()) {
      std::string what = "'" + host;
      what += "': ";
      fields.Error("hosts", what + wrong, "such as https://es-1:9200");
    }
    config.hosts.push_back(std::move(url));
  }
}

std::optional<std::string> DecodeBase64(std::string text) {
  // OpenSSL wants the padding, and counts it as bytes.
  std::size_t padding = 0;
  while (text.size() % 4 != 0) {
    text += '=';
  }
  while (padding < text.size() && text[text.size() - 1 - padding] == '=')
    ++padding;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0 || padding > 2) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

// `name:base64(domain$uuid$…)`, each part with an optional port.
void ReadCloudId(FieldReader& fields, ElasticsearchConfig& config) {
  const std::string key = NameUsed(fields, {"cloud_id", "cloud.id"});
  const std::string id = fields.String(key);
  if (id.empty()) return;
  const std::optional<std::string> decoded = DecodeBase64(id.substr(id.rfind(':') + 1));
  const std::size_t first = decoded ? decoded->find('$') : std::string::npos;
  if (first == std::string::npos) {
    return fields.Error(key, "not a cloud id", "it is NAME:BASE64, as the console shows it");
  }
  const std::string domain = decoded->substr(0, first);
  std::string uuid = decoded->substr(first + 1, decoded->find('$', first + 1) - first - 1);
  std::string port = "443";
  const std::size_t domain_colon = domain.find(':');
  if (domain_colon != std::string::npos) port = domain.substr(domain_colon + 1);
  if (const std::size_t colon = uuid.find(':'); colon != std::string::npos) {
    port = uuid.substr(colon + 1);
    uuid.resize(colon);
  }
  if (!config.hosts.empty()) return fields.Error(key, "either hosts or a cloud id");
  config.hosts.push_back("https://" + uuid + "." + domain.substr(0, domain_colon) + ":" + port);
}

// "id:key", or that in base64 already.
std::string ApiKeyCredentials(const std::string& key) {
  return key.find(':') == std::string::npos ? key : Base64(key);
}

void ReadCredentials(FieldReader& fields, HttpClientConfig& http) {
  int given = (http.basic_auth ? 1 : 0) + (http.authorization ? 1 : 0) + (http.oauth2 ? 1 : 0);
  std::string username = fields.String("username");
  std::string password = fields.String("password");
  const std::string auth_key = NameUsed(fields, {"cloud_auth", "cloud.auth"});
  if (const std::string auth = fields.String(auth_key); !auth.empty()) {
    const std::size_t colon = auth.find(':');
    username = auth.substr(0, colon);
    password = colon == std::string::npos ? "" : auth.substr(colon + 1);
  }
  if (!username.empty()) {
    http.basic_auth = BasicAuth{username, "", password, ""};
    ++given;
  }
  if (const std::string key = fields.String("api_key"); !key.empty()) {
    http.authorization = Authorization{"ApiKey", ApiKeyCredentials(key), ""};
    ++given;
  }
  if (given > 1) {
    fields.MapError("more than one way to log in",
                    "keep one of username, api_key, bearer_token, …");
  }
}

std::optional<DataStreamConfig> ReadDataStream(FieldReader& parent) {
  const ConfigNode* const node = parent.Node("data_stream");
  if (node == nullptr || node->is_null()) return std::nullopt;
  FieldReader fields(*node, parent.PathOf("data_stream"), parent.problems());
  DataStreamConfig stream;
  stream.type = fields.String("type", stream.type);
  stream.dataset = fields.String("dataset", stream.dataset);
  stream.name_space = fields.String("namespace", stream.name_space);
  for (const auto& [key, text] :
       {std::pair("type", stream.type), std::pair("dataset", stream.dataset),
        std::pair("namespace", stream.name_space)}) {
    if (text.find("%{") != std::string::npos)
      fields.Error(key, "has no values of entries in it", "use index for a name with values");
  }
  for (const auto& [key, text] :
       {std::pair("type", stream.type), std::pair("dataset", stream.dataset)}) {
    if (text.find('-') != std::string::npos)
      fields.Error(key, "must not contain '-'", "use '_' or '.'");
  }
  fields.Finish();
  return stream;
}

// `when` of Beats: {equals: {field: value}}, {contains: {field: text}}.
void ReadWhen(FieldReader& parent, ConditionalIndexConfig& rule) {
  const ConfigNode* const node = parent.Node("when");
  if (node == nullptr)
    return parent.MapError("a rule needs when", "when: {equals: {labels.app: x}}");
  FieldReader fields(*node, parent.PathOf("when"), parent.problems());
  for (const std::string_view kind : {"equals", "contains"}) {
    for (const auto& [field, value] : fields.StringMap(kind, /*null_as_empty=*/true)) {
      rule.field = field;
      (kind == "equals" ? rule.equals : rule.contains) = value;
    }
  }
  if (rule.field.empty()) fields.MapError("one field that equals or contains a text");
  fields.Finish();
}

void ReadIndices(FieldReader& fields, ElasticsearchConfig& config) {
  fields.List("indices", [&](const ConfigNode& item, const std::string& path) {
    FieldReader entry(item, path, fields.problems());
    ConditionalIndexConfig rule;
    rule.index = entry.RequiredString("index");
    CheckPattern(entry, "index", rule.index);
    ReadWhen(entry, rule);
    entry.Finish();
    config.indices.push_back(std::move(rule));
  });
}

void ReadIndexing(FieldReader& fields, ElasticsearchConfig& config) {
  config.data_stream = ReadDataStream(fields);
  if (config.data_stream && fields.Has("index")) {
    fields.Error("index", "either an index or a data stream");
  }
  config.index = fields.String("index", config.index);
  CheckPattern(fields, "index", config.index);
  ReadIndices(fields, config);
  config.index_fallback = fields.String("index_fallback");
  config.max_indices_per_hour = static_cast<uint64_t>(fields.Int(
      "max_indices_per_hour", static_cast<int64_t>(config.max_indices_per_hour), 1, 1'000'000));
  config.require_alias = fields.Bool("require_alias", false);
  config.id_mode = fields.Choice("id_mode", "offset", {"offset", "none"});
  config.pipeline = fields.String("pipeline");
  config.require_items = fields.Bool("require_items", true);
}

void ReadBatching(FieldReader& fields, ElasticsearchConfig& config) {
  const std::string entries = NameUsed(fields, {"batch_max_entries", "bulk_max_size"});
  config.batch_entries = static_cast<uint64_t>(
      fields.Int(entries, static_cast<int64_t>(config.batch_entries), 1, 1'000'000));
  const std::string bytes = NameUsed(fields, {"batch_max_size", "bulk_max_bytes"});
  config.batch_bytes = fields.Size(bytes, config.batch_bytes);
  if (config.batch_bytes < kMinBatchBytes || config.batch_bytes > kMaxBatchBytes) {
    fields.Error(bytes, "must be between 1KiB and 100MiB");
  }
  const std::string wait = NameUsed(fields, {"batch_wait", "flush_interval"});
  config.batch_wait = fields.Duration(wait, config.batch_wait);
  config.compression_level = static_cast<uint32_t>(fields.Int("compression_level", 1, 0, 9));
}

void ReadRetries(FieldReader& parent, ElasticsearchConfig& config) {
  config.timeout = parent.Duration("timeout", config.timeout);
  if (config.timeout.count() == 0) parent.Error("timeout", "must be more than 0");
  config.max_item_retry = parent.Duration("max_item_retry_age", config.max_item_retry);
  if (const ConfigNode* const retries = parent.Node("max_retries");
      retries != nullptr && !retries->is_null()) {
    config.backoff.max_retries_given = true;
    config.backoff.max_retries =
        static_cast<uint32_t>(parent.Int("max_retries", 0, 0, std::numeric_limits<int32_t>::max()));
  }
  ReadOutputBackoff(parent, config.backoff);
}

}  // namespace

ElasticsearchConfig ReadElasticsearch(FieldReader& parent) {
  ElasticsearchConfig config;
  const ConfigNode* const node = parent.Node("elasticsearch");
  FieldReader fields(*node, parent.PathOf("elasticsearch"), parent.problems());
  config.http = ReadHttpClient(fields);
  config.http.follow_redirects = fields.Has("follow_redirects") && config.http.follow_redirects;
  ReadSsl(fields, config.http.tls);
  ReadCredentials(fields, config.http);
  ReadHosts(fields, config);
  ReadCloudId(fields, config);
  if (config.hosts.empty()) {
    fields.Error("hosts", "at least one host is needed", "hosts: [https://es-1:9200]");
  }
  config.load_balance = fields.Bool(NameUsed(fields, {"load_balance", "loadbalance"}), true);
  config.workers =
      static_cast<uint32_t>(fields.Int(NameUsed(fields, {"workers", "worker"}), 1, 1, 64));
  ReadIndexing(fields, config);
  ReadBatching(fields, config);
  ReadRetries(fields, config);
  config.headers = fields.StringMap("headers", /*null_as_empty=*/true);
  config.document = ReadDocument(fields);
  ReadSetup(fields, config);
  fields.Finish();
  return config;
}

}  // namespace agent
