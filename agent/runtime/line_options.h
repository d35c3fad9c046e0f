// From `logstash` with `protocol: json_lines` to what the output is made from.

#pragma once

#include <string>

#include "agent/config/config.h"
#include "outputs/json_lines/json_lines_options.h"

namespace agent {

// `host`: of this machine, for documents.
JsonLinesOptions ToJsonLinesOptions(const OutputConfig& output, const std::string& host);

}  // namespace agent
