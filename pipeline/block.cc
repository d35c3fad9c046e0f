#include "pipeline/block.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <iterator>
#include <unordered_map>

#include "base/check.h"
#include "base/go_format.h"

namespace agent {
namespace {

std::size_t TextSize(const Value& value) {
  return value.has_text() ? value.text().size() : 0;
}

// Copies the text of a value to `to`, and moves that behind it.
void MoveText(Value& value, char*& to) {
  if (!value.has_text()) return;
  const std::string_view text = value.text();
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  value = value.WithText({to, text.size()});
  to += text.size();
}

}  // namespace

std::size_t HeldEntry::memory_bytes() const {
  std::size_t bytes = line.capacity() + values.texts_size +
                      values.extracted.size() * sizeof(values.extracted[0]) +
                      holds.size() * kHoldBytes;
  for (const auto& [name, value] : values.named)
    bytes += sizeof(values.named[0]) + name.size();
  for (const auto& [name, value] : metadata)
    bytes += sizeof(metadata[0]) + name.size() + value.size();
  return bytes;
}

Block::Block(const SlotTable& slots, LabelSets& label_sets)
    : slots_(slots), label_sets_(label_sets) {}

void Block::Reset(LabelSetId labels, std::shared_ptr<SourceProgress> progress,
                  const StreamLabelSets* streams) {
  arena_.Clear();
  progress_ = std::move(progress);
  streams_ = streams;
  other_start_.reset();
  lines_.clear();
  timestamps_.clear();
  labels_.clear();
  offsets_.clear();
  last_offsets_.clear();
  source_bytes_.clear();
  fates_.clear();
  first_metadata_.clear();
  metadata_.clear();
  named_.Clear();
  added_ = 0;
  hold_lists_.clear();
  holds_.clear();
  live_.clear();
  inserted_.clear();
  drops_.clear();
  changed_ = false;

  // Every entry begins with the labels as extracted values: one constant per column.
  const bool same_labels = columns_.size() == slots_.size() && labels == initial_labels_ &&
                           column_epoch_ == label_sets_.epoch();
  if (!same_labels) SeedColumns(labels);
  for (Column& column : columns_)
    column.values.clear();
  seeded_ = true;
}

EntryIndex Block::Add(std::string_view line, int64_t timestamp_ns, uint64_t offset,
                      uint32_t source_bytes) {
  const auto entry = static_cast<EntryIndex>(lines_.size());
  lines_.push_back(line);
  timestamps_.push_back(timestamp_ns);
  labels_.push_back(initial_labels_);
  offsets_.push_back(offset);
  source_bytes_.push_back(source_bytes);
  fates_.push_back(kLive);
  first_metadata_.push_back(kNone);
  live_.push_back(entry);
  added_ = lines_.size();
  return entry;
}

void Block::Materialize(Column& column) {
  column.values.assign(lines_.size(), column.constant);
}

std::optional<std::string_view> Block::Text(const Value& value) {
  switch (value.type()) {
    case ValueType::kString:
      return value.text();
    case ValueType::kBool:
      return value.boolean() ? std::string_view("true") : std::string_view("false");
    case ValueType::kNumber: {
      number_text_.clear();
      AppendGoFloat(value.number(), number_text_);
      return arena_.Copy(number_text_);
    }
    case ValueType::kInteger: {
      std::array<char, 20> digits{};  // -9223372036854775808
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value.integer());
      return arena_.Copy({digits.data(), static_cast<std::size_t>(end.ptr - digits.data())});
    }
    case ValueType::kAbsent:
    case ValueType::kNull:
      break;
  }
  return std::nullopt;
}

void Block::ForEachExtracted(
    EntryIndex entry, const std::function<void(std::string_view, const Value&)>& visit) const {
  for (Slot slot = 0; slot < columns_.size(); ++slot) {
    const Value& value = Extracted(entry, slot);
    if (value.present()) visit(slots_.name(slot), value);
  }
  ForEachNamed(entry, visit);
}

void Block::ForEachNamed(EntryIndex entry,
                         const std::function<void(std::string_view, const Value&)>& visit) const {
  named_.ForEach(entry, [&visit](std::string_view name, const Value& value) {
    if (value.present()) visit(name, value);
  });
  if (entry >= added_) return;
  for (const Label& label : label_sets_.Get(initial_labels_)) {
    if (slots_.Find(label.name) || named_.Find(entry, label.name) != nullptr) continue;
    visit(label.name, Value::String(label.value));
  }
}

