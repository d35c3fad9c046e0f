// The push request as JSON.

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <system_error>

#include <simdjson.h>

#include "agent/receivers/push/pushed_streams.h"
#include "base/utf8.h"

namespace agent {
namespace {

namespace ondemand = simdjson::ondemand;

// In any case of its letters, as Promtail takes it; the other keys are exact.
bool IsStreamsKey(std::string_view key) {
  constexpr std::string_view kKey = "streams";
  return key.size() == kKey.size() &&
         std::equal(key.begin(), key.end(), kKey.begin(),
                    [](char got, char want) { return got == want || (got | 0x20) == want; });
}

class JsonReader {
 public:
  explicit JsonReader(PushedStreams& streams) : streams_(streams) {}

  Status Read(const std::string& padded) {
    ondemand::parser parser;
    ondemand::document document;
    const simdjson::padded_string_view text(padded.data(), padded.size(), padded.capacity());
    if (parser.iterate(text).get(document) != simdjson::SUCCESS)
      return Invalid("the JSON is damaged");
    ondemand::json_type type{};
    if (document.type().get(type) != simdjson::SUCCESS) return Invalid("the JSON is damaged");
    if (type == ondemand::json_type::null) return {};
    ondemand::object whole;
    if (const auto error = document.get_object().get(whole); error != simdjson::SUCCESS) {
      return Invalid(error == simdjson::INCORRECT_TYPE ? "expected an object with \"streams\""
                                                       : "the JSON is damaged");
    }
    if (ReadWhole(whole)) return {};
    if (streams_.too_many()) return TooManyEntries();
    return Invalid(problem_.empty() ? "the JSON is damaged" : problem_);
  }

 private:
  static Error Invalid(std::string message) { return {ErrorCode::kInvalid, std::move(message)}; }

  bool Fail(std::string_view problem) {
    if (problem_.empty()) problem_ = problem;
    return false;
  }

  // Calls `on_member(key, value)` with each member; false when one is damaged or it says so.
  template <typename OnMember>
  static bool ForEachMember(ondemand::object& object, const OnMember& on_member) {
    for (auto item : object) {
      ondemand::field field;
      if (std::move(item).get(field) != simdjson::SUCCESS) return false;
      std::string_view key;
      if (field.unescaped_key().get(key) != simdjson::SUCCESS) return false;
      if (!on_member(key, field.value())) return false;
    }
    return true;
  }

  template <typename OnItem>
  static bool ForEachItem(ondemand::array& array, const OnItem& on_item) {
    for (auto item : array) {
      ondemand::value value;
      // NOLINTNEXTLINE(performance-move-const-arg): get() is there for rvalues alone.
      if (std::move(item).get(value) != simdjson::SUCCESS || !on_item(value)) return false;
    }
    return true;
  }

  // A list; null counts as an empty one.
  template <typename OnItem>
  bool ReadList(ondemand::value value, std::string_view problem, const OnItem& on_item) {
    ondemand::array list;
    if (value.get_array().get(list) == simdjson::SUCCESS) return ForEachItem(list, on_item);
    return IsNull(value) || Fail(problem);
  }

  static bool IsNull(ondemand::value value) {
    bool is_null = false;
    return value.is_null().get(is_null) == simdjson::SUCCESS && is_null;
  }

  bool ReadWhole(ondemand::object& whole) {
    return ForEachMember(whole, [this](std::string_view key, ondemand::value value) {
      if (!IsStreamsKey(key)) return true;
      return ReadList(value, "\"streams\" must be a list",
                      [this](ondemand::value item) { return ReadStream(item); });
    });
  }

  bool ReadStream(ondemand::value value) {
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS)
      return Fail("a stream must be an object");
    PushedStream& stream = streams_.AddStream();
    return ForEachMember(object,
                         [&](std::string_view key, ondemand::value member) {
                           if (key == "stream") return ReadLabels(member, stream.labels);
                           if (key != "values") return true;
                           return ReadList(
                               member, "\"values\" must be a list",
                               [&](ondemand::value item) { return ReadEntry(item, stream); });
                         }) &&
           !streams_.too_many();
  }

  bool ReadLabels(ondemand::value value, Labels& labels) {
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) {
      return Fail("\"stream\" must be an object of labels");
    }
    return ForEachMember(object, [&](std::string_view key, ondemand::value member) {
      if (!IsValidLabelName(key)) return Fail("a label has a name that is none");
      const std::string name(key);
      std::string_view text;
      // What is no text counts as it is written.
      if (member.get_string().get(text) != simdjson::SUCCESS &&
          simdjson::to_json_string(member).get(text) != simdjson::SUCCESS) {
        return false;
      }
      streams_.Count(name.size() + text.size());
      if (text.empty()) {
        labels.Remove(name);
      } else {
        labels.Set(name, text);
      }
      return true;
    });
  }

  bool ReadEntry(ondemand::value value, PushedStream& stream) {
    ondemand::array parts;
    if (value.get_array().get(parts) != simdjson::SUCCESS) {
      return Fail("an entry must be a list: time, line, structured metadata");
    }
    ReceivedEntry entry;
    int part = 0;
    const bool whole = ForEachItem(parts, [&](ondemand::value item) {
      switch (part++) {
        case 0:
          return ReadTime(item, entry.timestamp_ns);
        case 1:
          return ReadLine(item, entry.line);
        case 2:
          return ReadMetadata(item, entry);
        default:
          return true;
      }
    });
    return whole && streams_.AddEntry(stream, std::move(entry));
  }

  bool ReadTime(ondemand::value value, std::optional<int64_t>& timestamp_ns) {
    constexpr std::string_view kProblem = "a time must be a text of nanoseconds since 1970";
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) return Fail(kProblem);
    int64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || stopped != end) return Fail(kProblem);
    timestamp_ns = number;
    return true;
  }

  bool ReadLine(ondemand::value value, std::string& line) {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) return Fail("a line must be a text");
    line = text;
    return true;
  }

  bool ReadMetadata(ondemand::value value, ReceivedEntry& entry) {
    constexpr std::string_view kProblem = "structured metadata must be an object of texts";
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return Fail(kProblem);
    return ForEachMember(object, [&](std::string_view key, ondemand::value member) {
      auto& pair = entry.metadata.emplace_back(key, "");
      std::string_view text;
      if (member.get_string().get(text) != simdjson::SUCCESS) return Fail(kProblem);
      pair.second = text;
      return true;
    });
  }

  PushedStreams& streams_;
  std::string problem_;
};

}  // namespace

Status ParsePushJson(std::string text, PushedStreams& streams) {
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    return Error{ErrorCode::kInvalid, "the body is empty"};
  }
  if (!IsValidUtf8(text)) {
    std::string clean;
    AppendSanitized(text, clean);
    text = std::move(clean);
  }
  text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  return JsonReader(streams).Read(text);
}

}  // namespace agent
