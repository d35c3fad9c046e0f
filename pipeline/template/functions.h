// The functions that templates can call, and what a call can use. One file per family of functions;
// each holds a table sorted by name.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "pipeline/regex/regex.h"
#include "pipeline/template/datum.h"
#include "pipeline/time/location.h"

namespace agent {

// What lives as long as a template and is used while it executes.
class TemplateRuntime {
 public:
  // `wall_clock` is not owned.
  explicit TemplateRuntime(Clock& wall_clock) : clock(wall_clock) {}

  // Compiled once per pattern; null, with its error in `problem`, when Go would refuse it.
  Regex* FindRegex(std::string_view pattern, std::string& problem);
  Random& random();
  // The machine's zone.
  Location& local();
  // Counts work against the limit of one execution. False when it is used up: the error is set.
  bool Spend(std::size_t steps);
  void Begin();

  Clock& clock;
  DatumPool pool;
  // Why the execution failed; empty while it has not.
  std::string error;

 private:
  static constexpr std::size_t kMaxSteps = 200'000;
  static constexpr std::size_t kMaxRegexes = 64;

  std::size_t steps_ = 0;
  std::optional<Random> random_;
  std::unique_ptr<Location> local_;
  std::map<std::string, std::unique_ptr<Regex>, std::less<>> regexes_;
};

// The arguments of one call, already of the types that the function's parameters ask for.
class Call {
 public:
  Call(std::span<const Datum> arguments, TemplateRuntime& runtime)
      : arguments_(arguments), runtime_(runtime) {}

  [[nodiscard]] std::size_t size() const { return arguments_.size(); }
  const Datum& operator[](std::size_t index) const { return arguments_[index]; }
  [[nodiscard]] std::span<const Datum> From(std::size_t index) const {
    return arguments_.subspan(index);
  }
  [[nodiscard]] std::string_view Text(std::size_t index) const { return arguments_[index].text(); }
  [[nodiscard]] int64_t Int(std::size_t index) const { return arguments_[index].integer(); }

  // Each returns a result for the function to return.
  Datum Fail(std::string message);  // Ends the execution.
  Datum Keep(std::string text) { return Datum::String(runtime_.pool.Keep(std::move(text))); }
  DatumList* NewList(DatumList::Type type = DatumList::Type::kAny) {
    return runtime_.pool.NewList(type);
  }
  DatumDict* NewDict(DatumDict::Type type = DatumDict::Type::kAny) {
    return runtime_.pool.NewDict(type);
  }
  // Before making something large. False: too large, return what `Fail` would.
  bool Charge(std::size_t bytes);
  // The regular expression; null after Fail.
  Regex* FindRegex(std::string_view pattern);

  [[nodiscard]] TemplateRuntime& runtime() { return runtime_; }

 private:
  std::span<const Datum> arguments_;
  TemplateRuntime& runtime_;
};

using FunctionBody = Datum (*)(Call& call);

struct TemplateFunction {
  std::string_view name;
  // A letter per parameter, by Go's type: s string, i int, f float64, b bool, a any, d map of any
  // (nil is an empty one), D map of any that is not nil, t time. A star after the last letter: none
  // or more of it.
  std::string_view parameters;
  FunctionBody run;
};

// Null: there is no function of that name.
const TemplateFunction* FindFunction(std::string_view name);
// Why a function that exists in Promtail is refused; empty for any other name.
std::string_view WhyRefused(std::string_view name);
std::vector<std::string> FunctionNames();

// `and` and `or` evaluate their arguments only as far as needed: the executor runs them itself.
bool IsShortCircuit(const TemplateFunction& function);

// By family, each sorted by name.
std::span<const TemplateFunction> BuiltinFunctions();
std::span<const TemplateFunction> CaseFunctions();
std::span<const TemplateFunction> ConversionFunctions();
std::span<const TemplateFunction> DateFunctions();
std::span<const TemplateFunction> DictFunctions();
std::span<const TemplateFunction> HashFunctions();
std::span<const TemplateFunction> JsonFunctions();
std::span<const TemplateFunction> ListFunctions();
std::span<const TemplateFunction> MathFunctions();
std::span<const TemplateFunction> PathFunctions();
std::span<const TemplateFunction> RandomFunctions();
std::span<const TemplateFunction> RegexFunctions();
std::span<const TemplateFunction> StringFunctions();
std::span<const TemplateFunction> VersionFunctions();
std::span<const TemplateFunction> WordFunctions();

}  // namespace agent