const std::string* Block::LabelWithoutSlot(EntryIndex entry, std::string_view name) const {
  return entry < added_ ? label_sets_.Get(initial_labels_).Find(name) : nullptr;
}

bool Block::HasExtracted(EntryIndex entry, std::string_view name) const {
  if (const std::optional<Slot> slot = slots_.Find(name)) return Extracted(entry, *slot).present();
  if (!slots_.reads_everything()) return false;
  if (const Value* const named = named_.Find(entry, name)) return named->present();
  return LabelWithoutSlot(entry, name) != nullptr;
}

void Block::SetExtracted(EntryIndex entry, std::string_view name, const Value& value) {
  if (const std::optional<Slot> slot = slots_.Find(name)) {
    if (slots_.IsRead(*slot)) SetExtracted(entry, *slot, value);
    return;
  }
  if (!slots_.reads_everything()) return;
  Value* const before = named_.Find(entry, name);
  if (before != nullptr) {
    *before = value;
  } else {
    named_.Add(entry, arena_.Copy(name), value);
  }
  seeded_ = false;  // It may have the name of a label.
}

Block::LabelSeeds Block::SeedsOf(LabelSetId labels) {
  LabelSeeds seeds;
  for (const Label& label : label_sets_.Get(labels)) {
    const std::optional<Slot> slot = slots_.Find(label.name);
    if (slot && slots_.IsRead(*slot)) {
      seeds.values.emplace_back(*slot, Value::String(arena_.Copy(label.value)));
    } else if (!slot && slots_.reads_everything()) {
      seeds.named.push_back(&label);
    }
  }
  return seeds;
}

void Block::AddMetadata(EntryIndex entry, std::string_view name, std::string_view value) {
  const auto link = static_cast<uint32_t>(metadata_.size());
  metadata_.push_back({{name, value}, kNone});
  uint32_t* at = &first_metadata_[entry];
  while (*at != kNone)
    at = &metadata_[*at].next;
  *at = link;
}

std::vector<Metadata> Block::MetadataOf(EntryIndex entry) const {
  std::vector<Metadata> all;
  for (uint32_t i = first_metadata_[entry]; i != kNone; i = metadata_[i].next) {
    all.push_back(metadata_[i].pair);
  }
  return all;
}

void Block::ClearMetadata(EntryIndex entry) {
  first_metadata_[entry] = kNone;
}

Block::DropCount& Block::CountDrop(DropReason reason) {
  if (drops_.size() <= reason) drops_.resize(reason + 1);
  ++drops_[reason].lines;
  return drops_[reason];
}

void Block::Drop(EntryIndex entry, DropReason reason) {
  DropCount& count = CountDrop(reason);
  count.bytes += source_bytes_[entry];
  for (const auto& held : TakeHolds(entry)) {
    count.held_bytes += held->bytes();
    held->Drop();
  }
  fates_[entry] = kDropped + reason;
  changed_ = true;
}

void Block::DropHeld(HeldEntry held, DropReason reason) {
  DropCount& count = CountDrop(reason);
  for (const auto& one : held.holds) {
    count.held_bytes += one->bytes();
    one->Drop();
  }
  label_sets_.Unpin(held.labels);
}

void Block::Absorb(EntryIndex into, EntryIndex entry) {
  if (const uint32_t bytes = source_bytes_[entry]; bytes > 0) {
    if (source_bytes_[into] == 0) offsets_[into] = offsets_[entry];
    for (auto next = static_cast<EntryIndex>(last_offsets_.size()); next <= into; ++next) {
      last_offsets_.push_back(offsets_[next]);
    }
    last_offsets_[into] = LastOffset(entry);
    source_bytes_[into] += bytes;
    source_bytes_[entry] = 0;
  }
  AddHolds(into, TakeHolds(entry));
  fates_[entry] = kAbsorbed + into;
  changed_ = true;
}

void Block::Absorb(HeldEntry& into, EntryIndex entry) {
  for (auto& held : TakeHolds(entry))
    into.holds.push_back(std::move(held));
  const uint32_t bytes = source_bytes_[entry];
  if (progress_ != nullptr && bytes > 0) {
    // One hold for all lines of a source, as long as nobody else has it. But whoever looks at
    // everything wants to know the lines.
    const uint64_t first = offsets_[entry];
    const uint64_t last = LastOffset(entry);
    const bool joined = !slots_.reads_everything() && !into.holds.empty() &&
                        into.holds.back().use_count() == 1 &&
                        into.holds.back()->Absorb(progress_.get(), first, last, bytes);
    if (!joined) {
      into.holds.push_back(std::make_shared<HeldBytes>(progress_, first, bytes));
      into.holds.back()->Absorb(progress_.get(), first, last, 0);
    }
  }
  fates_[entry] = kDetached;
  changed_ = true;
}

