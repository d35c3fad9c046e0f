// Reads the fields of one map of the configuration, reporting what is missing, mistyped, out of
// range or unknown with its place. Reading goes on after a problem, so that one run reports all.
//
//   FieldReader fields(node, "clients[0]", problems, FieldReader::Unknown::kError);
//   config.url = fields.RequiredString("url");
//   config.batch_wait = fields.Duration("batchwait", 1s);
//   fields.Finish();  // Unknown keys are reported here.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/config/problems.h"
#include "base/config/yaml.h"

namespace agent {

class FieldReader {
 public:
  // What to say of keys that nobody asked for.
  enum class Unknown : uint8_t { kError, kWarning };
  // kScalar: where a string is wanted any scalar is taken as it is written (`regex: true`,
  // `tenant_id: 7`); nothing else converts. For everything but stage bodies. kStrict: a number or
  // boolean where a string is wanted is an error. Most stages. kWeak: numbers, strings and booleans
  // convert into one another, and one string is accepted for a list of strings (drop, limit,
  // sampling, multiline, pack, cri). As text, true is "1" and false "0", and a number is written
  // plainly (0x10 is "16").
  enum class Typing : uint8_t { kScalar, kStrict, kWeak };
  // Stage bodies match their keys in any case.
  enum class KeyCase : uint8_t { kExact, kAny };

  // `node` must outlive the reader; null counts as an empty map; anything else but a map is
  // reported.
  FieldReader(const ConfigNode& node, std::string path, Problems& problems,
              Unknown unknown = Unknown::kError, Typing typing = Typing::kScalar,
              KeyCase key_case = KeyCase::kExact);

  [[nodiscard]] bool Has(std::string_view key);  // Present, also when null.
  // The node of a field, or null. Marks the key as known.
  const ConfigNode* Node(std::string_view key);

  // Of each: the value, or the default when absent or null; after a problem also the default.
  std::string String(std::string_view key, std::string_view default_value = {});
  std::string RequiredString(std::string_view key);  // Also not empty.
  bool Bool(std::string_view key, bool default_value);
  int64_t Int(std::string_view key, int64_t default_value, int64_t min, int64_t max);
  double Float(std::string_view key, double default_value, double min, double max);
  // Go durations ("10s"), not negative. A bare integer other than 0 is nanoseconds in Promtail;
  // accepted, with a warning that says so; in stage bodies (kStrict, kWeak) it is an error, as
  // there.
  std::chrono::nanoseconds Duration(std::string_view key, std::chrono::nanoseconds default_value);
  // In Prometheus's form, which also has days, weeks and years ("1d"); no bare numbers but 0.
  std::chrono::nanoseconds PrometheusDuration(std::string_view key,
                                              std::chrono::nanoseconds default_value);
  uint64_t Size(std::string_view key, uint64_t default_value);
  std::vector<std::string> StringList(std::string_view key);
  // In the order of the file. `null_as_empty`: a null value is "", else it is a problem.
  std::vector<std::pair<std::string, std::string>> StringMap(std::string_view key,
                                                             bool null_as_empty);
  // One of `choices`; the default when absent.
  std::string Choice(std::string_view key, std::string_view default_value,
                     std::initializer_list<std::string_view> choices);

  // Calls `read` with each item of a list and its path ("clients[2]").
  void List(std::string_view key,
            const std::function<void(const ConfigNode& item, const std::string& path)>& read);

  // Accepts a key and ignores its value.
  void Ignore(std::string_view key);
  void Ignore(std::initializer_list<std::string_view> keys);

  // Reports keys that nobody asked for. True when nothing was wrong in this map.
  bool Finish();

  // A problem with one field: at its value (or its key when there is none), path with the key.
  void Error(std::string_view key, std::string message, std::string hint = {});
  void Warning(std::string_view key, std::string message, std::string hint = {});
  // A problem of the map as a whole.
  void MapError(std::string message, std::string hint = {});

  [[nodiscard]] std::string PathOf(std::string_view key) const;  // "clients[0].url"
  [[nodiscard]] Place PlaceOf(std::string_view key) const;       // Of the value.
  [[nodiscard]] const ConfigNode& node() const { return node_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] Problems& problems() { return problems_; }

 private:
  const ConfigNode* Lookup(std::string_view key);
  // The value of a field if there is one that is not null; marks the key as known.
  const ConfigNode* Value(std::string_view key);
  // As Value(), but a list or a map is a problem: "expected `wanted`".
  const ConfigNode* Scalar(std::string_view key, std::string_view wanted);
  // Text of a scalar by the typing rules; nullopt after a problem.
  std::optional<std::string> Text(const std::string& path, const ConfigNode& value);
  void Mismatch(const std::string& path, const ConfigNode& value, std::string_view wanted,
                std::string hint = {});

  const ConfigNode& node_;
  std::string path_;
  Problems& problems_;
  Unknown unknown_;
  Typing typing_;
  KeyCase key_case_;
  std::vector<std::string> known_;
  bool ok_ = true;
};

}  // namespace agent
