#include "agent/modes/doctor.h"

#include <grp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/environment.h"
#include "agent/config/flags.h"
#include "agent/config/loader.h"
#include "agent/doctor/become_user.h"
#include "agent/doctor/examination.h"
#include "agent/doctor/report.h"
#include "agent/doctor/subject.h"
#include "agent/stage_check.h"
#include "base/result.h"

namespace agent {
namespace {

using doctor::Finding;
using doctor::Findings;
using doctor::Group;
using doctor::Mark;
using doctor::Subject;
using std::chrono::milliseconds;

constexpr std::string_view kHelp =
    "Usage: agent doctor -config.file FILE [flags]\n"
    "\n"
    "Looks at all that a configuration needs on this machine: files and permissions, limits of\n"
    "the system, the agent's own folders, ports, Docker, Kubernetes, the journal, the clock, and\n"
    "every receiver; and at the agent that runs with it. Says what is wrong, what it costs, and\n"
    "the command that mends it. Changes nothing, and sends nothing that is stored.\n"
    "\n"
    "  -user NAME[:GROUP,...]  with the rights of this user, and of these groups besides its own\n"
    "  -send-test              sends one entry to each Loki and Elasticsearch, and asks for it\n"
    "  -format text|json       for people, or for machines (default text)\n"
    "  -timeout DURATION       of each step over the network (default 3s)\n"
    "  -strict                 warnings count as failures\n"
    "  -quiet                  warnings and failures alone\n"
    "\n"
    "The other flags are those of the agent: agent -help\n"
    "\n"
    "Exit codes:\n"
    "  0  nothing fails (there may be notes and warnings)\n"
    "  1  something does not work, or the configuration is wrong\n"
    "  2  wrong flags\n";

struct DoctorFlags {
  Flags flags;
  std::string user;
  bool send_test = false;
  bool json = false;
  bool strict = false;
  bool quiet = false;
  milliseconds timeout{3'000};
  std::string error;
};

// "3s", "500ms", or a number of seconds.
std::optional<milliseconds> ParseTimeout(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number <= 0 || number > 600'000) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (unit == "ms") return milliseconds(number);
  if (unit.empty() || unit == "s") return milliseconds(number * 1000);
  return std::nullopt;
}

// Takes our own flags out of the agent's.
class FlagReader {
 public:
  explicit FlagReader(std::span<const char* const> arguments) : arguments_(arguments) {}

  DoctorFlags Read() {
    for (at_ = 0; at_ < arguments_.size() && parsed_.error.empty(); ++at_) {
      if (!TakeOurs()) others_.push_back(arguments_[at_]);
    }
    if (!parsed_.error.empty()) return std::move(parsed_);
    ParsedFlags flags = ParseFlags(others_);
    parsed_.flags = std::move(flags.flags);
    parsed_.error = std::move(flags.error);
    const bool named = !parsed_.flags.config_file.empty();
    if (parsed_.error.empty() && !parsed_.flags.help && !named)
      parsed_.error = "-config.file is missing: whose configuration is it to look at?\n";
    return std::move(parsed_);
  }

 private:
  bool TakeOurs() {
    std::string_view name = arguments_[at_];
    if (!name.starts_with('-')) return false;
    name.remove_prefix(name.starts_with("--") ? 2 : 1);
    std::optional<std::string> value;
    if (const std::size_t equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    }
    if (name == "send-test") return Switch(value, parsed_.send_test);
    if (name == "strict") return Switch(value, parsed_.strict);
    if (name == "quiet") return Switch(value, parsed_.quiet);
    if (name != "user" && name != "format" && name != "timeout") return false;
    if (!value) {
      if (at_ + 1 >= arguments_.size())
        return Fail("flag needs an argument: -" + std::string(name));
      value = arguments_[++at_];
    }
    if (name == "user") {
      parsed_.user = *value;
    } else if (name == "timeout") {
      const auto timeout = ParseTimeout(*value);
      if (!timeout) return Fail("-timeout: expected a duration like 3s, got '" + *value + "'");
      parsed_.timeout = *timeout;
    } else {
      if (*value != "text" && *value != "json")
        return Fail("-format: expected text or json, got '" + *value + "'");
      parsed_.json = *value == "json";
    }
    return true;
  }

  bool Switch(const std::optional<std::string>& value, bool& to) {
    to = !value || *value == "true" || *value == "1";
    return true;
  }

  bool Fail(const std::string& error) {
    parsed_.error = error + "\n";
    return true;
  }

  std::span<const char* const> arguments_;
  std::size_t at_ = 0;
  std::vector<const char*> others_;
  DoctorFlags parsed_;
};

std::string HostName() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

// True when every check has come to its end.
bool Examine(const DoctorFlags& parsed, Config config, const std::shared_ptr<Findings>& findings) {
  const auto subject = std::make_shared<Subject>();
  subject->config = std::move(config);
  subject->system = doctor::System::Current();
  subject->host = HostName();
  subject->timeout = parsed.timeout;
  subject->send_test = parsed.send_test;
  const milliseconds limit = std::max(parsed.timeout * 4, milliseconds(8'000));
  // Where the files of targets hang, nothing else can be said either.
  const bool found = doctor::RunTasks({{"Files", "finding the targets",
                                        [subject](Findings&) {
                                          subject->targets =
                                              doctor::FindTargets(subject->config, subject->host);
                                        }}},
                                      limit, findings);
  return found && doctor::RunTasks(doctor::TasksFor(subject), limit, findings);
}

int Print(const DoctorFlags& parsed, std::vector<Finding> findings,
          const Environment& environment) {
  doctor::SortByGroup(findings);
  const doctor::MarkCounts counts = doctor::CountMarks(findings);
  if (parsed.quiet) {
    std::erase_if(findings, [](const Finding& finding) {
      return finding.mark == Mark::kOk || finding.mark == Mark::kNote;
    });
  }
  const bool color = UseColor(parsed.flags, STDOUT_FILENO, environment);
  const std::string report =
      parsed.json ? doctor::JsonReport(findings) : doctor::TextReport(findings, color);
  std::fwrite(report.data(), 1, report.size(), stdout);
  std::fflush(stdout);
  const bool bad = counts.failures > 0 || (parsed.strict && counts.warnings > 0);
  return bad ? kExitError : kExitOk;
}

}  // namespace

int RunDoctor(std::span<const char* const> arguments) {
  DoctorFlags parsed = FlagReader(arguments).Read();
  if (!parsed.error.empty()) {
    std::fputs((parsed.error + "Run 'agent doctor -help' for what there is\n").c_str(), stderr);
    return kExitFlags;
  }
  if (parsed.flags.help) {
    std::fwrite(kHelp.data(), 1, kHelp.size(), stdout);
    return kExitOk;
  }
  if (!parsed.user.empty()) {
    // Comes back only when it cannot be done: the program is started anew as that user.
    const Error error = doctor::BecomeUser(parsed.user, arguments);
    std::fputs(("-user " + parsed.user + ": " + error.message + "\n").c_str(), stderr);
    return kExitFlags;
  }
  std::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c): there is no way for it to fail.
  const Environment environment = ProcessEnvironment();
  LoadedConfig loaded = LoadConfig(parsed.flags, CheckStages, environment);
  const auto findings = std::make_shared<Findings>();
  doctor::ReportConfig(loaded, Group(*findings, "Configuration"));
  const bool ended =
      loaded.problems.has_errors() || Examine(parsed, std::move(loaded.config), findings);
  const int code = Print(parsed, findings->all(), environment);
  // Threads that hang use what an orderly end would take away.
  if (!ended) ::_exit(code);
  return code;
}

}  // namespace agent