HeldValues Block::CopyValues(EntryIndex from) const {
  HeldValues values;
  values.timestamp_ns = timestamps_[from];
  for (Slot slot = 0; slot < columns_.size(); ++slot) {
    const Value& value = Extracted(from, slot);
    if (!value.present()) continue;
    values.extracted.emplace_back(slot, value);
    values.texts_size += TextSize(value);
  }
  if (slots_.reads_everything()) {
    ForEachNamed(from, [&values](std::string_view name, const Value& value) {
      values.named.emplace_back(name, value);
      values.texts_size += TextSize(value);
    });
  }
  if (values.texts_size == 0) return values;

  values.texts.reset(new char[values.texts_size + kTextPadding]);
  char* to = values.texts.get();
  for (auto& [slot, value] : values.extracted)
    MoveText(value, to);
  for (auto& [name, value] : values.named)
    MoveText(value, to);
  return values;
}

void Block::CopyValues(EntryIndex from, EntryIndex to) {
  if (slots_.reads_everything()) return SetValues(to, CopyValues(from));
  timestamps_[to] = timestamps_[from];
  if (labels_[from] != labels_[to]) seeded_ = false;
  for (Column& column : columns_) {
    if (!column.values.empty()) column.values[to] = column.values[from];
  }
}

void Block::SetValues(EntryIndex entry, const HeldValues& values) {
  const auto in_arena = [this](const Value& value) {
    return value.has_text() ? value.WithText(arena_.Copy(value.text())) : value;
  };
  timestamps_[entry] = values.timestamp_ns;
  for (Slot slot = 0; slot < columns_.size(); ++slot) {
    if (Extracted(entry, slot).present()) SetExtracted(entry, slot, Value());
  }
  for (const auto& [slot, value] : values.extracted)
    SetExtracted(entry, slot, in_arena(value));
  if (!slots_.reads_everything()) return;
  std::vector<std::string> own;
  ForEachNamed(entry, [&own](std::string_view name, const Value&) { own.emplace_back(name); });
  for (const std::string& name : own)
    SetExtracted(entry, name, Value());
  for (const auto& [name, value] : values.named)
    SetExtracted(entry, name, in_arena(value));
}

HeldEntry Block::Detach(EntryIndex entry) {
  HeldEntry held;
  held.line = std::string(lines_[entry]);
  held.labels = labels_[entry];
  label_sets_.Pin(held.labels);
  held.values = CopyValues(entry);
  for (uint32_t i = first_metadata_[entry]; i != kNone; i = metadata_[i].next) {
    held.metadata.emplace_back(metadata_[i].pair.name, metadata_[i].pair.value);
  }
  Absorb(held, entry);
  return held;
}

EntryIndex Block::Insert(HeldEntry held) {
  const EntryIndex entry = static_cast<EntryIndex>(lines_.size());
  lines_.push_back(arena_.Copy(held.line));
  timestamps_.push_back(held.values.timestamp_ns);
  labels_.push_back(held.labels);
  label_sets_.Unpin(held.labels);
  offsets_.push_back(0);
  source_bytes_.push_back(0);
  fates_.push_back(kLive);
  first_metadata_.push_back(kNone);
  for (Column& column : columns_) {
    if (column.values.empty() && !column.constant.present()) continue;
    if (column.values.empty()) {
      Materialize(column);
    } else {
      column.values.emplace_back();
    }
    column.values[entry] = Value();
  }
  SetValues(entry, held.values);
  for (const auto& [name, value] : held.metadata) {
    AddMetadata(entry, arena_.Copy(name), arena_.Copy(value));
  }
  AddHolds(entry, std::move(held.holds));
  seeded_ = false;
  changed_ = true;
  return entry;
}

EntryIndex Block::InsertBefore(EntryIndex entry, HeldEntry held) {
  const EntryIndex added = Insert(std::move(held));
  inserted_.emplace_back(entry, added);
  return added;
}

EntryIndex Block::InsertAtEnd(HeldEntry held) {
  const EntryIndex added = Insert(std::move(held));
  inserted_.emplace_back(kNone, added);
  return added;
}

