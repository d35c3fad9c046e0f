// What Elasticsearch's and OpenSearch's answers say, one kind of answer each. An empty one, as
// where it may not be asked, says nothing.

#pragma once

#include <string>
#include <vector>

#include "agent/config/output_config.h"
#include "agent/doctor/finding.h"
#include "base/config/yaml.h"

namespace agent::doctor {

// Names that documents may go to, with `*` for what varies.
std::vector<std::string> IndexPatterns(const ElasticsearchConfig& config);
// A question to _has_privileges.
std::string PrivilegesBody(const ElasticsearchConfig& config,
                           const std::vector<std::string>& indices);

// `settings`: of the cluster, flat, with defaults.
void ReportHealth(const ConfigNode& health, const ConfigNode& settings, const Group& group);
void ReportPrivileges(const ConfigNode& answer, const Group& group);
void ReportDisks(const ConfigNode& stats, const ConfigNode& settings, const Group& group);
// `indices`: their settings, flat.
void ReportBlocks(const ConfigNode& indices, const Group& group);
void ReportAutoCreate(const ConfigNode& settings, const ElasticsearchConfig& config,
                      const std::vector<std::string>& patterns, const ConfigNode& indices,
                      const Group& group);

}  // namespace agent::doctor
