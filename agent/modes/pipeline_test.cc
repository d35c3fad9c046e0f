#include "agent/modes/pipeline_test.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "agent/config/environment.h"
#include "agent/config/flags.h"
#include "agent/pipeline_test/report.h"
#include "agent/pipeline_test/run_file.h"
#include "agent/pipeline_test/test_file.h"
#include "agent/pipeline_test/update_file.h"
#include "base/config/spelling.h"
#include "base/regex/go_regex.h"

namespace agent {
namespace {

constexpr std::string_view kHelp =
    "Runs pipeline tests: lines in, expected entries and metrics out.\n"
    "\n"
    "Usage: agent test [flags] FILE...\n"
    "\n"
    "A FILE has tests in YAML; of a folder all its *.yaml and *.yml are taken. A test gives stages "
    "of\n"
    "its own, or names a configuration and a job; README.md, \"Proving a configuration\", shows "
    "both.\n"
    "Time stands still unless a test lets it pass, and chance is always the same.\n"
    "\n"
    "Flags:\n"
    "  -run REGEX\n"
    "        Only tests whose name matches.\n"
    "  -update\n"
    "        Write what came out into the files, as what is expected.\n"
    "  -strict\n"
    "        Extracted values and metrics that a test does not mention must not be there.\n"
    "  -output text|json|junit\n"
    "        What to print. Default: text.\n"
    "  -v\n"
    "        Name the tests that have passed, too.\n"
    "  -color, -no-color\n"
    "        Colours; by default on a terminal, unless NO_COLOR is set.\n"
    "  -help\n"
    "        Print this and exit.\n"
    "\n"
    "Exit codes:\n"
    "  0  all tests have passed, or were updated\n"
    "  1  some have failed\n"
    "  2  wrong flags, or a file that cannot be read\n";

enum class ReportForm : uint8_t { kText, kJson, kJunit };

struct TestOptions {
  std::vector<std::string> paths;
  std::unique_ptr<GoRegex> run;
  bool update = false;
  bool verbose = false;
  bool help = false;
  Unmentioned unmentioned = Unmentioned::kIgnored;
  ReportForm form = ReportForm::kText;
  Flags colors;
};

// Reads the command line; the first thing that is wrong is in error().
class TestArguments {
 public:
  explicit TestArguments(std::span<const char* const> arguments) : arguments_(arguments) {}

  bool Parse() {
    bool only_files = false;
    while (next_ < arguments_.size() && error_.empty()) {
      const std::string_view argument = arguments_[next_++];
      if (only_files || argument.size() < 2 || argument[0] != '-') {
        options_.paths.emplace_back(argument);
      } else if (argument == "--") {
        only_files = true;
      } else {
        Take(argument.substr(argument.starts_with("--") ? 2 : 1));
      }
    }
    if (error_.empty() && !options_.help && options_.paths.empty()) error_ = "no file of tests";
    return error_.empty();
  }

  TestOptions& options() { return options_; }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  void Take(std::string_view flag) {
    std::optional<std::string> value;
    if (const std::size_t equals = flag.find('='); equals != std::string_view::npos) {
      value = std::string(flag.substr(equals + 1));
      flag = flag.substr(0, equals);
    }
    if (flag == "run") return TakeRun(Value(flag, std::move(value)));
    if (flag == "output") return TakeOutput(Value(flag, std::move(value)));
    if (!TakeSwitch(flag)) return Unknown(flag);
    if (value) error_ = "-" + std::string(flag) + " takes no value";
  }

  std::string Value(std::string_view flag, std::optional<std::string> value) {
    if (value) return *value;
    if (next_ < arguments_.size()) return arguments_[next_++];
    error_ = "flag needs an argument: -" + std::string(flag);
    return {};
  }

  bool TakeSwitch(std::string_view flag) {
    if (flag == "update") {
      options_.update = true;
    } else if (flag == "strict") {
      options_.unmentioned = Unmentioned::kForbidden;
    } else if (flag == "v" || flag == "verbose") {
      options_.verbose = true;
    } else if (flag == "color") {
      options_.colors.color = ColorMode::kAlways;
    } else if (flag == "no-color") {
      options_.colors.color = ColorMode::kNever;
    } else if (flag == "h" || flag == "help") {
      options_.help = true;
    } else {
      return false;
    }
    return true;
  }

