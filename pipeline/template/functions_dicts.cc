// Functions on maps. `set`, `unset` and the merges change the map they are given.

#include <algorithm>
#include <string>
#include <string_view>

#include "pipeline/template/convert.h"
#include "pipeline/template/functions.h"

namespace agent {
namespace {

Datum Dict(Call& call) {
  DatumDict* dict = call.NewDict();
  if (!call.Charge(call.size() * 64)) return {};
  for (std::size_t i = 0; i < call.size(); i += 2) {
    dict->items[ToText(call[i])] = i + 1 < call.size() ? call[i + 1] : Datum::String("");
  }
  return Datum::Dict(dict);
}

Datum Get(Call& call) {
  const auto& items = call[0].dict().items;
  const auto found = items.find(call.Text(1));
  return found != items.end() ? found->second : Datum::String("");
}

Datum Set(Call& call) {
  if (!call.Charge(call.Text(1).size() + 100)) return {};
  call[0].dict().items[std::string(call.Text(1))] = call[2];
  return call[0];
}

Datum Unset(Call& call) {
  auto& items = call[0].dict().items;
  const auto found = items.find(call.Text(1));
  if (found != items.end()) items.erase(found);
  return call[0];
}

Datum Keys(Call& call) {
  DatumList* list = call.NewList(DatumList::Type::kString);
  for (const Datum& dict : call.From(0)) {
    for (const auto& [key, value] : dict.dict().items)
      list->items.push_back(call.Keep(key));
  }
  return Datum::List(list);
}

Datum Values(Call& call) {
  DatumList* list = call.NewList();
  if (!call.Charge(call[0].dict().items.size() * sizeof(Datum))) return {};
  for (const auto& [key, value] : call[0].dict().items)
    list->items.push_back(value);
  return Datum::List(list);
}

Datum Pluck(Call& call) {
  DatumList* list = call.NewList();
  for (const Datum& dict : call.From(1)) {
    const auto found = dict.dict().items.find(call.Text(0));
    if (found != dict.dict().items.end()) list->items.push_back(found->second);
  }
  return Datum::List(list);
}

Datum Pick(Call& call) {
  DatumDict* dict = call.NewDict();
  for (const Datum& key : call.From(1)) {
    const auto found = call[0].dict().items.find(key.text());
    if (found != call[0].dict().items.end()) dict->items.insert(*found);
  }
  return Datum::Dict(dict);
}

Datum Omit(Call& call) {
  DatumDict* dict = call.NewDict();
  if (!call.Charge(call[0].dict().items.size() * 100)) return {};
  dict->items = call[0].dict().items;
  for (const Datum& key : call.From(1)) {
    const auto found = dict->items.find(key.text());
    if (found != dict->items.end()) dict->items.erase(found);
  }
  return Datum::Dict(dict);
}

enum class Winner : uint8_t { kFirst, kLast };

// Maps merge deeply. An empty value never wins over another.
void MergeInto(DatumDict& target, const DatumDict& source, Winner winner, int depth, Call& call) {
  if (depth > kMaxDatumDepth || !call.Charge(source.items.size() * 100)) return;
  for (const auto& [key, value] : source.items) {
    if (value.is_nil()) {
      if (winner == Winner::kLast) target.items[key] = value;
      continue;
    }
    const auto [place, is_new] = target.items.try_emplace(key, value);
    if (is_new) continue;
    Datum& old = place->second;
    if (old.kind() == Datum::Kind::kDict && value.kind() == Datum::Kind::kDict) {
      if (&old.dict() != &value.dict()) {
        MergeInto(old.dict(), value.dict(), winner, depth + 1, call);
      }
    } else if (IsEmpty(old) || (winner == Winner::kLast && !IsEmpty(value))) {
      old = value;
    }
  }
}

Datum Merged(Call& call, Winner winner) {
  for (const Datum& source : call.From(1)) {
    if (&source.dict() == &call[0].dict()) continue;
    MergeInto(call[0].dict(), source.dict(), winner, 0, call);
  }
  return call[0];
}

Datum Merge(Call& call) {
  return Merged(call, Winner::kFirst);
}
Datum MergeOverwrite(Call& call) {
  return Merged(call, Winner::kLast);
}

Datum Copied(const Datum& datum, int depth, Call& call) {
  if (depth > kMaxDatumDepth || !call.Charge(sizeof(Datum))) return datum;
  if (datum.kind() == Datum::Kind::kList) {
    DatumList* list = call.NewList(datum.list().type);
    for (const Datum& item : datum.list().items) {
      list->items.push_back(Copied(item, depth + 1, call));
    }
    return Datum::List(list);
  }
  if (datum.kind() == Datum::Kind::kDict) {
    DatumDict* dict = call.NewDict(datum.dict().type);
    for (const auto& [key, value] : datum.dict().items) {
      dict->items.emplace(key, Copied(value, depth + 1, call));
    }
    return Datum::Dict(dict);
  }
  return datum;
}

Datum DeepCopy(Call& call) {
  return Copied(call[0], 0, call);
}

// dig "a" "b" default dict
Datum Dig(Call& call) {
  if (call.size() < 3) return call.Fail("dig needs at least three arguments");
  Datum value = call[call.size() - 1];
  for (std::size_t i = 0; i + 2 < call.size(); ++i) {
    const bool fits = value.kind() == Datum::Kind::kDict &&
                      value.dict().type == DatumDict::Type::kAny && call[i].is_string();
    if (!fits) return call.Fail("dig needs maps and keys that are strings");
    const auto found = value.dict().items.find(call.Text(i));
    if (found == value.dict().items.end()) return call[call.size() - 2];
    value = found->second;
  }
  return value;
}

constexpr TemplateFunction kFunctions[] = {
    {"deepCopy", "a", DeepCopy},
    {"dict", "a*", Dict},
    {"dig", "a*", Dig},
    {"get", "ds", Get},
    {"hasKey", "ds",
     [](Call& call) { return Datum::Bool(call[0].dict().items.contains(call.Text(1))); }},
    {"keys", "d*", Keys},
    {"merge", "dd*", Merge},
    {"mergeOverwrite", "dd*", MergeOverwrite},
    {"mustDeepCopy", "a", DeepCopy},
    {"mustMerge", "dd*", Merge},
    {"mustMergeOverwrite", "dd*", MergeOverwrite},
    {"omit", "ds*", Omit},
    {"pick", "ds*", Pick},
    {"pluck", "sd*", Pluck},
    {"set", "Dsa", Set},
    {"unset", "ds", Unset},
    {"values", "d", Values},
};

}  // namespace

std::span<const TemplateFunction> DictFunctions() {
  return kFunctions;
}

}  // namespace agent
