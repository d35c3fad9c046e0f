#include "agent/modes/docs.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>

#include "agent/config/environment.h"
#include "agent/config/flag_table.h"
#include "agent/config/flags.h"
#include "agent/docs/library_text.h"
#include "agent/docs/pages.h"
#include "agent/docs/search.h"
#include "agent/modes/pager.h"

namespace agent {
namespace {

constexpr std::string_view kHelp =
    "Shows the documentation.\n"
    "\n"
    "Usage: agent docs [flags] [NAME...]\n"
    "\n"
    "NAME is a page (json, outputs, agent), a section (syslog, \"Disk buffer\"), a key of the\n"
    "configuration (batchwait, journal.max_age), a flag or a metric; of two words the first\n"
    "may be the page: agent docs outputs ssl. Without a name: the list of pages.\n"
    "\n"
    "On a terminal the text goes through $PAGER, or less.\n"
    "\n"
    "Flags:\n"
    "  -width N\n"
    "        Columns. Default: those of the terminal, at most 120; else 80.\n"
    "  -color, -no-color\n"
    "        Bold, underlined and coloured; by default on a terminal, unless NO_COLOR is set.\n"
    "  -no-pager\n"
    "        Straight to standard output.\n"
    "  -help\n"
    "        Print this and exit.\n"
    "\n"
    "Exit codes:\n"
    "  0  it is shown\n"
    "  1  nothing is called so\n"
    "  2  wrong flags\n";

constexpr std::size_t kUsualWidth = 80;
constexpr std::size_t kMostColumns = 120;  // Longer lines are hard to read.
constexpr std::size_t kLeastColumns = 20;
constexpr std::size_t kMostAsked = 1000;

struct DocsFlags {
  Flags flags;  // Colours.
  std::size_t width = 0;
  bool pager = true;
  bool help = false;
  std::string query;
  std::string error;
};

class DocsFlagParser {
 public:
  explicit DocsFlagParser(std::span<const char* const> arguments) : arguments_(arguments) {}

  DocsFlags Parse() {
    bool only_names = false;
    for (; next_ < arguments_.size() && parsed_.error.empty(); ++next_) {
      const std::string_view argument = arguments_[next_];
      if (argument == "--" && !only_names) {
        only_names = true;
      } else if (only_names || argument.size() < 2 || argument[0] != '-') {
        AddName(argument);
      } else {
        Take(argument.substr(argument.starts_with("--") ? 2 : 1));
      }
    }
    return std::move(parsed_);
  }

 private:
  static bool IsFlagOfAgent(std::string_view name) {
    const auto flags = AllFlags();
    return std::any_of(flags.begin(), flags.end(),
                       [name](const FlagEntry& flag) { return flag.name == name; });
  }

  void AddName(std::string_view name) {
    if (!parsed_.query.empty()) parsed_.query += ' ';
    parsed_.query += name;
  }

  void Take(std::string_view flag) {
    if (flag == "help" || flag == "h") {
      parsed_.help = true;
    } else if (flag == "color" || flag == "no-color") {
      parsed_.flags.color = flag == "color" ? ColorMode::kAlways : ColorMode::kNever;
    } else if (flag == "no-pager") {
      parsed_.pager = false;
    } else if (flag == "width" && next_ + 1 < arguments_.size()) {
      TakeWidth(arguments_[++next_]);
    } else if (flag.starts_with("width=")) {
      TakeWidth(flag.substr(flag.find('=') + 1));
    } else if (IsFlagOfAgent(flag)) {
      AddName(flag);
    } else {
      parsed_.error = "agent docs: there is no flag -" + std::string(flag) + "\n";
    }
  }

  void TakeWidth(std::string_view text) {
    const char* const end = text.data() + text.size();
    const auto [stop, failed] = std::from_chars(text.data(), end, parsed_.width);
    if (failed != std::errc() || stop != end || parsed_.width < kLeastColumns ||
        parsed_.width > kMostAsked) {
      parsed_.error = "agent docs: -width expects 20 to 1000, got '" + std::string(text) + "'\n";
    }
  }

  std::span<const char* const> arguments_;
  std::size_t next_ = 0;
  DocsFlags parsed_;
};

// Of standard output; null sizes where it is no terminal.
winsize ScreenSize() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return {};
  return size;
}

std::size_t Width(const DocsFlags& parsed, const winsize& screen) {
  if (parsed.width > 0) return parsed.width;
  if (screen.ws_col == 0) return kUsualWidth;
  return std::clamp<std::size_t>(screen.ws_col, kLeastColumns, kMostColumns);
}

int Fail(const std::string& message, int code) {
  std::fputs(message.c_str(), stderr);
  return code;
}

int NothingFound(const docs::SearchResult& result, const std::string& query) {
  std::string message = "agent docs: nothing is called '" + query + "'";
  if (!result.nearest.empty()) message += "; did you mean '" + result.nearest + "'?";
  return Fail(message + "\nagent docs lists the pages\n", kExitError);
}

}  // namespace

int RunDocs(std::span<const char* const> arguments) {
  const DocsFlags parsed = DocsFlagParser(arguments).Parse();
  if (!parsed.error.empty())
    return Fail(parsed.error + "Run 'agent docs -help' for what there is\n", kExitFlags);
  if (parsed.help) {
    std::fwrite(kHelp.data(), 1, kHelp.size(), stdout);
    return kExitOk;
  }
  const Environment environment = ProcessEnvironment();
  const winsize screen = ScreenSize();
  const docs::RenderOptions options{.width = Width(parsed, screen),
                                    .styled = UseColor(parsed.flags, STDOUT_FILENO, environment)};
  const docs::Library library(docs::AllPages());
  std::string text;
  if (parsed.query.empty()) {
    text = ListText(library, options);
  } else {
    const docs::SearchResult result = library.Find(parsed.query);
    if (!result.found()) return NothingFound(result, parsed.query);
    text = ResultText(library, result, parsed.query, options);
    if (!result.nearest.empty() && !result.exact)
      text += "\nDid you mean '" + result.nearest + "'?\n";
  }
  const bool page = parsed.pager && ::isatty(STDOUT_FILENO) == 1;
  return ShowPaged(text, page ? PagerCommand(environment) : "") ? kExitOk : kExitError;
}

}  // namespace agent
