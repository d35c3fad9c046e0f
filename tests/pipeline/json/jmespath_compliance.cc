// Runs the public compliance suite of JMESPath: jmespath_compliance FOLDER, where its JSON files
// lie. Exits with 77, which ctest takes for "skipped", when there are none.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include "pipeline/json/jmespath.h"
#include "pipeline/json/json_writer.h"

namespace {

using agent::ExponentForm;
using agent::JmesPath;
using agent::JsonDocument;
using agent::JsonNode;

constexpr int kSkipped = 77;

std::string Text(const JsonNode& node) {
  std::string out;
  agent::AppendJson(node, ExponentForm::kTwoDigits, std::size_t{1} << 20, out);
  return out;
}

// Empty when the case gives what it should.
std::string Difference(const JsonNode& given, const JsonNode& test) {
  const std::string expression(test.Find("expression")->text);
  const JsonNode* want = test.Find("result");
  const auto path = JmesPath::Compile(expression);
  if (!path.ok()) {
    return want == nullptr || test.Find("error") != nullptr ? "" : path.error().message;
  }
  JsonDocument document;
  const auto result = path->Search(given, document);
  if (!result.ok()) return test.Find("error") != nullptr ? "" : result.error().message;
  if (test.Find("error") != nullptr) return "no error, but " + Text(**result);
  // A case without a result is there for its speed.
  if (want == nullptr || agent::JsonEqual(**result, *want)) return {};
  return "got " + Text(**result) + ", want " + Text(*want);
}

int RunFile(const std::filesystem::path& file, int& cases) {
  std::ifstream in(file);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  JsonDocument document;
  const JsonNode* suites = document.ParseCopy(text);
  if (suites == nullptr) {
    std::printf("%s: not JSON\n", file.c_str());
    return 1;
  }
  int failures = 0;
  for (const JsonNode* suite : suites->items) {
    for (const JsonNode* test : suite->Find("cases")->items) {
      ++cases;
      const std::string difference = Difference(*suite->Find("given"), *test);
      if (difference.empty()) continue;
      ++failures;
      std::printf("%s: %s: %s\n", file.filename().c_str(),
                  std::string(test->Find("expression")->text).c_str(), difference.c_str());
    }
  }
  return failures;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  if (argc == 2) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[1], error)) {
      if (entry.path().extension() == ".json") files.push_back(entry.path());
    }
  }
  if (files.empty()) {
    std::printf("skipped: no JMESPath compliance suite in %s\n",
                argc == 2 ? argv[1] : "(no folder)");
    return kSkipped;
  }
  std::sort(files.begin(), files.end());
  int cases = 0;
  int failures = 0;
  for (const auto& file : files)
    failures += RunFile(file, cases);
  std::printf("%zu files, %d cases, %d failures\n", files.size(), cases, failures);
  return failures == 0 ? 0 : 1;
}
