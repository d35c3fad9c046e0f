// Go's text/template with the functions that Promtail offers: what the `template` and `replace`
// stages render. Compiled once; the common forms run without allocating.

#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace agent {

// What a template sees as `.`: texts by name. Texts stay valid while a template executes.
class TemplateData {
 public:
  virtual ~TemplateData() = default;

  // The value of Template::names()[index]; nullopt when there is none.
  virtual std::optional<std::string_view> Lookup(std::size_t index) = 0;
  // Every value, in any order, those of names() included. Asked only of templates that
  // use everything().
  virtual void ForEach(
      const std::function<void(std::string_view name, std::string_view value)>& visit) = 0;
};

// Used by one thread at a time.
class Template {
 public:
  // The error names line and column inside the text: "1:8: function \"foo\" not defined".
  // `clock` (for `now` and its like) is not owned and outlives the template.
  static Result<Template> Compile(std::string_view text, Clock& clock);

  Template(const Template&) = delete;
  Template& operator=(const Template&) = delete;
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;
  ~Template();

  // The names that it reads from its data: fields of `.` or `$`, and `index . "name"`. "Value" and
  // "Entry" are names like any other here.
  [[nodiscard]] const std::vector<std::string>& names() const;
  // True when it uses `.` as a whole, so that any name may be read.
  [[nodiscard]] bool uses_everything() const;
  // A template without actions: always renders constant_text().
  [[nodiscard]] bool is_constant() const;
  [[nodiscard]] std::string_view constant_text() const;

  // Appends what it renders to `out`. False when it failed (a wrong type, or more than 1 MiB of
  // text, or too many steps): `out` then holds what came before.
  bool Execute(TemplateData& data, std::string& out);
  // Why the last Execute() failed; empty when it did not.
  [[nodiscard]] const std::string& last_error() const;

 private:
  struct Impl;
  explicit Template(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace agent
