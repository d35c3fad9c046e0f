#include "pipeline/template/functions.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace agent {
namespace {

// Functions that need keys, the network, files or the environment: a log collector lends none of
// them to its templates.
constexpr std::string_view kRefused[] = {
    "bcrypt",
    "buildCustomCert",
    "decryptAES",
    "derivePassword",
    "encryptAES",
    "env",
    "expandenv",
    "genCA",
    "genCAWithKey",
    "genPrivateKey",
    "genSelfSignedCert",
    "genSelfSignedCertWithKey",
    "genSignedCert",
    "genSignedCertWithKey",
    "getHostByName",
    "htpasswd",
};

bool ByName(const TemplateFunction& a, const TemplateFunction& b) {
  return a.name < b.name;
}

std::vector<TemplateFunction> JoinTables() {
  std::vector<TemplateFunction> all;
  for (const auto family :
       {BuiltinFunctions(), CaseFunctions(), ConversionFunctions(), DateFunctions(),
        DictFunctions(), HashFunctions(), JsonFunctions(), ListFunctions(), MathFunctions(),
        PathFunctions(), RandomFunctions(), RegexFunctions(), StringFunctions(), VersionFunctions(),
        WordFunctions()}) {
    all.insert(all.end(), family.begin(), family.end());
  }
  std::sort(all.begin(), all.end(), ByName);
  return all;
}

const std::vector<TemplateFunction>& AllFunctions() {
  static const std::vector<TemplateFunction> kAll = JoinTables();
  return kAll;
}

}  // namespace

Regex* TemplateRuntime::FindRegex(std::string_view pattern, std::string& problem) {
  const auto known = regexes_.find(pattern);
  if (known != regexes_.end()) return known->second.get();
  Result<std::unique_ptr<Regex>> compiled = Regex::Compile(pattern);
  if (!compiled.ok()) {
    problem = compiled.error().message;
    return nullptr;
  }
  if (regexes_.size() >= kMaxRegexes) regexes_.clear();
  return regexes_.emplace(std::string(pattern), std::move(compiled).value()).first->second.get();
}

Random& TemplateRuntime::random() {
  if (!random_) random_ = Random::FromSystem();
  return *random_;
}

Location& TemplateRuntime::local() {
  if (!local_) local_ = Location::Local();
  return *local_;
}

bool TemplateRuntime::Spend(std::size_t steps) {
  steps_ = std::min(steps_, kMaxSteps) + std::min(steps, kMaxSteps);
  if (steps_ <= kMaxSteps && !pool.exhausted()) return true;
  if (error.empty()) error = "the template takes too long or needs too much memory";
  return false;
}

void TemplateRuntime::Begin() {
  steps_ = 0;
  error.clear();
  pool.Clear();
}

Datum Call::Fail(std::string message) {
  if (runtime_.error.empty()) runtime_.error = std::move(message);
  return {};
}

bool Call::Charge(std::size_t bytes) {
  if (runtime_.pool.Charge(bytes)) return true;
  Fail("too much memory");
  return false;
}

Regex* Call::FindRegex(std::string_view pattern) {
  std::string problem;
  Regex* regex = runtime_.FindRegex(pattern, problem);
  if (regex == nullptr) Fail(std::move(problem));
  return regex;
}

const TemplateFunction* FindFunction(std::string_view name) {
  const std::vector<TemplateFunction>& all = AllFunctions();
  const auto found =
      std::lower_bound(all.begin(), all.end(), TemplateFunction{name, {}, nullptr}, ByName);
  return found != all.end() && found->name == name ? &*found : nullptr;
}

std::string_view WhyRefused(std::string_view name) {
  const bool refused =
      std::find(std::begin(kRefused), std::end(kRefused), name) != std::end(kRefused);
  return refused ? "needs keys, the network, files or the environment, and is not offered" : "";
}

std::vector<std::string> FunctionNames() {
  std::vector<std::string> names;
  for (const TemplateFunction& function : AllFunctions())
    names.emplace_back(function.name);
  return names;
}

bool IsShortCircuit(const TemplateFunction& function) {
  return function.run == nullptr;
}

}  // namespace agent
