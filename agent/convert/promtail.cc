#include "agent/convert/promtail.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/yaml_writer.h"
#include "agent/convert/promtail_keys.h"
#include "agent/convert/text_edits.h"
#include "base/config/yaml.h"

namespace agent::convert {
namespace {

using enum FindingKind;

constexpr int kMaxDepth = 100;
constexpr std::string_view kPromtailsMaxMessage = "100MiB";

// What may stand in a job beside a source that is not built.
constexpr std::array<std::string_view, 7> kBuiltSources = {"static_configs",
                                                           "file_sd_configs",
                                                           "kubernetes_sd_configs",
                                                           "docker_sd_configs",
                                                           "loki_push_api",
                                                           "journal",
                                                           "syslog"};

// Where a key stands; null when there is none.
const ConfigNode* KeyNode(const ConfigNode& map, std::string_view key) {
  for (const auto& [name, value] : map.pairs()) {
    if (name.text() == key) return &name;
  }
  return nullptr;
}

bool HasBuiltSource(const ConfigNode& job) {
  return std::any_of(kBuiltSources.begin(), kBuiltSources.end(), [&job](std::string_view key) {
    const ConfigNode* const source = job.Find(key);
    return source != nullptr && !source->is_null();
  });
}

// "a[0].b[12]" as the table has it: "a[].b[]".
std::string WithoutNumbers(std::string_view path) {
  std::string pattern;
  bool inside = false;
  for (const char c : path) {
    inside = inside && c != ']';
    if (!inside) pattern += c;
    inside = inside || c == '[';
  }
  return pattern;
}

class PromtailConversion {
 public:
  PromtailConversion(const ConfigNode& root, std::string_view text, const Flags& flags,
                     Findings& findings)
      : root_(root), flags_(flags), findings_(findings), edits_(text) {}

  // The new text.
  std::string Run() {
    Walk(root_, "", 0);
    EditJobs();
    EditSingleClient();
    JudgeClients();
    AddServer();
    AddMessageSizes();
    JudgeFlags();
    AddClientOfFlags();
    return edits_.Result();
  }

  // What the agent itself says of the configuration: unknown keys, stages that cannot be built.
  void AddProblems(const Problems& problems) {
    const std::vector<std::string> said = said_;
    for (const Problem& problem : problems.all()) {
      if (std::find(said.begin(), said.end(), problem.path) != said.end()) continue;
      const bool left_out =
          std::any_of(left_out_.begin(), left_out_.end(),
                      [&problem](const std::string& job) { return problem.path.starts_with(job); });
      if (left_out) continue;
      std::string message = problem.message;
      if (!problem.hint.empty()) message += "; " + problem.hint;
      Say(problem.severity == Severity::kError ? kNoEquivalent : kDiffers, problem.place,
          problem.path, std::move(message));
    }
  }

 private:
  void Say(FindingKind kind, const Place& place, const std::string& path, std::string message) {
    said_.push_back(path);
    findings_.Add(kind, place, path, std::move(message));
  }

  void Walk(const ConfigNode& node, const std::string& path, int depth) {
    if (depth > kMaxDepth) return;
    for (std::size_t i = 0; i < node.items().size(); ++i)
      Walk(node.items()[i], path + '[' + std::to_string(i) + ']', depth + 1);
    for (const auto& [name, value] : node.pairs()) {
      const std::string below = path.empty() ? name.text() : path + '.' + name.text();
      const PromtailKey* const known = FindPromtailKey(WithoutNumbers(below));
      if (known != nullptr) Judge(*known, name, value, below);
      // Stages have keys of their own.
      const bool removed = known != nullptr && known->action != KeyAction::kKeep;
      if (!removed && name.text() != "pipeline_stages") Walk(value, below, depth + 1);
    }
  }

  void Judge(const PromtailKey& known, const ConfigNode& name, const ConfigNode& value,
             const std::string& path) {
    // An attempt without end is what is usual here.
    if (path.ends_with("max_retries") && value.text() == "0") return;
    if (value.is_null() && known.action == KeyAction::kCommentOut) return;
    Say(known.kind, name.place(), path, std::string(known.message));
    if (known.action != KeyAction::kRemove) return;
    if (const auto block = edits_.BlockOf(name.place())) edits_.Remove(*block);
  }

