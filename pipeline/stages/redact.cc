// `redact` hides personal data and secrets, with detectors that are ready-made. Ours, not
// Promtail's.
//
//   - redact: {}                                   # What has practically no false positives.
//   - redact: { detectors: [default, ipv4, ipv6], mode: hash, key_file: /etc/log-agent/redact.key }
//   - redact: { source: message, detectors: [email], replacement: '<EMAIL>', allow: [a@b.org] }
//
// Works on the line, or on `source`, and on the extracted values in `fields`: a value that was
// extracted before keeps what it has. A number is looked at by its digits.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/config/spelling.h"
#include "pipeline/redact/redactor.h"
#include "pipeline/stages/stages.h"

namespace agent {
namespace {

using redact::AllDetectors;
using redact::Detector;
using redact::KeyedHash;
using redact::Match;
using redact::Redactor;
using redact::RedactorOptions;
using redact::Replacement;

constexpr std::string_view kAllFields = "*";

enum class Mode : uint8_t { kMask, kHash, kObserve };

// What the stage works on.
struct RedactTarget {
  std::optional<Slot> source;  // Absent: the line.
  std::vector<Slot> fields;
  bool all_fields = false;
};

class RedactStage final : public Stage {
 public:
  RedactStage(RedactorOptions options, Mode mode, RedactTarget target, StageContext& context)
      : redactor_(std::move(options)), mode_(mode), target_(std::move(target)) {
    for (const Detector* detector : redactor_.options().detectors) {
      counters_.push_back(&context.counters.Add("agent_redactions_total", context.name,
                                                context.index, std::string(detector->name)));
    }
  }

  void Prepare(const SlotTable& slots) override {
    if (target_.all_fields) {
      named_too_ = slots.reads_everything();
      target_.fields.clear();
      for (Slot slot = 0; slot < slots.size(); ++slot)
        target_.fields.push_back(slot);
    }
    std::erase_if(target_.fields, [&](Slot slot) {
      return !slots.IsRead(slot) || (target_.source && slot == *target_.source);
    });
  }

  void Process(Block& block) override {
    for (const EntryIndex entry : block.live()) {
      if (target_.source) {
        RedactValue(block, entry, *target_.source);
      } else if (const auto changed = Redacted(block.Line(entry), block.arena())) {
        block.SetLine(entry, *changed);
      }
      for (const Slot slot : target_.fields)
        RedactValue(block, entry, slot);
      if (named_too_) RedactNamed(block, entry);
    }
  }

 private:
  void RedactValue(Block& block, EntryIndex entry, Slot slot) {
    const std::string_view text = TextOf(block.Extracted(entry, slot), block.arena());
    if (const auto changed = Redacted(text, block.arena())) {
      block.SetExtracted(entry, slot, Value::String(*changed));
    }
  }

  // Values whose names were not known beforehand.
  void RedactNamed(Block& block, EntryIndex entry) {
    std::vector<std::pair<std::string, Value>> changes;
    block.ForEachExtracted(entry, [&](std::string_view name, const Value& value) {
      const auto changed = block.slots().Find(name)
                               ? std::nullopt
                               : Redacted(TextOf(value, block.arena()), block.arena());
      if (changed) changes.emplace_back(name, Value::String(*changed));
    });
    for (const auto& [name, value] : changes)
      block.SetExtracted(entry, name, value);
  }

  // As it stood in the line: of a whole number the digits, without an exponent. Empty when there is
  // nothing to look into.
  static std::string_view TextOf(const Value& value, Arena& arena) {
    if (value.is_string()) return value.text();
    if (value.type() == ValueType::kInteger) return arena.Copy(std::to_string(value.integer()));
    const std::string_view literal = value.text();  // May have more digits than a double.
    const bool all_digits = literal.find_first_not_of("-0123456789") == std::string_view::npos;
    if (!literal.empty() && all_digits) return literal;
    constexpr double kExact = 9007199254740992.0;
    const bool is_whole = value.type() == ValueType::kNumber &&
                          std::trunc(value.number()) == value.number() &&
                          std::abs(value.number()) <= kExact;
    if (!is_whole) return {};
    return arena.Copy(std::to_string(static_cast<int64_t>(value.number())));
  }

