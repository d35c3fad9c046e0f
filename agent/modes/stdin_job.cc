#include "agent/modes/stdin_job.h"

#include <unistd.h>

#include <array>

namespace agent {

void SendStraight(Config& config) {
  for (ClientConfig& client : config.clients)
    client.buffer.type = BufferType::kNone;
  for (OutputConfig& output : config.outputs)
    output.buffer.type = BufferType::kNone;
}

Labels MakeStdinJob(Config& config) {
  Labels labels;
  SendStraight(config);
  if (config.scrape_configs.empty()) {
    config.scrape_configs.emplace_back();
    config.scrape_configs.front().job_name = "stdin";
    std::array<char, 256> host{};
    if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
    labels.Set("job", "stdin");
    labels.Set("hostname", host.data());
    return labels;
  }
  config.scrape_configs.resize(1);
  for (const StaticConfig& group : config.scrape_configs.front().static_configs) {
    for (const Label& label : group.labels)
      labels.Set(label.name, label.value);
  }
  return labels;
}

}  // namespace agent