  // Jobs that would not be accepted become comments: as a whole when nothing else is read in them.
  void EditJobs() {
    const ConfigNode* const jobs = root_.Find("scrape_configs");
    if (jobs == nullptr || jobs->items().empty()) return;
    std::size_t left = jobs->items().size();
    for (const ConfigNode& job : jobs->items()) {
      const std::vector<const ConfigNode*> refused = Refused(job);
      if (refused.empty()) continue;
      if (HasBuiltSource(job)) {
        for (const ConfigNode* const key : refused)
          CommentOut(edits_.BlockOf(key->place()), key->text());
      } else {
        --left;
        CommentOut(edits_.ItemOf(job.pairs().front().first.place()), refused.front()->text());
        const auto index = static_cast<std::size_t>(&job - jobs->items().data());
        left_out_.push_back("scrape_configs[" + std::to_string(index) + ']');
      }
    }
    if (left > 0) return;
    const ConfigNode& key = *KeyNode(root_, "scrape_configs");
    const std::string line = "scrape_configs:";
    if (!edits_.BlockOf(key.place())) return;
    edits_.Replace(key.place(), line.size(), line + " []");
  }

  static std::vector<const ConfigNode*> Refused(const ConfigNode& job) {
    std::vector<const ConfigNode*> refused;
    for (const auto& [name, value] : job.pairs()) {
      const PromtailKey* const known = FindPromtailKey("scrape_configs[]." + name.text());
      if (known == nullptr || known->action != KeyAction::kCommentOut || value.is_null()) continue;
      refused.push_back(&name);
    }
    return refused;
  }

  void CommentOut(const std::optional<LineRange>& range, const std::string& key) {
    if (range) edits_.CommentOut(*range, "No equivalent: " + key + ".");
  }

  // `client: {…}` becomes the only item of `clients`.
  void EditSingleClient() {
    const ConfigNode* const client = root_.Find("client");
    if (client == nullptr || root_.Find("clients") != nullptr) return;
    const Place place = KeyNode(root_, "client")->place();
    const auto block = edits_.BlockOf(place);
    // One without a URL has labels for all clients; one in braces is left as it is.
    if (!block || !client->is_map() || client->Find("url") == nullptr) return;
    const Place first = client->pairs().front().first.place();
    if (first.line == place.line) return;
    edits_.Replace(place, std::string_view("client").size(), "clients");
    const std::size_t dash = edits_.IndentBelow(*block);
    edits_.Indent({block->begin + 1, block->end}, 2);
    edits_.Replace({first.line, static_cast<uint32_t>(dash + 1), 1}, 2, "- ");
  }

  void JudgeClients() {
    const ConfigNode* const clients = root_.Find("clients");
    if (clients == nullptr || !clients->is_sequence()) return;
    const bool several = clients->items().size() > 1;
    for (std::size_t i = 0; i < clients->items().size(); ++i) {
      const ConfigNode& client = clients->items()[i];
      if (client.pairs().empty()) continue;
      const std::string path = "clients[" + std::to_string(i) + ']';
      const Place& place = client.pairs().front().first.place();
      const ConfigNode* const backoff = client.Find("backoff_config");
      if (backoff == nullptr || backoff->Find("max_retries") == nullptr) {
        Say(kDiffers, place, path,
            "without max_retries a batch is tried until it is taken; Promtail loses it "
            "after ten attempts");
      }
      if (several && client.Find("buffer") == nullptr) {
        Say(kDiffers, place, path,
            "of several clients one that is down no longer holds up the others: what it "
            "misses waits in its disk buffer, 1 GiB beside the positions (`buffer`)");
      }
    }
  }

  // Where Promtail would listen on all interfaces, on port 80.
  void AddServer() {
    if (root_.Find("server") != nullptr || flags_.Given("server.http-listen-port") ||
        flags_.Given("server.http-listen-address") || flags_.Given("server.disable")) {
      return;
    }
    Say(kDiffers, {}, "server",
        "is not there, so that Promtail listens on port 80 of all interfaces: written "
        "out. Without it the agent listens on 127.0.0.1:9080");
    const Place first = root_.pairs().empty() ? Place{1, 1, 1} : root_.pairs()[0].first.place();
    edits_.InsertAbove(first.line, "server:\n  http_listen_port: 80\n\n");
  }

