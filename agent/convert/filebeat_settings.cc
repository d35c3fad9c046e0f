// What stands beside inputs and outputs in filebeat.yml.

#include <array>
#include <optional>

#include "agent/convert/filebeat_job.h"

namespace agent::convert {
namespace {

using enum FindingKind;

struct Setting {
  std::string_view key;
  FindingKind kind;
  std::string_view message;
};

constexpr std::array kSettings = std::to_array<Setting>({
    {"filebeat.modules", kNoEquivalent,
     "there are no modules: read their files with a job each, and parse them with stages (grok has "
     "patterns for most), or send them to the module's ingest pipeline (pipeline of the output)"},
    {"filebeat.config.modules", kNoEquivalent,
     "there are no modules: convert what lies in that folder by hand"},
    {"filebeat.config.inputs", kNoEquivalent,
     "inputs of other files are not read: convert each, or let a program write targets for "
     "file_sd_configs"},
    {"filebeat.registry", kNoEffect,
     "positions are the agent's own: deploy/migrate.md says how Filebeat's are taken over"},
    {"filebeat.registry_file", kNoEffect,
     "positions are the agent's own: deploy/migrate.md says how Filebeat's are taken over"},
    {"filebeat.shutdown_timeout", kNoEffect, "-shutdown.timeout is the flag for it, 5s"},
    {"filebeat.overwrite_pipelines", kNoEffect, "there are no modules"},
    {"setup.kibana", kNoEffect, "nothing is set up in Kibana"},
    {"setup.dashboards", kNoEquivalent, "Filebeat's dashboards are not loaded"},
    {"setup.template.fields", kNoEquivalent,
     "the template is the agent's own; setup.template.append_fields adds to it"},
    {"setup.template.json", kNoEquivalent,
     "the template is the agent's own; put yours there yourself, with template.enabled: false"},
    {"setup.template.type", kNoEffect, "what the receiver knows is asked of it"},
    {"setup.template.append_fields", kNoEquivalent,
     "is the same here: copy it below setup.template of the output"},
    {"queue.disk", kDiffers,
     "the files themselves are the queue; `buffer: {type: disk}` of the output for what cannot be "
     "read twice"},
    {"queue", kNoEffect, "memory is bounded as a whole (limits_config.memory_budget)"},
    {"max_procs", kNoEffect, "limits_config.workers is how many threads read"},
    {"monitoring", kNoEquivalent, "nothing is sent to a monitoring cluster: /metrics has it all"},
    {"xpack.monitoring", kNoEquivalent,
     "nothing is sent to a monitoring cluster: /metrics has it all"},
    {"instrumentation", kNoEffect, "there is no tracing"},
    {"logging.metrics", kNoEffect, "/metrics has it all"},
    {"logging.to_files", kNoEffect,
     "the agent logs to standard error, which systemd and containers keep"},
    {"logging.to_syslog", kNoEffect,
     "the agent logs to standard error, which systemd and containers keep"},
    {"logging.to_stderr", kNoEffect, "the agent logs to standard error"},
    {"logging.to_eventlog", kNoEffect, "the agent logs to standard error"},
    {"logging.files", kNoEffect,
     "the agent logs to standard error, which systemd and containers keep"},
    {"logging.selectors", kNoEffect, "POST /loglevel?level=debug changes what is logged"},
    {"logging.json", kDiffers, "start with -log.format=json"},
    {"path.home", kNoEffect, "the agent has no folders of its own but for positions"},
    {"path.config", kNoEffect, "the agent has no folders of its own but for positions"},
    {"path.logs", kNoEffect, "the agent logs to standard error"},
    {"features", kNoEffect, "is of Filebeat"},
    {"timestamp.precision", kNoEffect, "times have nanoseconds"},
    {"keystore", kNoEquivalent,
     "there is no keystore: give secrets in the environment or in files"},
    {"seccomp", kNoEffect, "is what the service manager does"},
    {"management", kNoEquivalent, "there is no central management"},
});

void ConvertServer(Beat& beat, YamlOut& out) {
  const BeatNode& root = beat.root;
  const bool enabled = root.Bool("http.enabled", false);
  const std::string host = root.Text("http.host", "localhost");
  const std::string port = root.Text("http.port", "5066");
  std::string level = root.Text("logging.level");
  if (level == "warning") level = "warn";
  if (level == "critical") level = "error";
  if (!enabled && (level.empty() || level == "info")) return;
  // With a section, what it does not say is as in Promtail: all interfaces, port 80.
  YamlOut server;
  const bool local = !enabled || host == "localhost";
  server.Put("http_listen_address", YamlOut::Text(local ? "127.0.0.1" : host));
  server.Put("http_listen_port", YamlOut::Word(enabled ? port : "9080"));
  if (!level.empty()) server.Put("log_level", YamlOut::Text(level));
  out.Put("server", std::move(server));
  if (enabled) {
    beat.Say(kDiffers, *root.Find("http"),
             "pages and /metrics are the agent's own: /stats has no equivalent but /metrics");
  }
}

}  // namespace

void ConvertSettings(Beat& beat, YamlOut& out) {
  ConvertServer(beat, out);
  std::string data = beat.root.Text("path.data", "/var/lib/log-agent");
  if (data.find("filebeat") != std::string::npos) data = "/var/lib/log-agent";
  out.Put("positions", YamlOut::Map({{"filename", YamlOut::Text(data + "/positions.yaml")}}));
  if (!beat.sync_period.empty()) {
    out.Put("target_config", YamlOut::Map({{"sync_period", YamlOut::Word(beat.sync_period)}}));
  }
  for (const Setting& setting : kSettings) {
    const BeatNode* const node = beat.root.Find(setting.key);
    if (node == nullptr) continue;
    const bool off = !node->Bool("enabled", true);
    node->UseAll();
    if (!off) beat.Say(setting.kind, *node, std::string(setting.message));
  }
  const BeatNode* const output = beat.root.Find("output.elasticsearch");
  const bool to_elasticsearch = output != nullptr && output->Bool("enabled", true);
  const BeatNode* const setup = beat.root.Find("setup");
  if (setup != nullptr && !to_elasticsearch) {
    setup->UseAll();
    beat.Say(kNoEffect, *setup, "is of an Elasticsearch output");
  }
}

}  // namespace agent::convert
