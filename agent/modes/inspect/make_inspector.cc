#include "agent/modes/inspect/make_inspector.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "agent/config/environment.h"
#include "agent/modes/inspect/trace_json.h"
#include "agent/modes/inspect/trace_text.h"

namespace agent {
namespace {

// Of the terminal; 80 where there is none.
std::size_t TerminalColumns(int fd) {
  constexpr std::size_t kDefault = 80;
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kDefault;
}

}  // namespace

std::unique_ptr<Inspector> MakeInspector(const Flags& flags) {
  if (flags.inspect == InspectMode::kOff) return nullptr;
  std::function<void(const std::string&)> write;
  if (!flags.dry_run) {
    write = [](const std::string& text) { std::fwrite(text.data(), 1, text.size(), stderr); };
  }
  if (flags.inspect == InspectMode::kJson) {
    return std::make_unique<Inspector>(FormatTraceJson, std::move(write));
  }
  TraceTextOptions options;
  options.color = UseColor(flags, STDERR_FILENO, ProcessEnvironment());
  options.columns = TerminalColumns(STDERR_FILENO);
  options.with_entry = !flags.dry_run;
  return std::make_unique<Inspector>(
      [options](const EntryTrace& trace) { return FormatTraceText(trace, options); },
      std::move(write));
}

}  // namespace agent