  // A default that is smaller than Promtail's.
  void AddMessageSizes() {
    const ConfigNode* const jobs = root_.Find("scrape_configs");
    if (jobs == nullptr) return;
    for (const ConfigNode& job : jobs->items()) {
      const ConfigNode* const push = job.Find("loki_push_api");
      if (push == nullptr || !push->is_map() || push->Find("max_send_msg_size") != nullptr)
        continue;
      const Place& place = KeyNode(job, "loki_push_api")->place();
      const auto block = edits_.BlockOf(place);
      if (!block || push->pairs().front().first.place().line == place.line) continue;
      edits_.InsertAbove(block->begin + 1,
                         std::string(edits_.IndentBelow(*block), ' ') +
                             "max_send_msg_size: " + std::string(kPromtailsMaxMessage) + '\n');
    }
  }

  void JudgeFlags() {
    for (const auto& [name, value] : flags_.given) {
      if (const PromtailFlag* const known = FindPromtailFlag(name)) {
        Say(known->kind, {}, '-' + name, std::string(known->message));
      }
    }
  }

  void AddClientOfFlags() {
    const auto url = flags_.Value("client.url");
    if (!url || url->empty()) return;
    const std::string item = ClientItem(*url);
    const ConfigNode* const clients = root_.Find("clients");
    if (clients == nullptr || clients->items().empty()) {
      edits_.InsertAbove(edits_.line_count() + 1, "\nclients:\n" + item);
      return;
    }
    const auto block = edits_.BlockOf(KeyNode(root_, "clients")->place());
    const ConfigNode& first = clients->items().front();
    const auto range =
        first.pairs().empty() ? std::nullopt : edits_.ItemOf(first.pairs().front().first.place());
    if (!block || !range) {
      Say(kDeprecated, {}, "-client.url", "keep it, or add it to clients by hand");
      return;
    }
    // As deep as the other items.
    const std::size_t indent = edits_.IndentBelow(*block);
    std::string indented;
    std::size_t begin = 0;
    while (begin < item.size()) {
      const std::size_t end = item.find('\n', begin) + 1;
      indented += std::string(indent, ' ') + item.substr(begin + 2, end - begin - 2);
      begin = end;
    }
    edits_.InsertAbove(block->end, indented);
  }

  // Indented by two.
  std::string ClientItem(const std::string& url) const {
    std::string item = "  - url: " + QuotedYaml(url) + '\n';
    const auto add = [&](std::string_view flag, std::string_view key) {
      const auto value = flags_.Value(flag);
      if (value) item += "    " + std::string(key) + ": " + QuotedYaml(*value) + '\n';
    };
    const auto add_plain = [&](std::string_view flag, std::string_view key) {
      const auto value = flags_.Value(flag);
      if (value) item += "    " + std::string(key) + ": " + *value + '\n';
    };
    add("client.tenant-id", "tenant_id");
    add("client.batch-wait", "batchwait");
    add_plain("client.batch-size-bytes", "batchsize");
    add("client.timeout", "timeout");
    add_plain("client.drop-rate-limited-batches", "drop_rate_limited_batches");
    if (flags_.Given("client.min-backoff") || flags_.Given("client.max-backoff") ||
        flags_.Given("client.max-retries")) {
      item += "    backoff_config:\n";
      add("client.min-backoff", "  min_period");
      add("client.max-backoff", "  max_period");
      add_plain("client.max-retries", "  max_retries");
    }
    return item;
  }

  const ConfigNode& root_;
  const Flags& flags_;
  Findings& findings_;
  TextEdits edits_;
  std::vector<std::string> said_;      // Paths of all findings.
  std::vector<std::string> left_out_;  // Paths of jobs that became comments.
};

}  // namespace

Conversion ConvertPromtail(const std::string& file, const std::string& text, const Flags& flags,
                           const StageChecker& check_stages, const Environment& environment) {
  Conversion conversion;
  const LoadedConfig loaded = LoadConfigText(file, text, flags, check_stages, environment);
  Problems problems(file, text);
  const ConfigNode root = LoadYaml(text, problems);
  if (problems.has_errors() || !(root.is_map() || root.is_null())) {
    if (!problems.has_errors()) problems.Error(root.place(), "", "expected a map of sections");
    conversion.error = problems.Format(/*color=*/false);
    return conversion;
  }
  Findings findings;
  PromtailConversion run(root, text, flags, findings);
  conversion.text = run.Run();
  run.AddProblems(loaded.problems);
  conversion.findings = findings.Sorted();
  return conversion;
}

}  // namespace agent::convert
