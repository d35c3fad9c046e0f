#include "agent/modes/inspect/entry_diff.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

namespace agent {
namespace {

using NamedValue = std::pair<std::string_view, Value>;

bool SameValue(const Value& a, const Value& b) {
  if (a.type() != b.type()) return false;
  if (a.is_string()) return a.text() == b.text();
  if (a.type() == ValueType::kInteger) return a.integer() == b.integer();
  // NaN is not equal to itself, and yet unchanged.
  return a.number() == b.number() || (a.number() != a.number() && b.number() != b.number());
}

bool ByName(const NamedValue& a, const NamedValue& b) {
  return a.first < b.first;
}

// Names may repeat: metadata is a list. What stands on both sides with the same value is left out,
// one for one; of the rest the first of a name goes with the first of that name.
void Compare(Change::What what, std::vector<NamedValue> before, std::vector<NamedValue> after,
             std::vector<Change>& changes) {
  for (auto old = before.begin(); old != before.end();) {
    const auto same = std::find_if(after.begin(), after.end(), [&](const NamedValue& candidate) {
      return candidate.first == old->first && SameValue(candidate.second, old->second);
    });
    if (same == after.end()) {
      ++old;
    } else {
      after.erase(same);
      old = before.erase(old);
    }
  }
  std::stable_sort(before.begin(), before.end(), ByName);
  std::stable_sort(after.begin(), after.end(), ByName);
  auto old = before.begin();
  auto now = after.begin();
  while (old != before.end() || now != after.end()) {
    const bool takes_old = now == after.end() || (old != before.end() && old->first <= now->first);
    const bool takes_now = old == before.end() || (now != after.end() && now->first <= old->first);
    Change change;
    change.what = what;
    change.name = takes_old ? old->first : now->first;
    if (takes_old) change.before = (old++)->second;
    if (takes_now) change.after = (now++)->second;
    changes.push_back(change);
  }
}

std::vector<NamedValue> Texts(
    const std::vector<std::pair<std::string_view, std::string_view>>& pairs) {
  std::vector<NamedValue> texts;
  texts.reserve(pairs.size());
  for (const auto& [name, value] : pairs)
    texts.emplace_back(name, Value::String(value));
  return texts;
}

std::vector<NamedValue> Texts(const std::vector<Metadata>& metadata) {
  std::vector<NamedValue> texts;
  texts.reserve(metadata.size());
  for (const Metadata& pair : metadata)
    texts.emplace_back(pair.name, Value::String(pair.value));
  return texts;
}

}  // namespace

EntryState StateOf(Block& block, EntryIndex entry) {
  const Entry view = block.View(entry);
  EntryState state;
  state.line = view.line;
  state.timestamp_ns = view.timestamp_ns;
  for (const Label& label : block.label_sets().Get(view.labels))
    state.labels.emplace_back(label.name, label.value);
  block.ForEachExtracted(entry, [&state](std::string_view name, const Value& value) {
    state.extracted.emplace_back(name, value);
  });
  state.metadata.assign(view.metadata.begin(), view.metadata.end());
  state.holds = view.holds.size();
  return state;
}

std::vector<Change> Difference(const EntryState& before, const EntryState& after) {
  std::vector<Change> changes;
  if (before.line != after.line) {
    Change change;
    change.what = Change::What::kLine;
    change.before = Value::String(before.line);
    change.after = Value::String(after.line);
    changes.push_back(change);
  }
  if (before.timestamp_ns != after.timestamp_ns) {
    Change change;
    change.what = Change::What::kTimestamp;
    change.before_ns = before.timestamp_ns;
    change.after_ns = after.timestamp_ns;
    changes.push_back(change);
  }
  Compare(Change::What::kLabel, Texts(before.labels), Texts(after.labels), changes);
  Compare(Change::What::kMetadata, Texts(before.metadata), Texts(after.metadata), changes);
  Compare(Change::What::kExtracted, before.extracted, after.extracted, changes);
  return changes;
}

}  // namespace agent
