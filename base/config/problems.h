// Everything that is wrong, or surely not meant, in a configuration, collected in one run: place,
// path, what is wrong, what would be right.
//
//   promtail.yaml:23:20: scrape_configs[0].pipeline_stages[2].regex: unknown key 'expresion'
//      23 |         - regex: { expresion: '(?P<level>\w+)' }
//         |                    ^~~~~~~~~ did you mean 'expression'?

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agent {

// Where something stands in the configuration file. Lines and columns count from 1, columns in
// bytes. Line 0: no place (a flag, a default).
struct Place {
  uint32_t line = 0;
  uint32_t column = 0;
  uint32_t length = 1;  // Bytes to underline.
};

enum class Severity : uint8_t { kError, kWarning };

struct Problem {
  Severity severity = Severity::kError;
  Place place;
  std::string path;     // "scrape_configs[0].pipeline_stages[2].regex"; may be empty.
  std::string message;  // "unknown key 'expresion'"
  std::string hint;     // Shown under the caret: "did you mean 'expression'?"; may be empty.
};

class Problems {
 public:
  // Leads from a place in the text that was parsed to one in the file.
  using PlaceMap = std::function<Place(const Place&)>;

  // `file` is how the user named it; `text` is what stands in it, for showing lines.
  Problems() = default;
  Problems(std::string file, std::string_view text);
  // For a text that was changed before it was parsed (environment expansion): every place that is
  // reported from now on goes through `original`.
  void MapPlaces(PlaceMap original) { original_ = std::move(original); }
  // Where in the file a place of the parsed text is. For messages that name a second place.
  [[nodiscard]] Place Original(const Place& place) const;

  void Error(const Place& place, std::string path, std::string message, std::string hint = {});
  void Warning(const Place& place, std::string path, std::string message, std::string hint = {});

  [[nodiscard]] bool has_errors() const { return errors_ > 0; }
  [[nodiscard]] std::size_t error_count() const { return errors_; }
  [[nodiscard]] std::size_t warning_count() const { return problems_.size() - errors_; }
  [[nodiscard]] const std::vector<Problem>& all() const { return problems_; }

  // All of them by place, with source lines and carets; with colours when `color`. Those without a
  // place come first.
  [[nodiscard]] std::string Format(bool color) const;
  // One problem on one line: "file:23:20: path: message; hint". For the log.
  [[nodiscard]] std::string FormatLine(const Problem& problem) const;

 private:
  void Add(Problem problem);
  void AppendSource(const Problem& problem, bool color, std::string& out) const;

  std::string file_;
  std::vector<std::string> lines_;
  PlaceMap original_;
  std::vector<Problem> problems_;
  std::size_t errors_ = 0;
};

}  // namespace agent
