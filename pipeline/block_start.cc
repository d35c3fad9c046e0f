// The labels that entries start with, as extracted values; for the streams of a container they
// differ.

#include "pipeline/block.h"

namespace agent {

void Block::SeedColumns(LabelSetId labels) {
  const Labels& set = label_sets_.Get(labels);
  columns_.resize(slots_.size());
  seeds_.Clear();
  for (Slot slot = 0; slot < columns_.size(); ++slot) {
    const std::string* value = set.Find(slots_.name(slot));
    columns_[slot].constant = value != nullptr ? Value::String(seeds_.Copy(*value)) : Value();
  }
  initial_labels_ = labels;
  column_epoch_ = label_sets_.epoch();
}

void Block::SeedExtractedFromLabels() {
  if (seeded_) return;
  // A block has few label sets: what each gives is looked up once.
  std::unordered_map<LabelSetId, LabelSeeds> known;
  for (const EntryIndex entry : live_) {
    const auto [at, inserted] = known.try_emplace(labels_[entry]);
    if (inserted) at->second = SeedsOf(labels_[entry]);
    for (const auto& [slot, value] : at->second.values)
      SetExtracted(entry, slot, value);
    for (const Label* const label : at->second.named)
      SeedNamed(entry, *label);
  }
}

void Block::SeedNamed(EntryIndex entry, const Label& label) {
  const std::string* const own = LabelWithoutSlot(entry, label.name);
  const bool as_it_came = own != nullptr && *own == label.value;
  if (as_it_came && named_.Find(entry, label.name) == nullptr) return;
  SetExtracted(entry, label.name, Value::String(arena_.Copy(label.value)));
}

void Block::StartWith(EntryIndex entry, LabelSetId labels) {
  if (labels_[entry] == labels) return;
  if (!other_start_ || other_start_->labels != labels) {
    other_start_ = OtherStart();
    other_start_->labels = labels;
    FindDifferences(*other_start_);
  }
  labels_[entry] = labels;
  for (const auto& [slot, value] : other_start_->slots) {
    Column& column = columns_[slot];
    if (column.values.empty()) Materialize(column);
    column.values[entry] = value;
  }
  // Its extracted values are those of its labels, as Reset() leaves them.
  const bool seeded = seeded_;
  for (const auto& [name, value] : other_start_->named)
    SetExtracted(entry, name, value);
  seeded_ = seeded;
}

void Block::FindDifferences(OtherStart& other) {
  const Labels& before = label_sets_.Get(initial_labels_);
  const Labels& now = label_sets_.Get(other.labels);
  const auto note = [&](const std::string& name, const std::string* text) {
    const Value value = text != nullptr ? Value::String(arena_.Copy(*text)) : Value();
    if (const std::optional<Slot> slot = slots_.Find(name)) {
      other.slots.emplace_back(*slot, value);
    } else if (slots_.reads_everything()) {
      other.named.emplace_back(name, value);
    }
  };
  for (const Label& label : before) {
    if (now.Find(label.name) == nullptr) note(label.name, nullptr);
  }
  for (const Label& label : now) {
    const std::string* const old = before.Find(label.name);
    if (old == nullptr || *old != label.value) note(label.name, &label.value);
  }
}

}  // namespace agent