  // nullopt when nothing changes.
  std::optional<std::string_view> Redacted(std::string_view text, Arena& arena) {
    if (text.empty()) return std::nullopt;
    if (mode_ == Mode::kObserve) {
      for (const Match& match : redactor_.Find(text))
        counters_[match.detector]->Add();
      return std::nullopt;
    }
    if (!redactor_.Redact(text, result_)) return std::nullopt;
    for (const std::size_t detector : redactor_.replaced())
      counters_[detector]->Add();
    return arena.Copy(result_);
  }

  Redactor redactor_;
  const Mode mode_;
  RedactTarget target_;
  bool named_too_ = false;
  std::vector<Counter*> counters_;  // By detector.
  std::string result_;
};

// Reads what the detectors need.
class RedactReader {
 public:
  RedactReader(StageFields& fields, StageContext& context) : fields_(fields), context_(context) {}

  RedactorOptions Read(Mode mode) {
    ReadDetectors();
    ReadReplacements(mode);
    ReadAllowed();
    ReadKey(mode);
    return std::move(options_);
  }

 private:
  void ReadDetectors() {
    const std::vector<std::string> names = fields_.StringList("detectors");
    std::vector<bool> wanted(AllDetectors().size(), false);
    for (std::size_t i = 0; i < names.size(); ++i)
      Want(names[i], i, wanted);
    const ConfigNode* const node = fields_.Node("detectors");
    if (node == nullptr || node->is_null()) Want("default", 0, wanted);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i]) options_.detectors.push_back(&AllDetectors()[i]);
    }
    const bool empty = node != nullptr && node->is_sequence() && node->items().empty();
    if (empty) fields_.Error("detectors", "no detector", "leave it out for the default ones");
  }

  void Want(const std::string& name, std::size_t item, std::vector<bool>& wanted) {
    bool known = false;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const Detector& detector = AllDetectors()[i];
      const bool meant =
          name == detector.name || name == "all" || (name == "default" && detector.is_default);
      if (meant) wanted[i] = known = true;
    }
    if (known) return;
    std::vector<std::string> names = {"all", "default"};
    for (const Detector& detector : AllDetectors())
      names.emplace_back(detector.name);
    const std::string near = NearestSpelling(name, names);
    context_.problems.Error(fields_.Node("detectors")->items()[item].place(),
                            fields_.PathOf("detectors"), "unknown detector '" + name + "'",
                            near.empty() ? "" : "did you mean '" + near + "'?");
  }

  // One text for all, or a map from detectors to texts.
  void ReadReplacements(Mode mode) {
    const std::string_view by_default =
        mode == Mode::kHash ? "<{detector}:{hash}>" : "<redacted:{detector}>";
    const ConfigNode* const node = fields_.Node("replacement");
    std::vector<std::pair<std::string, std::string>> own;
    std::string all(by_default);
    if (node != nullptr && node->is_map()) {
      own = fields_.StringMap("replacement", /*null_as_empty=*/true);
      for (const auto& [name, text] : own)
        CheckName(name, *node);
    } else {
      all = fields_.String("replacement", by_default);
    }
    for (const Detector* detector : options_.detectors) {
      std::string_view text = all;
      for (const auto& [name, replacement] : own) {
        if (name == detector->name) text = replacement;
      }
      options_.replacements.push_back(Replacement::Parse(text, *detector));
      const bool has_hash = options_.replacements.back().parts.size() > 1;
      if (mode == Mode::kObserve || has_hash == (mode == Mode::kHash)) continue;
      fields_.Error("replacement", has_hash ? "'{hash}' needs mode: hash"
                                            : "mode hash needs '{hash}' in the replacement");
      return;
    }
  }

  void CheckName(const std::string& name, const ConfigNode& map) {
    const auto all = AllDetectors();
    const bool known = std::any_of(all.begin(), all.end(),
                                   [&](const Detector& detector) { return detector.name == name; });
    if (known) return;
    for (const auto& [key, value] : map.pairs()) {
      if (key.text() != name) continue;
      context_.problems.Error(key.place(), fields_.PathOf("replacement"),
                              "unknown detector '" + name + "'");
    }
  }

  void ReadAllowed() {
    const std::vector<std::string> all = fields_.StringList("allow");
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::string& text = all[i];
      if (text.size() < 2 || text.front() != '/' || text.back() != '/') {
        options_.allowed.push_back(text);
        continue;
      }
      auto pattern = GoRegex::Compile(text.substr(1, text.size() - 2), RegexScope::kWholeText);
      if (pattern.ok()) {
        options_.allowed_patterns.push_back(std::move(pattern).value());
      } else {
        context_.problems.Error(fields_.Node("allow")->items()[i].place(), fields_.PathOf("allow"),
                                pattern.error().message);
      }
    }
  }

  void ReadKey(Mode mode) {
    options_.key = fields_.String("key");
    const std::string file = fields_.String("key_file");
    const bool given = !options_.key.empty() || !file.empty();
    if (mode != Mode::kHash) {
      if (given) {
        fields_.Warning(file.empty() ? "key" : "key_file", "has no effect without mode: hash");
      }
      options_.key.clear();
      return;
    }
    if (!given) {
      fields_.Error("mode", "mode hash needs a key", "set 'key_file', or 'key' to '${REDACT_KEY}'");
      return;
    }
    if (!options_.key.empty() && !file.empty()) {
      fields_.Error("key", "'key' and 'key_file' exclude one another", "keep one of them");
      return;
    }
    if (!file.empty() && !ReadKeyFile(file)) return;
    if (options_.key.size() < KeyedHash::kMinKeyBytes) {
      fields_.Error(file.empty() ? "key" : "key_file", "the key is shorter than 16 characters",
                    "make one with: openssl rand -hex 32");
    }
  }

  bool ReadKeyFile(const std::string& path) {
    const auto file = redact::ReadKeyFile(path);
    if (!file.ok()) {
      fields_.Error("key_file", file.error().message);
      return false;
    }
    if (file->others_may_read) {
      fields_.Warning("key_file", "everybody on this machine may read the key",
                      "chmod 600 " + path);
    }
    options_.key = file->key;
    return true;
  }

  StageFields& fields_;
  StageContext& context_;
  RedactorOptions options_;
};

