// `eventlogmessage` extracts the values of a message of the Windows event log: lines of
// "Name: value".
//
//   - eventlogmessage:
//       source: message             # The extracted value that holds the message.
//       drop_invalid_labels: false  # Skip names that are no label names, rather than mend them.
//       overwrite_existing: false   # A name that is there already gets "_extracted" appended.
//
// A line without a colon is skipped. An entry whose message is null is dropped, as Promtail has it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/labels.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "pipeline/stage_failure.h"
#include "pipeline/stages/stages.h"

namespace agent {
namespace {

constexpr std::string_view kDefaultSource = "message";
constexpr std::string_view kSuffix = "_extracted";

struct EventLogMessageOptions {
  Slot source = 0;
  bool drop_invalid_labels = false;
  bool overwrite_existing = false;
  DropReason reason = 0;
};

// Writes the name with each character that may not be in a label name replaced by '_'.
void MendName(std::string_view name, std::string& out) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  out.clear();
  if (name.empty()) out = '_';
  for (std::size_t i = 0; i < name.size();) {
    const char c = name[i];
    const bool is_good = is_letter(c) || (i > 0 && c >= '0' && c <= '9');
    out += is_good ? c : '_';
    i += DecodeRune(name.substr(i)).size;
  }
}

class EventLogMessageStage final : public Stage {
 public:
  EventLogMessageStage(const EventLogMessageOptions& options, StageContext& context)
      : options_(options),
        no_pair_(context, "no_pair", "a line of the message is no 'name: value'"),
        not_utf8_(context, "not_utf8", "a value is no UTF-8: it is left out") {}

  void Process(Block& block) override {
    for (const EntryIndex entry : block.live()) {
      const Value& message = block.Extracted(entry, options_.source);
      if (!message.present()) continue;
      if (const std::optional<std::string_view> text = block.Text(message)) {
        ExtractLines(block, entry, *text);
      } else {
        block.Drop(entry, options_.reason);
      }
    }
  }

 private:
  void ExtractLines(Block& block, EntryIndex entry, std::string_view text) {
    for (;;) {
      const std::size_t end = text.find("\r\n");
      ExtractPair(block, entry, text.substr(0, end));
      if (end == std::string_view::npos) return;
      text.remove_prefix(end + 2);
    }
  }

  void ExtractPair(Block& block, EntryIndex entry, std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      if (!line.empty()) no_pair_.Report(block, entry);
      return;
    }
    std::string_view name = line.substr(0, colon);
    if (!IsValidLabelName(name)) {
      if (options_.drop_invalid_labels) return;
      MendName(name, name_);
      name = name_;
    }
    if (!options_.overwrite_existing && block.HasExtracted(entry, name)) {
      if (name.data() != name_.data()) name_ = name;
      name_ += kSuffix;
      name = name_;
    }
    const std::string_view value = TrimUnicodeSpace(line.substr(colon + 1));
    if (IsValidUtf8(value)) {
      block.SetExtracted(entry, name, Value::String(value));
    } else {
      not_utf8_.Report(block, entry);
    }
  }

  const EventLogMessageOptions options_;
  std::string name_;  // The one that is being written, where it is not as in the message.
  StageFailure no_pair_;
  StageFailure not_utf8_;
};

}  // namespace

std::unique_ptr<Stage> MakeEventLogMessageStage(const ConfigNode& node, StageContext& context) {
  StageFields fields(node, context);
  const std::string source = fields.String("source", kDefaultSource);
  if (!IsValidLabelName(source)) {
    fields.Error("source", "invalid label name: '" + source + "'",
                 "letters, digits and '_' only, and no digit first");
  }
  EventLogMessageOptions options;
  options.drop_invalid_labels = fields.Bool("drop_invalid_labels", false);
  options.overwrite_existing = fields.Bool("overwrite_existing", false);
  if (!fields.Finish()) return nullptr;
  options.source = context.slots.Read(source);
  // Whether a name is there decides which one is written.
  if (!options.overwrite_existing) context.slots.ReadStems(kSuffix);
  // Promtail does not count these; our ledger does.
  options.reason = context.drop_reasons.Intern("eventlogmessage_null", /*promtail_counts=*/false);
  return std::make_unique<EventLogMessageStage>(options, context);
}

}  // namespace agent
