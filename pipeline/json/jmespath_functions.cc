#include "pipeline/json/jmespath_functions.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/go_format.h"
#include "base/result.h"
#include "base/utf8.h"
#include "pipeline/json/json_writer.h"

namespace agent {
namespace {

struct Argument {
  const JsonNode* value = nullptr;
  const JmesNode* expression = nullptr;  // Of an expression reference; then there is no value.
};

struct Call {
  JmesInterpreter& interpreter;
  std::span<const Argument> arguments;

  [[nodiscard]] const JsonNode& at(std::size_t i) const { return *arguments[i].value; }
  [[nodiscard]] JsonDocument& document() const { return interpreter.document(); }
};

// What an argument may be; any of the bits.
enum Accepts : unsigned {
  kNumber = 1,
  kString = 2,
  kArray = 4,
  kObject = 8,
  kNumbers = 16,  // A list of numbers; also the empty list.
  kStrings = 32,
  kExpression = 64,
  kAny = 128,
};

struct Function {
  std::string_view name;
  const JsonNode* (*call)(const Call& call);
  std::array<unsigned, 2> accepts;  // Of the first and the second argument; 0: there is none.
  bool variadic = false;            // Any further arguments, as the first one.
};

bool AllOf(const JsonNode& list, JsonType type) {
  return std::all_of(list.items.begin(), list.items.end(),
                     [type](const JsonNode* item) { return item->type == type; });
}

bool Fits(const Argument& argument, unsigned accepts) {
  if (argument.value == nullptr) return (accepts & kExpression) != 0;
  if ((accepts & kAny) != 0) return true;
  const JsonNode& value = *argument.value;
  switch (value.type) {
    case JsonType::kNumber:
      return (accepts & kNumber) != 0;
    case JsonType::kString:
      return (accepts & kString) != 0;
    case JsonType::kObject:
      return (accepts & kObject) != 0;
    case JsonType::kArray:
      return (accepts & kArray) != 0 ||
             ((accepts & kNumbers) != 0 && AllOf(value, JsonType::kNumber)) ||
             ((accepts & kStrings) != 0 && AllOf(value, JsonType::kString));
    default:
      return false;
  }
}

// Numbers by value, texts by bytes; of the same type.
bool Less(const JsonNode& a, const JsonNode& b) {
  return a.type == JsonType::kNumber ? a.number < b.number : a.text < b.text;
}

double SumOf(const JsonNode& list) {
  double sum = 0;
  for (const JsonNode* item : list.items)
    sum += item->number;
  return sum;
}

const JsonNode* Abs(const Call& call) {
  return call.document().Number(std::fabs(call.at(0).number));
}

const JsonNode* Avg(const Call& call) {
  // Of nothing it is 0/0, as in go-jmespath: a number that is none, not null.
  const JsonNode& list = call.at(0);
  return call.document().Number(SumOf(list) / static_cast<double>(list.items.size()));
}

const JsonNode* Ceil(const Call& call) {
  return call.document().Number(std::ceil(call.at(0).number));
}

const JsonNode* Contains(const Call& call) {
  const JsonNode& subject = call.at(0);
  const JsonNode& wanted = call.at(1);
  if (subject.type == JsonType::kString) {
    return call.document().Bool(wanted.type == JsonType::kString &&
                                subject.text.find(wanted.text) != std::string_view::npos);
  }
  return call.document().Bool(
      std::any_of(subject.items.begin(), subject.items.end(),
                  [&](const JsonNode* item) { return JsonEqual(*item, wanted); }));
}

const JsonNode* EndsWith(const Call& call) {
  return call.document().Bool(call.at(0).text.ends_with(call.at(1).text));
}

const JsonNode* Floor(const Call& call) {
  return call.document().Number(std::floor(call.at(0).number));
}

const JsonNode* Join(const Call& call) {
  std::string joined;
  for (std::size_t i = 0; i < call.at(1).items.size(); ++i) {
    if (i > 0) joined += call.at(0).text;
    joined += call.at(1).items[i]->text;
    if (joined.size() > JmesInterpreter::kMaxBytes) {
      return call.interpreter.Fail("the result of join() is too large");
    }
  }
  return call.document().CopyString(joined);
}

const JsonNode* Keys(const Call& call) {
  std::vector<const JsonNode*> keys;
  for (const JsonMember& member : call.at(0).members)
    keys.push_back(call.document().String(member.key));
  return call.document().Array(keys);
}

const JsonNode* Length(const Call& call) {
  const JsonNode& subject = call.at(0);
  std::size_t length = subject.items.size() + subject.members.size();
  for (std::string_view rest = subject.text; !rest.empty(); ++length)
    rest.remove_prefix(DecodeRune(rest).size);
  return call.document().Number(static_cast<double>(length));
}

const JsonNode* Map(const Call& call) {
  std::vector<const JsonNode*> items;
  for (const JsonNode* item : call.at(1).items) {
    const JsonNode* result = call.interpreter.Evaluate(*call.arguments[0].expression, *item);
    if (result == nullptr) return nullptr;
    items.push_back(result);
  }
  return call.document().Array(items);
}

const JsonNode* Max(const Call& call) {
  const auto items = call.at(0).items;
  if (items.empty()) return call.document().Null();
  return *std::max_element(items.begin(), items.end(),
                           [](const JsonNode* a, const JsonNode* b) { return Less(*a, *b); });
}

const JsonNode* Min(const Call& call) {
  const auto items = call.at(0).items;
  if (items.empty()) return call.document().Null();
  return *std::min_element(items.begin(), items.end(),
                           [](const JsonNode* a, const JsonNode* b) { return Less(*a, *b); });
}

const JsonNode* Merge(const Call& call) {
  std::vector<JsonMember> members;
  for (const Argument& argument : call.arguments) {
    members.insert(members.end(), argument.value->members.begin(), argument.value->members.end());
  }
  return call.document().Object(members);
}

const JsonNode* NotNull(const Call& call) {
  for (const Argument& argument : call.arguments) {
    if (argument.value->type != JsonType::kNull) return argument.value;
  }
  return call.document().Null();
}

const JsonNode* Reverse(const Call& call) {
  const JsonNode& subject = call.at(0);
  if (subject.type == JsonType::kArray) {
    const std::vector<const JsonNode*> items(subject.items.rbegin(), subject.items.rend());
    return call.document().Array(items);
  }
  std::string reversed(subject.text.size(), '\0');
  std::size_t end = reversed.size();
  for (std::string_view rest = subject.text; !rest.empty();) {
    const std::size_t size = DecodeRune(rest).size;
    end -= size;
    rest.copy(reversed.data() + end, size);
    rest.remove_prefix(size);
  }
  return call.document().CopyString(reversed);
}

const JsonNode* Sort(const Call& call) {
  std::vector<const JsonNode*> items(call.at(0).items.begin(), call.at(0).items.end());
  std::stable_sort(items.begin(), items.end(),
                   [](const JsonNode* a, const JsonNode* b) { return Less(*a, *b); });
  return call.document().Array(items);
}

using KeyedItem = std::pair<const JsonNode*, const JsonNode*>;  // What it is sorted by, the item.

bool LessByKey(const KeyedItem& a, const KeyedItem& b) {
  return Less(*a.first, *b.first);
}

// The items with the value of the expression for each: all numbers or all strings. False after an
// error.
bool EvaluateKeys(const Call& call, std::vector<KeyedItem>& keyed) {
  for (const JsonNode* item : call.at(0).items) {
    const JsonNode* key = call.interpreter.Evaluate(*call.arguments[1].expression, *item);
    if (key == nullptr) return false;
    const bool comparable = key->type == JsonType::kNumber || key->type == JsonType::kString;
    if (!comparable || (!keyed.empty() && keyed.front().first->type != key->type)) {
      call.interpreter.Fail("the expression must give numbers only or strings only");
      return false;
    }
    keyed.emplace_back(key, item);
  }
  return true;
}

const JsonNode* MaxBy(const Call& call) {
  // The only item has no key to compare, whatever it is.
  if (call.at(0).items.size() == 1) return call.at(0).items.front();
  std::vector<KeyedItem> keyed;
  if (!EvaluateKeys(call, keyed)) return nullptr;
  if (keyed.empty()) return call.document().Null();
  return std::max_element(keyed.begin(), keyed.end(), LessByKey)->second;
}

const JsonNode* MinBy(const Call& call) {
  // The only item has no key to compare, whatever it is.
  if (call.at(0).items.size() == 1) return call.at(0).items.front();
  std::vector<KeyedItem> keyed;
  if (!EvaluateKeys(call, keyed)) return nullptr;
  if (keyed.empty()) return call.document().Null();
  return std::min_element(keyed.begin(), keyed.end(), LessByKey)->second;
}

const JsonNode* SortBy(const Call& call) {
  std::vector<KeyedItem> keyed;
  if (!EvaluateKeys(call, keyed)) return nullptr;
  std::stable_sort(keyed.begin(), keyed.end(), LessByKey);
  std::vector<const JsonNode*> items;
  items.reserve(keyed.size());
  for (const KeyedItem& item : keyed)
    items.push_back(item.second);
  return call.document().Array(items);
}

const JsonNode* StartsWith(const Call& call) {
  return call.document().Bool(call.at(0).text.starts_with(call.at(1).text));
}

const JsonNode* Sum(const Call& call) {
  return call.document().Number(SumOf(call.at(0)));
}

const JsonNode* ToArray(const Call& call) {
  const JsonNode* value = call.arguments[0].value;
  if (value->type == JsonType::kArray) return value;
  return call.document().Array({&value, 1});
}

const JsonNode* ToNumber(const Call& call) {
  const JsonNode& value = call.at(0);
  if (value.type == JsonType::kNumber) return &value;
  if (value.type == JsonType::kString) {
    if (const Result<double> number = ParseGoFloat(value.text)) {
      return call.document().Number(number.value());
    }
  }
  return call.document().Null();
}

const JsonNode* ToString(const Call& call) {
  const JsonNode& value = call.at(0);
  if (value.type == JsonType::kString) return &value;
  std::string text;
  if (!AppendJson(value, ExponentForm::kShort, JmesInterpreter::kMaxBytes, text)) {
    return call.interpreter.Fail("to_string() cannot write the value");
  }
  return call.document().CopyString(text);
}

const JsonNode* Type(const Call& call) {
  static constexpr std::array<std::string_view, 6> kNames = {"null",   "boolean", "number",
                                                             "string", "array",   "object"};
  return call.document().String(kNames[static_cast<std::size_t>(call.at(0).type)]);
}

const JsonNode* Values(const Call& call) {
  std::vector<const JsonNode*> values;
  for (const JsonMember& member : call.at(0).members)
    values.push_back(member.value);
  return call.document().Array(values);
}

// Sorted by name.
constexpr std::array<Function, 26> kFunctions = {{
    {"abs", Abs, {kNumber, 0}},
    {"avg", Avg, {kNumbers, 0}},
    {"ceil", Ceil, {kNumber, 0}},
    {"contains", Contains, {kArray | kString, kAny}},
    {"ends_with", EndsWith, {kString, kString}},
    {"floor", Floor, {kNumber, 0}},
    {"join", Join, {kString, kStrings}},
    {"keys", Keys, {kObject, 0}},
    {"length", Length, {kString | kArray | kObject, 0}},
    {"map", Map, {kExpression, kArray}},
    {"max", Max, {kNumbers | kStrings, 0}},
    {"max_by", MaxBy, {kArray, kExpression}},
    {"merge", Merge, {kObject, 0}, true},
    {"min", Min, {kNumbers | kStrings, 0}},
    {"min_by", MinBy, {kArray, kExpression}},
    {"not_null", NotNull, {kAny, 0}, true},
    {"reverse", Reverse, {kArray | kString, 0}},
    {"sort", Sort, {kNumbers | kStrings, 0}},
    {"sort_by", SortBy, {kArray, kExpression}},
    {"starts_with", StartsWith, {kString, kString}},
    {"sum", Sum, {kNumbers, 0}},
    {"to_array", ToArray, {kAny, 0}},
    {"to_number", ToNumber, {kAny, 0}},
    {"to_string", ToString, {kAny, 0}},
    {"type", Type, {kAny, 0}},
    {"values", Values, {kObject, 0}},
}};

const Function* FindFunction(std::string_view name) {
  const auto* found = std::lower_bound(
      kFunctions.begin(), kFunctions.end(), name,
      [](const Function& function, std::string_view wanted) { return function.name < wanted; });
  return found != kFunctions.end() && found->name == name ? found : nullptr;
}

bool ArgumentsFit(const Function& function, std::span<const Argument> arguments) {
  const std::size_t count = function.accepts[1] != 0 ? 2 : 1;
  if (function.variadic ? arguments.size() < count : arguments.size() != count) return false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (!Fits(arguments[i], function.accepts[function.variadic ? 0 : i])) return false;
  }
  return true;
}

}  // namespace

bool IsJmesFunction(std::string_view name) {
  return FindFunction(name) != nullptr;
}

const JsonNode* CallJmesFunction(JmesInterpreter& interpreter, const JmesNode& node,
                                 const JsonNode& value) {
  std::vector<Argument> arguments;
  for (const auto& child : node.children) {
    Argument argument;
    if (child->kind == JmesKind::kExpressionRef) {
      argument.expression = child->children[0].get();
    } else {
      argument.value = interpreter.Evaluate(*child, value);
      if (argument.value == nullptr) return nullptr;
    }
    arguments.push_back(argument);
  }
  const Function* function = FindFunction(node.text);
  if (function == nullptr) return interpreter.Fail("unknown function: " + node.text + "()");
  if (!ArgumentsFit(*function, arguments)) {
    return interpreter.Fail("wrong number or types of arguments for " + node.text + "()");
  }
  return function->call({interpreter, arguments});
}

}  // namespace agent
