#include "agent/modes/check_syntax.h"

#include <unistd.h>

#include <cstdio>

#include "agent/config/environment.h"
#include "agent/config/loader.h"
#include "agent/stage_check.h"

namespace agent {

int RunCheckSyntax(const Flags& flags) {
  const Environment environment = ProcessEnvironment();
  const SyntaxReport report =
      CheckSyntax(flags, CheckStages, environment, UseColor(flags, STDOUT_FILENO, environment));
  std::fputs(report.text.c_str(), stdout);
  return report.exit_code;
}

}  // namespace agent
