// `clients`: receivers that speak Loki's push protocol.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "agent/config/sections.h"

namespace agent {
namespace {

// Headers that the agent sets itself; Promtail says so at each request and goes on.
bool IsOurs(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower == "content-type" || lower == "user-agent" || lower == "x-scope-orgid";
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void ReadUrl(FieldReader& fields, ClientConfig& client) {
  const ConfigNode* node = fields.Node("url");
  client.url = fields.String("url");
  if (node == nullptr || node->is_null() || (node->is_scalar() && client.url.empty())) {
    fields.Error("url", "client needs target URL", "url: http://loki:3100/loki/api/v1/push");
    return;
  }
  if (!node->is_scalar()) return;
  const std::string wrong = WhatIsWrongWithUrl(client.url);
  if (!wrong.empty()) {
    fields.Error("url", wrong, "such as http://loki:3100/loki/api/v1/push");
    return;
  }
  const std::size_t path = client.url.find('/', client.url.find("://") + 3);
  if (path == std::string::npos || path + 1 == client.url.size()) {
    fields.Warning("url", "the URL has no path", "Loki's is /loki/api/v1/push");
  }
}

void ReadBackoff(FieldReader& parent, BackoffConfig& backoff) {
  const ConfigNode* node = parent.Node("backoff_config");
  if (node == nullptr) return;
  FieldReader fields(*node, parent.PathOf("backoff_config"), parent.problems());
  backoff.min_period = fields.Duration("min_period", backoff.min_period);
  backoff.max_period = fields.Duration("max_period", backoff.max_period);
  const ConfigNode* retries = fields.Node("max_retries");
  backoff.max_retries_given = retries != nullptr && !retries->is_null();
  backoff.max_retries = static_cast<uint32_t>(
      fields.Int("max_retries", backoff.max_retries, 0, std::numeric_limits<uint32_t>::max()));
  if (backoff.min_period.count() == 0) fields.Error("min_period", "must be more than 0");
  if (backoff.max_period < backoff.min_period) {
    fields.Error("max_period", "max_period is below min_period");
  }
  fields.Finish();
}

void ReadHeaders(FieldReader& fields, ClientConfig& client) {
  for (auto& [name, value] : fields.StringMap("headers", /*null_as_empty=*/true)) {
    if (IsOurs(name)) {
      fields.Warning(
          "headers", "'" + name + "' cannot be overridden and is left out",
          name.size() == std::string_view("X-Scope-OrgID").size() ? "use tenant_id" : "");
    } else if (name.empty() || HasControl(name) || HasControl(value)) {
      fields.Error("headers", "a header must not contain control characters");
    } else {
      client.headers.emplace_back(std::move(name), std::move(value));
    }
  }
}

}  // namespace

Labels ReadLabels(FieldReader& fields, std::string_view key) {
  Labels labels;
  for (const auto& [name, value] : fields.StringMap(key, /*null_as_empty=*/true)) {
    if (!IsValidLabelName(name)) {
      Place place = fields.PlaceOf(key);
      for (const auto& [node, unused] : fields.Node(key)->pairs()) {
        if (node.text() == name) place = node.place();
      }
      fields.problems().Error(place, fields.PathOf(key), "'" + name + "' is not a valid label name",
                              "letters, digits and '_' only, and no digit first");
      continue;
    }
    labels.Set(name, value);
  }
  return labels;
}

ClientConfig ReadClient(const ConfigNode& node, const std::string& path, Problems& problems) {
  FieldReader fields(node, path, problems);
  ClientConfig client;
  client.name = fields.String("name");
  client.name_given = !client.name.empty();
  ReadUrl(fields, client);
  client.tenant_id = fields.String("tenant_id");
  if (HasControl(client.tenant_id)) {
    fields.Error("tenant_id", "a tenant must not contain control characters");
  }
  client.batch_wait = fields.Duration("batchwait", client.batch_wait);
  client.batch_size_bytes =
      static_cast<uint64_t>(fields.Int("batchsize", static_cast<int64_t>(client.batch_size_bytes),
                                       0, std::numeric_limits<int64_t>::max()));
  client.timeout = fields.Duration("timeout", client.timeout);
  if (client.timeout.count() == 0) fields.Error("timeout", "must be more than 0");
  ReadBackoff(fields, client.backoff);
  client.drop_rate_limited_batches = fields.Bool("drop_rate_limited_batches", false);
  client.external_labels = ReadLabels(fields, "external_labels");
  ReadHeaders(fields, client);
  client.http = ReadHttpClient(fields);
  client.buffer = ReadBuffer(fields);
  client.required = fields.Bool("required", true);
  if (fields.Node("stream_lag_labels") != nullptr) {
    fields.Warning("stream_lag_labels", "has no effect", "leave it out");
  }
  fields.Finish();
  return client;
}

}  // namespace agent