  void TakeRun(const std::string& pattern) {
    if (!error_.empty()) return;
    auto compiled = GoRegex::Compile(pattern);
    if (compiled.ok()) {
      options_.run = std::move(*compiled);
    } else {
      error_ = "invalid value \"" + pattern + "\" for flag -run: " + compiled.error().message;
    }
  }

  void TakeOutput(const std::string& form) {
    if (!error_.empty()) return;
    if (form == "json") {
      options_.form = ReportForm::kJson;
    } else if (form == "junit") {
      options_.form = ReportForm::kJunit;
    } else if (form != "text") {
      error_ = "invalid value \"" + form + "\" for flag -output: expected text, json or junit";
    }
  }

  void Unknown(std::string_view flag) {
    error_ = "flag provided but not defined: -" + std::string(flag);
    const std::string near = NearestSpelling(
        flag, {"run", "output", "update", "strict", "verbose", "color", "no-color", "help"});
    if (!near.empty()) error_ += "; did you mean -" + near + "?";
  }

  std::span<const char* const> arguments_;
  std::size_t next_ = 0;
  TestOptions options_;
  std::string error_;
};

// Of a folder the files in it, sorted.
std::vector<std::string> FilesOf(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) return {path};
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".yaml" || extension == ".yml") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

class TestCommand {
 public:
  explicit TestCommand(const TestOptions& options) : options_(options) {
    run_.unmentioned = options.unmentioned;
    if (options.run != nullptr) {
      run_.wanted = [this](const std::string& name) { return options_.run->Matches(name); };
    }
  }

  int Run() {
    for (const std::string& path : options_.paths) {
      const std::vector<std::string> files = FilesOf(path);
      if (files.empty()) Refuse(path + ": no *.yaml in this folder\n");
      for (const std::string& file : files)
        RunFile(file);
    }
    if (reports_.empty() && !refused_) Refuse("no test has a name that matches -run\n");
    Print();
    if (refused_) return kExitFlags;
    return CountTests(reports_).failed > 0 ? kExitError : kExitOk;
  }

 private:
  void Refuse(const std::string& message) {
    refused_ = true;
    std::fputs(message.c_str(), stderr);
  }

  void RunFile(const std::string& path) {
    const PipelineTestFile file = LoadPipelineTests(path, environment_);
    if (file.problems.has_errors()) {
      return Refuse(file.problems.Format(UseColor(options_.colors, STDERR_FILENO, environment_)));
    }
    FileRun run;
    if (options_.update) {
      Result<FileRun> updated = UpdateTestFile(file, run_, environment_);
      if (updated.ok() && !updated->new_text.empty()) {
        if (const Status written = WriteTestFile(path, updated->new_text); !written.ok()) {
          updated = Error(written.error());
        }
      }
      if (!updated.ok()) Refuse(updated.error().message + "\n");
      run = updated.ok() ? std::move(*updated) : RunTestFile(file, run_);
    } else {
      run = RunTestFile(file, run_);
    }
    for (TestReport& report : run.reports)
      reports_.push_back(std::move(report));
  }

  void Print() const {
    std::string text;
    switch (options_.form) {
      case ReportForm::kText:
        text = FormatReportText(
            reports_, {UseColor(options_.colors, STDOUT_FILENO, environment_), options_.verbose});
        break;
      case ReportForm::kJson:
        text = FormatReportJson(reports_);
        break;
      case ReportForm::kJunit:
        text = FormatReportJunit(reports_);
        break;
    }
    std::fputs(text.c_str(), stdout);
  }

  const TestOptions& options_;
  const Environment environment_ = ProcessEnvironment();
  RunFileOptions run_;
  std::vector<TestReport> reports_;
  bool refused_ = false;
};

}  // namespace

int RunPipelineTests(std::span<const char* const> arguments) {
  TestArguments parsed(arguments);
  if (!parsed.Parse()) {
    std::fputs((parsed.error() + "\nRun 'agent test -help' for what there is\n").c_str(), stderr);
    return kExitFlags;
  }
  if (parsed.options().help) {
    std::fputs(std::string(kHelp).c_str(), stdout);
    return kExitOk;
  }
  return TestCommand(parsed.options()).Run();
}

}  // namespace agent
