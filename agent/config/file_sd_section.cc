// `file_sd_configs`: targets that other programs write into files.

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "agent/config/sections.h"
#include "discovery/target_files.h"

namespace agent {
namespace {

FileSdConfig ReadFileSdConfig(const ConfigNode& item, const std::string& path, Problems& problems) {
  FieldReader fields(item, path, problems);
  FileSdConfig config;
  config.files = fields.StringList("files");
  const ConfigNode* const list = fields.Node("files");
  if (config.files.empty() && (list == nullptr || list->is_null() || list->is_sequence())) {
    fields.Error("files", "file service discovery config must contain at least one path name",
                 "add files: [/etc/log-agent/targets/*.yml]");
  }
  for (std::size_t i = 0; i < config.files.size(); ++i) {
    const std::string wrong = WhatIsWrongWithFilePattern(config.files[i]);
    if (wrong.empty()) continue;
    const ConfigNode& whole = list != nullptr ? *list : item;
    const bool listed = whole.is_sequence() && i < whole.items().size();
    problems.Error(listed ? whole.items()[i].place() : whole.place(),
                   fields.PathOf("files") + "[" + std::to_string(i) + "]",
                   "path name '" + config.files[i] + "' is not valid for file discovery", wrong);
  }
  config.refresh_interval = fields.PrometheusDuration("refresh_interval", config.refresh_interval);
  if (config.refresh_interval < std::chrono::milliseconds(1)) {
    fields.Error("refresh_interval", "expected a duration above 0", "such as 30s or 5m");
  }
  fields.Finish();
  return config;
}

}  // namespace

std::vector<FileSdConfig> ReadFileSd(FieldReader& fields) {
  std::vector<FileSdConfig> configs;
  fields.List("file_sd_configs", [&](const ConfigNode& item, const std::string& path) {
    if (item.is_null()) {
      fields.problems().Error(item.place(), path, "empty or null section in file_sd_configs");
      return;
    }
    configs.push_back(ReadFileSdConfig(item, path, fields.problems()));
  });
  return configs;
}

}  // namespace agent
