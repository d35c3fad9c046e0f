// What a Loki says of its limits, against what the configuration sends.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/doctor/finding.h"
#include "agent/doctor/subject.h"
#include "base/config/yaml.h"

namespace agent::doctor {

// "256KB", "4MB", "1048576": bytes. Go's flagext: powers of 1024.
std::optional<uint64_t> ParseGoSize(const std::string& text);
// "1w", "168h0m0s": seconds.
std::optional<int64_t> ParseGoDuration(const std::string& text);

// `shown` is the answer of /config.
void ReportLokiLimits(const Subject& subject, const ClientConfig& client, const ConfigNode& shown,
                      const Group& group);

// Jobs that send to this output, by name of client or output.
bool SendsTo(const ScrapeConfig& job, const std::string& output);

}  // namespace agent::doctor