Mode ReadMode(StageFields& fields) {
  const std::string mode = fields.Choice("mode", "mask", {"mask", "hash", "observe"});
  if (mode == "hash") return Mode::kHash;
  return mode == "observe" ? Mode::kObserve : Mode::kMask;
}

RedactTarget ReadTarget(StageFields& fields, StageContext& context) {
  RedactTarget target;
  target.source = fields.OptionalSource();
  for (const std::string& name : fields.StringList("fields")) {
    if (name == kAllFields) {
      target.all_fields = true;
    } else {
      target.fields.push_back(context.slots.Write(name));
    }
  }
  return target;
}

}  // namespace

std::unique_ptr<Stage> MakeRedactStage(const ConfigNode& node, StageContext& context) {
  const std::size_t errors = context.problems.error_count();
  StageFields fields(node, context);
  const Mode mode = ReadMode(fields);
  RedactTarget target = ReadTarget(fields, context);
  RedactorOptions options = RedactReader(fields, context).Read(mode);
  if (!fields.Finish() || context.problems.error_count() > errors) return nullptr;
  if (mode != Mode::kObserve) {
    if (const Detector* const detector = redact::FirstUnstable(options)) {
      fields.Error("replacement",
                   "what stands for '" + std::string(detector->name) + "' would be redacted again",
                   "put it in angle brackets, as in '<" + std::string(detector->name) + ">'");
      return nullptr;
    }
  }
  return std::make_unique<RedactStage>(std::move(options), mode, std::move(target), context);
}

}  // namespace agent
