#include "agent/config/clients.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/pairs.h"
#include "agent/config/sections.h"
#include "base/config/scalars.h"
#include "base/go_format.h"

namespace agent {
namespace {

// A client and where it came from, for problems.
struct Found {
  ClientConfig client;
  Place place;
  std::string path;
};

uint64_t ToNumber(const std::string& text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void SetDuration(const Flags& flags, std::string_view name, std::chrono::nanoseconds& duration) {
  const auto value = flags.Value(name);
  if (!value) return;
  const auto parsed = ParseGoDuration(*value);
  if (parsed.ok()) duration = *parsed;
}

// What -client.* describes; used only with -client.url.
ClientConfig ClientOfFlags(const Flags& flags) {
  ClientConfig client;
  client.url = flags.Value("client.url").value_or("");
  client.tenant_id = flags.Value("client.tenant-id").value_or("");
  SetDuration(flags, "client.batch-wait", client.batch_wait);
  SetDuration(flags, "client.timeout", client.timeout);
  SetDuration(flags, "client.min-backoff", client.backoff.min_period);
  SetDuration(flags, "client.max-backoff", client.backoff.max_period);
  if (const auto size = flags.Value("client.batch-size-bytes")) {
    client.batch_size_bytes = ToNumber(*size);
  }
  if (const auto retries = flags.Value("client.max-retries")) {
    client.backoff.max_retries = static_cast<uint32_t>(ToNumber(*retries));
    client.backoff.max_retries_given = true;
  }
  if (const auto drop = flags.Value("client.drop-rate-limited-batches")) {
    client.drop_rate_limited_batches = ParseGoBool(*drop).value_or(false);
  }
  return client;
}

// `client` may say only labels for all.
bool HasUrl(const ConfigNode& node) {
  const ConfigNode* url = node.Find("url");
  return url != nullptr && !url->is_null();
}

// Labels for all clients: -client.external-labels, under those of `client`.
Labels LabelsForAll(const Flags& flags, const ConfigNode* single, FieldReader& fields) {
  Labels labels;
  if (const auto text = flags.Value("client.external-labels")) {
    const Result<Labels> parsed = ParseLabelPairs(*text);
    if (parsed.ok()) labels = *parsed;
  }
  if (single != nullptr && single->is_map()) {
    Problems unused;  // They are reported where the client itself is read, or just below.
    FieldReader entry(*single, fields.PathOf("client"),
                      HasUrl(*single) ? unused : fields.problems());
    for (const Label& label : ReadLabels(entry, "external_labels")) {
      labels.Set(label.name, label.value);
    }
  }
  return labels;
}

void AddLabels(const Labels& labels, ClientConfig& client) {
  for (const Label& label : labels) {
    if (!client.external_labels.Has(label.name))
      client.external_labels.Set(label.name, label.value);
  }
}

// 6 hexadecimal digits. They name the client in metrics and in what is remembered of it, so they
// depend on what makes it another receiver, and not on how it is spoken to.
std::string HashName(const ClientConfig& client, std::size_t salt) {
  std::string text =
      client.url + '\0' + client.tenant_id + '\0' + FormatLabels(client.external_labels);
  if (salt > 0) text += '\0' + std::to_string(salt);
  uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a.
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  hash ^= hash >> 32U;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string name;
  for (unsigned shift = 0; shift < 24; shift += 4)
    name += kDigits[(hash >> shift) & 0xfU];
  return name;
}

void NameThem(std::vector<Found>& all, Problems& problems) {
  std::map<std::string, const Found*> names;
  for (Found& found : all) {
    if (!found.client.name_given) continue;
    const auto [first, fresh] = names.try_emplace(found.client.name, &found);
    if (fresh) continue;
    problems.Error(
        found.place, found.path,
        "duplicate client configs are not allowed, found duplicate for name: " + found.client.name,
        "the first is " + first->second->path);
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    Found& found = all[i];
    if (found.client.name_given) continue;
    for (std::size_t j = 0; j < i; ++j) {
      ClientConfig other = all[j].client;
      if (other.name_given) continue;
      other.name.clear();
      if (!(other == found.client)) continue;
      problems.Error(found.place, found.path,
                     "duplicate client configs are not allowed, found duplicate for name: " +
                         all[j].client.name,
                     "it is the same as " + all[j].path);
    }
    std::size_t salt = 0;
    std::string name = HashName(found.client, salt);
    while (names.contains(name))
      name = HashName(found.client, ++salt);
    names.emplace(name, &found);
    found.client.name = std::move(name);
  }
}

void CheckBufferPaths(const std::vector<Found>& all, Problems& problems) {
  std::map<std::string, const Found*> paths;
  for (const Found& found : all) {
    const std::string& path = found.client.buffer.path;
    if (path.empty()) continue;
    const auto [first, fresh] = paths.try_emplace(NormalFolder(path), &found);
    if (fresh) continue;
    problems.Error(found.place, found.path + ".buffer.path",
                   "a buffer is for one output: " + path + " is taken",
                   "the first is " + first->second->path);
  }
}

}  // namespace

std::vector<ClientConfig> ReadClients(const Flags& flags, FieldReader& fields) {
  std::vector<Found> all;
  Problems& problems = fields.problems();
  fields.List("clients", [&](const ConfigNode& item, const std::string& path) {
    all.push_back({ReadClient(item, path, problems), item.place(), path});
  });
  const ConfigNode* single = fields.Node("client");
  if (single != nullptr && !single->is_null()) {
    fields.Warning("client", "deprecated: it is one more of `clients`", "move it to clients");
    if (!single->is_map() || HasUrl(*single)) {
      const std::string path = fields.PathOf("client");
      all.push_back({ReadClient(*single, path, problems), single->place(), path});
    }
  }
  if (flags.Given("client.url")) {
    ClientConfig client = ClientOfFlags(flags);
    const std::string wrong = WhatIsWrongWithUrl(client.url);
    if (!wrong.empty()) problems.Error({}, "-client.url", wrong);
    if (client.timeout.count() == 0) problems.Error({}, "-client.timeout", "must be more than 0");
    if (client.backoff.min_period.count() == 0) {
      problems.Error({}, "-client.min-backoff", "must be more than 0");
    }
    if (client.backoff.max_period < client.backoff.min_period) {
      problems.Error({}, "-client.max-backoff", "is below -client.min-backoff");
    }
    all.push_back({std::move(client), {}, "-client.url"});
  }
  const Labels for_all = LabelsForAll(flags, single, fields);
  for (Found& found : all)
    AddLabels(for_all, found.client);
  NameThem(all, problems);
  CheckBufferPaths(all, problems);
  // An empty list of them says that none is meant to be there yet: such a configuration loads, and
  // cannot be run.
  const ConfigNode* const outputs = fields.Node("outputs");
  if (all.empty() && (outputs == nullptr || !outputs->is_sequence())) {
    fields.Error("clients", "at least one client config must be provided",
                 "clients: [{url: http://loki:3100/loki/api/v1/push}]");
  }
  std::vector<ClientConfig> clients;
  clients.reserve(all.size());
  for (Found& found : all)
    clients.push_back(std::move(found.client));
  return clients;
}

}  // namespace agent