void Block::AddHolds(EntryIndex entry, std::vector<std::shared_ptr<HeldBytes>> holds) {
  if (holds.empty()) return;
  if (hold_lists_.size() <= entry) hold_lists_.resize(lines_.size(), kNone);
  uint32_t& list = hold_lists_[entry];
  if (list == kNone) {
    list = static_cast<uint32_t>(holds_.size());
    holds_.push_back(std::move(holds));
    return;
  }
  holds_[list].insert(holds_[list].end(), std::make_move_iterator(holds.begin()),
                      std::make_move_iterator(holds.end()));
}

std::vector<std::shared_ptr<HeldBytes>> Block::TakeHolds(EntryIndex entry) {
  if (entry >= hold_lists_.size() || hold_lists_[entry] == kNone) return {};
  return std::exchange(holds_[hold_lists_[entry]], {});
}

void Block::Compact() {
  if (!changed_) return;
  changed_ = false;
  if (inserted_.empty()) {
    std::erase_if(live_, [this](EntryIndex entry) { return fates_[entry] != kLive; });
    return;
  }
  // Where entries were inserted: in the order of insertion in front of each entry.
  std::stable_sort(inserted_.begin(), inserted_.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<EntryIndex>& next = next_live_;
  next.clear();
  next.reserve(live_.size() + inserted_.size());
  for (const EntryIndex entry : live_) {
    const auto [first, last] =
        std::equal_range(inserted_.begin(), inserted_.end(), std::make_pair(entry, EntryIndex{0}),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto at = first; at != last; ++at)
      next.push_back(at->second);
    if (fates_[entry] == kLive) next.push_back(entry);
  }
  for (const auto& [before, added] : inserted_) {
    if (before == kNone) next.push_back(added);
  }
  inserted_.clear();
  live_.swap(next);
}

void Block::WithSubset(std::span<const EntryIndex> entries, const std::function<void()>& body) {
  Compact();
  const std::vector<EntryIndex> whole = live_;
  const std::vector<EntryIndex> subset(entries.begin(), entries.end());
  live_ = subset;
  seeded_ = false;
  body();
  Compact();

  // Walk both: what survived of the subset stands where it stood; what was inserted among it comes
  // in front of the next survivor, or where the subset's last entry was.
  std::vector<EntryIndex> merged;
  merged.reserve(whole.size() + live_.size());
  std::size_t next = 0;  // Of live_, what is left of the subset.
  std::size_t in_subset = 0;
  for (const EntryIndex entry : whole) {
    if (in_subset == subset.size() || subset[in_subset] != entry) {
      merged.push_back(entry);
      continue;
    }
    ++in_subset;
    if (fates_[entry] == kLive) {
      do {
        merged.push_back(live_[next]);
      } while (live_[next++] != entry);
    }
    if (in_subset == subset.size()) {
      merged.insert(merged.end(), live_.begin() + static_cast<std::ptrdiff_t>(next), live_.end());
    }
  }
  live_ = std::move(merged);
}

void Block::Release() {
  progress_ = nullptr;
  hold_lists_.clear();
  holds_.clear();
}

Entry Block::View(EntryIndex entry) {
  Entry view;
  view.labels = labels_[entry];
  view.timestamp_ns = timestamps_[entry];
  view.line = lines_[entry];
  view.offset = offsets_[entry];
  view.last_offset = LastOffset(entry);
  view.source_bytes = source_bytes_[entry];
  if (first_metadata_[entry] != kNone) {
    view_metadata_.clear();
    for (uint32_t i = first_metadata_[entry]; i != kNone; i = metadata_[i].next) {
      view_metadata_.push_back(metadata_[i].pair);
    }
    view.metadata = view_metadata_;
  }
  if (!shown_ || !shown_->empty()) {
    CollectFields(entry);
    view.fields = view_fields_;
  }
  if (entry < hold_lists_.size() && hold_lists_[entry] != kNone) {
    view.holds = holds_[hold_lists_[entry]];
  }
  return view;
}

void Block::CollectFields(EntryIndex entry) {
  view_fields_.clear();
  if (shown_) {
    for (const Slot slot : *shown_) {
      const Value& value = Extracted(entry, slot);
      if (value.usable()) view_fields_.push_back({slots_.name(slot), value});
    }
    return;
  }
  ForEachExtracted(entry, [this](std::string_view name, const Value& value) {
    if (value.usable()) view_fields_.push_back({name, value});
  });
}

}  // namespace agent
