// `remove` deletes extracted values.
//
//   - remove: [host, "[agent][name]"]
//
// A label of that name stays: `labeldrop` removes labels.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/stages/field_map.h"
#include "pipeline/stages/stages.h"

namespace agent {
namespace {

class RemoveStage final : public Stage {
 public:
  explicit RemoveStage(std::vector<Slot> slots) : slots_(std::move(slots)) {}

  void Prepare(const SlotTable& slots) override {
    std::erase_if(slots_, [&slots](Slot slot) { return !slots.IsRead(slot); });
  }

  void Process(Block& block) override {
    for (const Slot slot : slots_) {
      for (const EntryIndex entry : block.live()) {
        if (block.Extracted(entry, slot).present()) block.SetExtracted(entry, slot, Value());
      }
    }
  }

 private:
  std::vector<Slot> slots_;
};

}  // namespace

std::unique_ptr<Stage> MakeRemoveStage(const ConfigNode& node, StageContext& context) {
  const std::size_t errors = context.problems.error_count();
  if (!node.is_sequence() || node.items().empty()) {
    const std::string got = node.is_sequence() ? "an empty one" : std::string(node.KindName());
    context.problems.Error(
        node.place(), context.path, "expected a list of names, got " + got,
        node.is_scalar() ? "write [" + node.text() + "]" : "write remove: [name, other]");
    return nullptr;
  }
  std::vector<Slot> slots;
  for (std::size_t i = 0; i < node.items().size(); ++i) {
    const std::string path = context.path + "[" + std::to_string(i) + "]";
    const std::string name = ReadFieldName(node.items()[i], path, context);
    if (!name.empty()) slots.push_back(context.slots.Write(name));
  }
  if (context.problems.error_count() > errors) return nullptr;
  return std::make_unique<RemoveStage>(std::move(slots));
}

}  // namespace agent
