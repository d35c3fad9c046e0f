// Functions on lists. All of them but `slice` make new lists of any values.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/template/convert.h"
#include "pipeline/template/functions.h"

namespace agent {
namespace {

using Items = std::vector<Datum>;

// The items of an argument that must be a list; null after Fail.
const Items* ItemsOf(const Datum& datum, Call& call) {
  if (datum.kind() == Datum::Kind::kList) return &datum.list().items;
  call.Fail("expected a list, got " + std::string(TypeName(datum)));
  return nullptr;
}

Datum MakeList(Items items, Call& call) {
  if (!call.Charge(items.size() * sizeof(Datum))) return {};
  DatumList* list = call.NewList();
  list->items = std::move(items);
  return Datum::List(list);
}

bool Contains(std::span<const Datum> items, const Datum& wanted) {
  return std::any_of(items.begin(), items.end(),
                     [&](const Datum& item) { return DeepEqual(wanted, item); });
}

Datum List(Call& call) {
  return MakeList(Items(call.From(0).begin(), call.From(0).end()), call);
}

Datum Append(Call& call) {
  const Items* items = ItemsOf(call[0], call);
  if (items == nullptr) return {};
  Items result = *items;
  result.push_back(call[1]);
  return MakeList(std::move(result), call);
}

Datum Prepend(Call& call) {
  const Items* items = ItemsOf(call[0], call);
  if (items == nullptr) return {};
  Items result = {call[1]};
  result.insert(result.end(), items->begin(), items->end());
  return MakeList(std::move(result), call);
}

Datum Concat(Call& call) {
  Items result;
  for (const Datum& list : call.From(0)) {
    const Items* items = ItemsOf(list, call);
    if (items == nullptr || !call.Charge(items->size() * sizeof(Datum))) return {};
    result.insert(result.end(), items->begin(), items->end());
  }
  return MakeList(std::move(result), call);
}

Datum First(Call& call) {
  const Items* items = ItemsOf(call[0], call);
  return items == nullptr || items->empty() ? Datum() : items->front();
}

Datum Last(Call& call) {
  const Items* items = ItemsOf(call[0], call);
  return items == nullptr || items->empty() ? Datum() : items->back();
}

Datum Rest(Call& call) {
  const Items* items = ItemsOf(call[0], call);
  if (items == nullptr) return {};
  return MakeList(items->empty() ? Items() : Items(items->begin() + 1, items->end()), call);
}

Datum Initial(Call& call) {
  const Items* items = ItemsOf(call[0], call);
  if (items == nullptr) return {};
  return MakeList(items->empty() ? Items() : Items(items->begin(), items->end() - 1), call);
}

Datum Reverse(Call& call) {
  const Items* items = ItemsOf(call[0], call);
  return items == nullptr ? Datum() : MakeList(Items(items->rbegin(), items->rend()), call);
}

Datum Compact(Call& call) {
  const Items* items = ItemsOf(call[0], call);
  if (items == nullptr) return {};
  Items result = *items;
  std::erase_if(result, IsEmpty);
  return MakeList(std::move(result), call);
}

Datum Uniq(Call& call) {
  const Items* items = ItemsOf(call[0], call);
  if (items == nullptr) return {};
  Items result;
  for (const Datum& item : *items) {
    if (!call.runtime().Spend(1 + result.size() / 16)) return {};
    if (!Contains(result, item)) result.push_back(item);
  }
  return MakeList(std::move(result), call);
}

Datum Without(Call& call) {
  const Items* items = ItemsOf(call[0], call);
  if (items == nullptr) return {};
  Items result;
  for (const Datum& item : *items) {
    if (!Contains(call.From(1), item)) result.push_back(item);
  }
  return MakeList(std::move(result), call);
}

Datum Has(Call& call) {
  if (call[1].is_nil()) return Datum::Bool(false);
  const Items* items = ItemsOf(call[1], call);
  return Datum::Bool(items != nullptr && Contains(*items, call[0]));
}

Datum Slice(Call& call) {
  const Items* items = ItemsOf(call[0], call);
  if (items == nullptr || items->empty()) return {};
  const auto size = static_cast<int64_t>(items->size());
  const int64_t start = call.size() > 1 ? ToInt64(call[1]) : 0;
  const int64_t end = call.size() > 2 ? ToInt64(call[2]) : size;
  if (start < 0 || end < start || end > size) return call.Fail("slice bounds out of range");
  Datum result = MakeList(Items(items->begin() + start, items->begin() + end), call);
  if (!result.is_nil()) result.list().type = call[0].list().type;
  return result;
}

Datum Chunk(Call& call) {
  const Items* items = ItemsOf(call[1], call);
  if (items == nullptr) return {};
  const int64_t size = call.Int(0);
  // Sprig rounds the number of chunks down, so that a negative size makes none of a short list.
  const auto length = static_cast<int64_t>(items->size());
  if (size < 0 && length > 1 && length - 1 <= -size) return MakeList({}, call);
  if (size <= 0) return call.Fail("chunks must have a size");
  if (!call.Charge(items->size() * 2 * sizeof(Datum))) return {};
  DatumList* chunks = call.NewList(DatumList::Type::kAnyList);
  const auto step = static_cast<std::size_t>(size);
  for (std::size_t from = 0; from < items->size(); from += step) {
    const std::size_t count = std::min(step, items->size() - from);
    const auto begin = items->begin() + static_cast<std::ptrdiff_t>(from);
    chunks->items.push_back(
        MakeList(Items(begin, begin + static_cast<std::ptrdiff_t>(count)), call));
  }
  return Datum::List(chunks);
}

Datum SortAlpha(Call& call) {
  // What is no list is a list of its text, even nil.
  const bool is_list = call[0].kind() == Datum::Kind::kList;
  std::vector<std::string> texts = is_list ? ToTexts(call[0]) : std::vector{ToText(call[0])};
  std::sort(texts.begin(), texts.end());
  DatumList* list = call.NewList(DatumList::Type::kString);
  for (std::string& text : texts)
    list->items.push_back(call.Keep(std::move(text)));
  return Datum::List(list);
}

// Integers from `start` up to or down to, but without, `stop`. Null after Fail.
DatumList* MakeRange(int64_t start, int64_t stop, int64_t step, Call& call) {
  DatumList* list = call.NewList(DatumList::Type::kInt);
  const bool up = stop >= start;
  if ((up && step <= 0) || (!up && step >= 0)) return list;
  const uint64_t distance = up ? static_cast<uint64_t>(stop) - static_cast<uint64_t>(start)
                               : static_cast<uint64_t>(start) - static_cast<uint64_t>(stop);
  const uint64_t stride = up ? static_cast<uint64_t>(step) : 0 - static_cast<uint64_t>(step);
  const uint64_t count = distance / stride + (distance % stride != 0 ? 1 : 0);
  if (count > DatumPool::kMaxBytes || !call.Charge(count * sizeof(Datum))) {
    call.Fail("too much memory");
    return nullptr;
  }
  list->items.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    list->items.push_back(Datum::Int(start + static_cast<int64_t>(i) * step));
  }
  return list;
}

Datum Until(Call& call) {
  DatumList* list = MakeRange(0, call.Int(0), call.Int(0) < 0 ? -1 : 1, call);
  return list == nullptr ? Datum() : Datum::List(list);
}

Datum UntilStep(Call& call) {
  DatumList* list = MakeRange(call.Int(0), call.Int(1), call.Int(2), call);
  return list == nullptr ? Datum() : Datum::List(list);
}

// `seq`: like the shell's, as a text.
Datum Seq(Call& call) {
  if (call.size() == 0 || call.size() > 3) return Datum::String("");
  const int64_t start = call.size() == 1 ? 1 : call.Int(0);
  const int64_t end = call.Int(call.size() - 1);
  const int64_t direction = end < start ? -1 : 1;
  const int64_t step = call.size() == 3 ? call.Int(1) : direction;
  if (call.size() == 3 && end < start && step > 0) return Datum::String("");
  const DatumList* list = MakeRange(start, end + direction, step, call);
  if (list == nullptr) return {};
  std::string text;
  for (const Datum& item : list->items) {
    if (!text.empty()) text += ' ';
    text += std::to_string(item.integer());
  }
  return call.Keep(std::move(text));
}

constexpr TemplateFunction kFunctions[] = {
    {"append", "aa", Append},
    {"chunk", "ia", Chunk},
    {"compact", "a", Compact},
    {"concat", "a*", Concat},
    {"first", "a", First},
    {"has", "aa", Has},
    {"initial", "a", Initial},
    {"last", "a", Last},
    {"list", "a*", List},
    {"mustAppend", "aa", Append},
    {"mustChunk", "ia", Chunk},
    {"mustCompact", "a", Compact},
    {"mustFirst", "a", First},
    {"mustHas", "aa", Has},
    {"mustInitial", "a", Initial},
    {"mustLast", "a", Last},
    {"mustPrepend", "aa", Prepend},
    {"mustPush", "aa", Append},
    {"mustRest", "a", Rest},
    {"mustReverse", "a", Reverse},
    {"mustSlice", "aa*", Slice},
    {"mustUniq", "a", Uniq},
    {"mustWithout", "aa*", Without},
    {"prepend", "aa", Prepend},
    {"push", "aa", Append},
    {"rest", "a", Rest},
    {"reverse", "a", Reverse},
    {"seq", "i*", Seq},
    {"slice", "aa*", Slice},
    {"sortAlpha", "a", SortAlpha},
    {"tuple", "a*", List},
    {"uniq", "a", Uniq},
    {"until", "i", Until},
    {"untilStep", "iii", UntilStep},
    {"without", "aa*", Without},
};

}  // namespace

std::span<const TemplateFunction> ListFunctions() {
  return kFunctions;
}

}  // namespace agent
