// Parts of the configuration as YAML, for effective_yaml.cc alone.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/config.h"
#include "agent/config/yaml_writer.h"
#include "base/labels.h"

namespace agent::effective {

constexpr std::string_view kSecret = "<secret>";

void WriteDuration(YamlWriter& out, std::string_view key, std::chrono::nanoseconds duration);
void WriteNumber(YamlWriter& out, std::string_view key, uint64_t number);
// Nothing when there are none.
void WriteLabels(YamlWriter& out, std::string_view key, const Labels& labels);

void WriteList(YamlWriter& out, std::string_view key, const std::vector<std::string>& list);
// Values whose names say that they are secret are masked.
void WritePairs(YamlWriter& out, std::string_view key, const StringPairs& pairs);
// What an HTTP client is told; secrets masked.
void WriteHttp(YamlWriter& out, const HttpClientConfig& http);
// `buffer` of an output, when it is not the default.
void WriteBuffer(YamlWriter& out, const BufferConfig& buffer);
void WriteDocument(YamlWriter& out, const DocumentConfig& document);
void WriteBackoff(YamlWriter& out, const BackoffConfig& backoff);
void WriteLogstash(YamlWriter& out, const LogstashConfig& config);
void WriteOutputs(YamlWriter& out, const std::vector<OutputConfig>& outputs);
// `tls_config`; nothing when it says nothing.
void WriteTls(YamlWriter& out, const TlsConfig& tls);

// `server`, the agent's or a receiver's.
void WriteServer(YamlWriter& out, const ServerConfig& server);
void WriteLokiPush(YamlWriter& out, const LokiPushConfig& push);
void WriteSyslog(YamlWriter& out, const SyslogConfig& syslog);

}  // namespace agent::effective
