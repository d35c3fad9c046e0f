#include "agent/convert/promtail_keys.h"

#include <algorithm>
#include <array>

namespace agent::convert {
namespace {

using enum FindingKind;
using enum KeyAction;

constexpr std::string_view kNoGrpc = "the gRPC server is never opened";
constexpr std::string_view kNoRequestLog = "requests to the agent's own pages are not logged";
constexpr std::string_view kOwnDiscovery =
    "this discovery is not built: let a program write its targets into a file for file_sd_configs, "
    "or name the paths in static_configs";
constexpr std::string_view kPushInstead =
    "this source is not built: what receives it now can push to loki_push_api, or write files that "
    "are read";

// Of two that fit the first counts.
constexpr std::array kKeys = std::to_array<PromtailKey>({
    {"**.server.grpc_*", kNoEffect, kRemove, kNoGrpc},
    {"**.server.http_listen_network", kNoEffect, kRemove, "both IPv4 and IPv6 are listened on"},
    {"**.server.log_source_ips_*", kNoEffect, kRemove, kNoRequestLog},
    {"**.server.log_request_*", kNoEffect, kRemove, kNoRequestLog},
    {"**.server.trace_request_*", kNoEffect, kRemove, "there is no tracing"},
    {"**.server.proxy_protocol_enabled", kNoEffect, kRemove, "is not spoken"},
    {"**.server.cluster_validation", kNoEffect, kRemove, "is of Loki's own servers"},
    {"**.server.throughput", kNoEffect, kRemove, "requests are not measured that way"},
    {"**.server.http_log_closed_connections_without_response_enabled", kNoEffect, kRemove,
     kNoRequestLog},
    {"**.server.report_grpc_codes_in_instrumentation_label_enabled", kNoEffect, kRemove, kNoGrpc},
    {"**.server.healthcheck", kNoEffect, kRemove, "/ready is always there"},
    {"client", kDeprecated, kKeep, "is now the item of a list, clients"},
    {"clients[].backoff_config.max_retries", kDiffers, kKeep,
     "is honoured: when it is used up the batch goes to the dead letter, counted as dropped. Left "
     "out, a batch is tried until it is taken"},
    {"clients[].stream_lag_labels", kDeprecated, kRemove, "Promtail 3 refuses it"},
    {"clients[].drop_rate_limited_batches", kDiffers, kKeep,
     "is honoured: what Loki answers with 429 is dropped and counted"},
    {"clients[].enable_http2", kNoEffect, kKeep, "pushes go over HTTP/1.1, as in Promtail"},
    {"positions.ignore_invalid_yaml", kNoEffect, kKeep,
     "a damaged file never keeps the agent from starting: the previous generation is taken"},
    {"limits_config.max_streams", kDiffers, kKeep,
     "an entry of one stream more is dropped and counted; Promtail's client stops there"},
    {"options.stream_lag_labels", kDeprecated, kRemove, "Promtail 3 refuses it"},
    {"tracing", kNoEffect, kRemove, "there is no tracing"},
    {"wal", kNoEffect, kRemove,
     "what is not delivered is read from its file again; for what cannot be read twice, give the "
     "client a buffer"},
    {"scrape_configs[].gcplog", kNoEquivalent, kCommentOut, kPushInstead},
    {"scrape_configs[].kafka", kNoEquivalent, kCommentOut, kPushInstead},
    {"scrape_configs[].gelf", kNoEquivalent, kCommentOut, kPushInstead},
    {"scrape_configs[].cloudflare", kNoEquivalent, kCommentOut, kPushInstead},
    {"scrape_configs[].heroku_drain", kNoEquivalent, kCommentOut, kPushInstead},
    {"scrape_configs[].azure_event_hubs", kNoEquivalent, kCommentOut, kPushInstead},
    {"scrape_configs[].windows_events", kNoEquivalent, kCommentOut,
     "the agent runs on Linux: let the Windows machines push to loki_push_api"},
    {"scrape_configs[].consul_sd_configs", kNoEquivalent, kCommentOut, kOwnDiscovery},
    {"scrape_configs[].consulagent_sd_configs", kNoEquivalent, kCommentOut, kOwnDiscovery},
    {"scrape_configs[].dns_sd_configs", kNoEquivalent, kCommentOut, kOwnDiscovery},
    {"scrape_configs[].ec2_sd_configs", kNoEquivalent, kCommentOut, kOwnDiscovery},
    {"scrape_configs[].gce_sd_configs", kNoEquivalent, kCommentOut, kOwnDiscovery},
    {"scrape_configs[].azure_sd_configs", kNoEquivalent, kCommentOut, kOwnDiscovery},
    {"scrape_configs[].openstack_sd_configs", kNoEquivalent, kCommentOut, kOwnDiscovery},
    {"scrape_configs[].digitalocean_sd_configs", kNoEquivalent, kCommentOut, kOwnDiscovery},
    {"scrape_configs[].dockerswarm_sd_configs", kNoEquivalent, kCommentOut, kOwnDiscovery},
    {"scrape_configs[].marathon_sd_configs", kNoEquivalent, kCommentOut, kOwnDiscovery},
    {"scrape_configs[].nerve_sd_configs", kNoEquivalent, kCommentOut, kOwnDiscovery},
    {"scrape_configs[].serverset_sd_configs", kNoEquivalent, kCommentOut, kOwnDiscovery},
    {"scrape_configs[].triton_sd_configs", kNoEquivalent, kCommentOut, kOwnDiscovery},
    {"scrape_configs[].lightsail_sd_configs", kNoEquivalent, kCommentOut, kOwnDiscovery},
    {"scrape_configs[].http_sd_configs", kNoEquivalent, kCommentOut, kOwnDiscovery},
    {"scrape_configs[].decompression", kDiffers, kKeep,
     "where reading stands is kept in the agent's own journal: going back to Promtail, these files "
     "are read again"},
    {"scrape_configs[].docker_sd_configs", kDiffers, kKeep,
     "the containers' json-files are read where they can be, also those of containers that live "
     "for a moment; a restart neither repeats nor loses"},
    {"scrape_configs[].journal", kDiffers, kKeep,
     "the cursor is Promtail's; a restart does not repeat the last entry, and damage is stepped "
     "over"},
    {"scrape_configs[].syslog", kDiffers, kKeep,
     "messages that are not quite right are shipped with what could be read, where Promtail drops "
     "them"},
    {"scrape_configs[].loki_push_api", kDiffers, kKeep,
     "a request is taken as a whole or refused; when receivers fall behind it is answered with 503 "
     "and Retry-After"},
    {"scrape_configs[].kubernetes_sd_configs[].selectors", kDiffers, kKeep,
     "is used for role pod as well, where Promtail ignores it"},
});

constexpr std::array kFlags = std::to_array<PromtailFlag>({
    {"server.grpc*", kNoEffect, kNoGrpc},
    {"server.http-listen-network", kNoEffect, "both IPv4 and IPv6 are listened on"},
    {"server.log-*", kNoEffect, kNoRequestLog},
    {"server.trace-*", kNoEffect, "there is no tracing"},
    {"server.proxy-protocol-enabled", kNoEffect, "is not spoken"},
    {"server.report-grpc-codes*", kNoEffect, kNoGrpc},
    {"server.throughput*", kNoEffect, "requests are not measured that way"},
    {"server.cluster-validation*", kNoEffect, "is of Loki's own servers"},
    {"tracing.enabled", kNoEffect, "there is no tracing"},
    {"positions.ignore-invalid-yaml", kNoEffect,
     "a damaged file never keeps the agent from starting"},
    {"client.url", kDeprecated, "is now an item of clients"},
    {"client.max-retries", kDiffers,
     "is now a key of that client, and honoured: when it is used up the batch goes to the dead "
     "letter. Left out, a batch is tried until it is taken"},
    {"client.external-labels", kDiffers, "keep giving it: it is of all clients"},
    {"client.*", kDeprecated, "is of the client of -client.url alone: is now a key of it"},
    {"max-streams", kDiffers,
     "an entry of one stream more is dropped and counted; Promtail's client stops there"},
});

bool Fits(std::string_view pattern, std::string_view path) {
  if (pattern.starts_with("**.")) {
    pattern.remove_prefix(3);
    // The last place at which it can begin.
    const std::string_view first = pattern.substr(0, pattern.find('.'));
    const std::size_t begin = path.rfind(first);
    if (begin == std::string_view::npos || (begin > 0 && path[begin - 1] != '.')) return false;
    path.remove_prefix(begin);
  }
  if (!pattern.ends_with('*')) return path == pattern;
  pattern.remove_suffix(1);
  return path.starts_with(pattern) &&
         path.substr(pattern.size()).find_first_of(".[") == std::string_view::npos;
}

bool FlagFits(std::string_view pattern, std::string_view name) {
  if (!pattern.ends_with('*')) return name == pattern;
  return name.starts_with(pattern.substr(0, pattern.size() - 1));
}

}  // namespace

const PromtailKey* FindPromtailKey(std::string_view path) {
  const auto* const found = std::ranges::find_if(
      kKeys, [path](const PromtailKey& key) { return Fits(key.pattern, path); });
  return found == kKeys.end() ? nullptr : found;
}

const PromtailFlag* FindPromtailFlag(std::string_view name) {
  const auto* const found = std::ranges::find_if(
      kFlags, [name](const PromtailFlag& flag) { return FlagFits(flag.pattern, name); });
  return found == kFlags.end() ? nullptr : found;
}

}  // namespace agent::convert
