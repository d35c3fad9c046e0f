// Sees every key that the readers of a configuration ask for, with what they expect there: the
// option table that the code really has, which the reference documentation is held against.
// Nobody observes but tests.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace agent {

enum class FieldKind : uint8_t {
  kNode,  // A part of the tree: a map, or what the section looks at by itself.
  kText,
  kBool,
  kInt,
  kFloat,
  kDuration,
  kSize,
  kTexts,  // A list of texts.
  kMap,    // A map of texts.
  kChoice,
  kList,  // Calls a reader for each item.
  kIgnored,
};

struct FieldQuery {
  std::string_view path;  // Of the map: "clients[0]".
  std::string_view key;
  FieldKind kind = FieldKind::kNode;
  bool required = false;
  std::string default_value = {};  // As it is written in a file; "" for none.
  double min = 0;                  // Of numbers.
  double max = 0;
  std::vector<std::string_view> choices = {};  // Valid during the call.
};

class FieldObserver {
 public:
  virtual ~FieldObserver() = default;
  virtual void Asked(const FieldQuery& query) = 0;
};

// While it lives, `observer` sees the readers of this thread.
class ScopedFieldObserver {
 public:
  explicit ScopedFieldObserver(FieldObserver& observer);
  ~ScopedFieldObserver();
  ScopedFieldObserver(const ScopedFieldObserver&) = delete;
  ScopedFieldObserver& operator=(const ScopedFieldObserver&) = delete;

 private:
  FieldObserver* const before_;
};

// Of this thread; null when nobody looks, as always in the program.
FieldObserver* CurrentFieldObserver();

}  // namespace agent
