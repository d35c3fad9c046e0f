// Measures what many targets cost: relabelling with the rules of a Kubernetes node, and the tailer
// taking them over. Files are made in a temporary directory, one for each target.
//
//   bench_targets [TARGETS]     (default 10000)
//
// "stall" is the longest time for which the event loop did nothing else, in CPU time; so are
// "relabel" and "set".

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/tail/open_files.h"
#include "agent/tail/tailer.h"
#include "base/clock.h"
#include "base/labels.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/unique_fd.h"
#include "discovery/relabel.h"
#include "discovery/target_builder.h"
#include "tests/support/temp_dir.h"

namespace agent {
namespace {

using std::chrono::milliseconds;
using Targets = std::vector<std::shared_ptr<const Target>>;
using SteadyTime = std::chrono::steady_clock::time_point;

double MillisSince(SteadyTime begin) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

SteadyTime Now() {
  return std::chrono::steady_clock::now();
}

// Of this thread: what others do on the machine does not count.
double CpuMillis() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

void Say(const char* what, double millis) {
  std::cout << what << ": " << millis << " ms\n";
}

std::string Uid(std::size_t number) {
  const std::string digits = std::to_string(number);
  return "0b5c9a5e-7c3d-4a1e-9f30-" + std::string(12 - digits.size(), '0') + digits;
}

// What discovery knows of a container of a pod.
Labels PodLabels(std::size_t number) {
  const std::string n = std::to_string(number);
  Labels labels;
  const auto set = [&labels](const std::string& name, const std::string& value) {
    labels.Set("__meta_kubernetes_" + name, value);
  };
  labels.Set("__address__", "10.42." + std::to_string(number / 250) + "." +
                                std::to_string(number % 250) + ":8080");
  set("namespace", "team-" + std::to_string(number % 40));
  set("pod_name", "checkout-" + n + "-7d9f8c6b5d-x2x4z");
  set("pod_ip", "10.42.1.7");
  set("pod_host_ip", "192.168.1.20");
  set("pod_node_name", "node-1");
  set("pod_uid", Uid(number));
  set("pod_container_name", number % 2 == 0 ? "app" : "sidecar");
  set("pod_container_id", "containerd://4f5a6b7c8d9e" + n);
  set("pod_container_image", "registry.example.com/team/checkout:v1." + n);
  set("pod_container_init", "false");
  set("pod_container_port_name", "http");
  set("pod_container_port_number", "8080");
  set("pod_container_port_protocol", "TCP");
  set("pod_ready", "true");
  set("pod_phase", "Running");
  set("pod_controller_kind", "ReplicaSet");
  set("pod_controller_name", "checkout-" + n + "-7d9f8c6b5d");
  for (const std::string name :
       {"app_kubernetes_io_name", "app_kubernetes_io_instance", "app_kubernetes_io_component",
        "app_kubernetes_io_part_of", "pod_template_hash", "team", "version"}) {
    set("pod_label_" + name, name + "-" + std::to_string(number % 100));
    set("pod_labelpresent_" + name, "true");
  }
  for (const std::string name : {"prometheus_io_scrape", "prometheus_io_port", "checksum_config"}) {
    set("pod_annotation_" + name, name + "-value-" + n);
    set("pod_annotationpresent_" + name, "true");
  }
  return labels;
}

RelabelRule Replace(const std::vector<std::string>& sources, const std::string& target,
                    const std::string& regex = "(.*)", const std::string& separator = ";",
                    const std::string& replacement = "$1") {
  RelabelRule rule;
  for (const std::string& source : sources) {
    const bool own = source.starts_with("__") || source == "namespace" || source == "app";
    rule.source_labels.push_back(own ? source : "__meta_kubernetes_" + source);
  }
  rule.target_label = target;
  rule.regex = regex;
  rule.separator = separator;
  rule.replacement = replacement;
  return rule;
}

// As Promtail's Helm chart has them, and a labelmap of all labels of the pod.
std::vector<RelabelRule> Rules(const std::string& root) {
  const std::string first = "^;*([^;]+)(;.*)?$";
  const std::string path = root + "/*$1/*.log";
  std::vector<RelabelRule> rules = {
      Replace({"pod_controller_name"}, "__tmp_controller_name", "([0-9a-z-.]+?)(-[0-9a-f]{8,10})?"),
      Replace({"pod_label_app_kubernetes_io_name", "pod_label_app", "__tmp_controller_name",
               "pod_name"},
              "app", first),
      Replace({"pod_label_app_kubernetes_io_instance", "pod_label_instance"}, "instance", first),
      Replace({"pod_label_app_kubernetes_io_component", "pod_label_component"}, "component", first),
      Replace({"pod_node_name"}, "node_name"),
      Replace({"__meta_kubernetes_namespace"}, "namespace"),
      Replace({"namespace", "app"}, "job", "(.*)", "/"),
      Replace({"pod_name"}, "pod"),
      Replace({"pod_container_name"}, "container"),
      Replace({"pod_uid", "pod_container_name"}, "__path__", "(.*)", "/", path),
      Replace({"pod_annotationpresent_kubernetes_io_config_hash",
               "pod_annotation_kubernetes_io_config_hash", "pod_container_name"},
              "__path__", "true/(.*)", "/", path),
  };
  RelabelRule map;
  map.action = RelabelAction::kLabelMap;
  map.regex = "__meta_kubernetes_pod_label_(.+)";
  rules.push_back(map);
  RelabelRule keep;
  keep.action = RelabelAction::kKeep;
  keep.source_labels = {"__meta_kubernetes_pod_phase"};
  keep.regex = "Pending|Running";
  rules.push_back(keep);
  return rules;
}

void MakeFiles(const std::string& root, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::string directory = root + "/team-" + std::to_string(i % 40) + "_checkout-" +
                                  std::to_string(i) + "_" + Uid(i) + "/" +
                                  (i % 2 == 0 ? "app" : "sidecar");
    std::filesystem::create_directories(directory);
    std::ofstream(directory + "/0.log") << "line of target " << i << "\n";
  }
}

class NoHost final : public SourceHost {
 public:
  void Start(std::shared_ptr<Source> /*source*/) override { ++started; }
  void Wake(const std::shared_ptr<Source>& /*source*/) override {}
  void Stop(const std::shared_ptr<Source>& /*source*/) override {}
  std::size_t started = 0;
};

// A tailer in a loop, and how long the loop's turns take.
class Bench {
 public:
  explicit Bench(const std::string& positions)
      : store_(PositionStore::Open({.filename = positions}, clock_, logger_).value()) {
    TailerOptions options;
    options.sync_period = milliseconds(600'000);
    tailer_ =
        std::make_unique<Tailer>(Tailer::Dependencies{loop_, clock_, logger_, *store_, host_},
                                 Random::FromSystem(), std::vector<std::string>{"loki"}, options);
    tailer_->Start();
  }
  ~Bench() { tailer_->Stop(); }

  // Takes over `targets`, and turns the loop until a scan has seen them.
  void Take(const char* what, const Targets& targets) {
    const SteadyTime begin = Now();
    const double cpu = CpuMillis();
    std::cout << what << ":\n";
    tailer_->SetTargets(targets);
    Say("  set", CpuMillis() - cpu);
    Scan(begin);
  }
  // Turns the loop until one more scan is over.
  void Scan(SteadyTime begin) {
    const uint64_t scans = tailer_->counters().scans;
    double stall = 0;
    Timer tick(loop_);
    tick.StartRepeating(milliseconds(1), [] {});
    while (tailer_->counters().scans == scans) {
      const double turn = CpuMillis();
      loop_.RunOnce();
      stall = std::max(stall, CpuMillis() - turn);
      if (tailer_->counters().scans == scans) usleep(200);
    }
    Say("  until it is done", MillisSince(begin));
    Say("  the scan, beside the loop", static_cast<double>(tailer_->counters().last_scan_ns) / 1e6);
    Say("  stall", stall);
    std::cout << "  files " << tailer_->counters().files_active << ", watches "
              << tailer_->counters().watches << "\n";
  }

 private:
  UniqueFd null_{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  Logger logger_{null_.get(), LogLevel::kWarn, LogFormat::kLogfmt};
  SystemClock clock_;
  Loop loop_;
  NoHost host_;
  std::unique_ptr<PositionStore> store_;
  std::unique_ptr<Tailer> tailer_;
};

// Gives the targets with and without a change of one of them.
class Kubernetes {
 public:
  Kubernetes(std::size_t count, const std::string& root)
      : relabeling_(Relabeling::Compile(Rules(root)).value()),
        builder_("kubernetes-pods", *relabeling_, "node-1") {
    for (std::size_t i = 0; i < count; ++i)
      found_.push_back(PodLabels(i));
  }

  Targets Relabel(const char* what) {
    const double begin = CpuMillis();
    for (const Labels& labels : found_)
      builder_.Add(labels);
    DiscoveryResult result = builder_.Take();
    Say(what, CpuMillis() - begin);
    return std::move(result.targets);
  }
  void RemoveOne() { found_.pop_back(); }
  void ChangeOne() { found_.back().Set("__meta_kubernetes_pod_label_version", "2"); }

 private:
  const std::unique_ptr<Relabeling> relabeling_;
  TargetBuilder builder_;
  std::vector<Labels> found_;
};

void Measure(std::size_t count) {
  const TempDir dir;
  const std::string root = dir.path() + "/pods";
  Kubernetes kubernetes(count, root);
  const Targets targets = kubernetes.Relabel("relabel all");
  MakeFiles(root, count);
  (void)RaiseDescriptorLimit();
  {
    Bench bench(dir.path() + "/positions.yaml");
    bench.Take("all targets are new", targets);
    kubernetes.RemoveOne();
    const Targets fewer = kubernetes.Relabel("relabel, one is gone");
    bench.Take("one target is gone", fewer);
    kubernetes.ChangeOne();
    const Targets changed = kubernetes.Relabel("relabel, one has changed");
    bench.Take("one target has changed", changed);
  }
  Bench again(dir.path() + "/positions.yaml");
  again.Take("after a restart", targets);
}

}  // namespace
}  // namespace agent

int main(int argc, char** argv) {
  const std::size_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000;
  agent::Measure(std::max<std::size_t>(count, 2));
  return 0;
}
