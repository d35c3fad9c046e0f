// Parts of the configuration as YAML, for effective_yaml.cc alone.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "agent/config/config.h"
#include "agent/config/yaml_writer.h"
#include "base/labels.h"

namespace agent::effective {

constexpr std::string_view kSecret = "<secret>";

// "http://user:password@host/": the password is not for people.
std::string MaskedUrl(const std::string& url);

void WriteDuration(YamlWriter& out, std::string_view key, std::chrono::nanoseconds duration);
void WriteNumber(YamlWriter& out, std::string_view key, uint64_t number);
// Nothing when there are none.
void WriteLabels(YamlWriter& out, std::string_view key, const Labels& labels);

// `tls_config`; nothing when it says nothing.
void WriteTls(YamlWriter& out, const TlsConfig& tls);

// `server`, the agent's or a receiver's.
void WriteServer(YamlWriter& out, const ServerConfig& server);
void WriteLokiPush(YamlWriter& out, const LokiPushConfig& push);
void WriteSyslog(YamlWriter& out, const SyslogConfig& syslog);

}  // namespace agent::effective
