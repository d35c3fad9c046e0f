// Names with values of the entry in them, as Beats write them:
//
//   logs-%{[labels.app]:unknown}-%{+yyyy.MM.dd}
//
// `%{[a][b]}` is `%{[a.b]}`; what follows the last colon outside the brackets stands in where there
// is no value. `%{+…}` is the time of the entry, always UTC: yyyy or YYYY, MM, dd, HH, mm, ss, ww
// (ISO week), xxxx (its year), DDD (day of the year), text in '…'.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/entry.h"
#include "base/label_sets.h"
#include "base/result.h"

namespace agent {

class EventPattern {
 public:
  // An error says what is wrong with the text.
  static Result<EventPattern> Parse(std::string_view text);

  // Appends the name for an entry; false when a value is missing that has no default. A reference
  // finds labels (`labels.x` or `x`), structured metadata (`metadata.x` or `x`) and the fields that
  // the output has asked for, and Beats' names of Kubernetes' and containers'
  // (`kubernetes.namespace`).
  // `repair` is called with what a value has become, from `begin` to the end of `to`.
  using ValueRepair = void (*)(std::string& to, std::size_t begin);
  bool Append(std::string& to, const Entry& entry, const Labels& labels,
              ValueRepair repair = nullptr) const;

  // Stands in from now on for every value that is missing and has no default.
  void SetOtherwise(std::string_view text);

  // Names of fields that it may refer to.
  [[nodiscard]] std::vector<std::string> references() const;

 private:
  enum class PartKind : uint8_t { kText, kTime, kReference };
  struct Part {
    PartKind kind = PartKind::kText;
    std::string text;  // Or the layout of the time, or the name that is referred to.
    std::optional<std::string> otherwise;
  };

  static Result<Part> ParseReference(std::string_view inside);

  std::vector<Part> parts_;
};

// Appends the time by a layout of Joda's letters; UTC.
void AppendJodaTime(std::string& to, std::string_view layout, int64_t unix_ns);

}  // namespace agent
