#include "agent/modes/convert.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "agent/config/environment.h"
#include "agent/config/flags.h"
#include "agent/config/loader.h"
#include "agent/convert/filebeat.h"
#include "agent/convert/finding.h"
#include "agent/convert/promtail.h"
#include "agent/stage_check.h"
#include "base/result.h"

namespace agent {
namespace {

using convert::Conversion;
using convert::FindingKind;

constexpr int kExitNoEquivalent = 3;
constexpr std::size_t kMaxFileBytes = std::size_t{64} << 20U;

constexpr std::string_view kHelp =
    "Makes a configuration of this agent out of another shipper's.\n"
    "\n"
    "Usage: agent convert promtail FILE [-- FLAGS]\n"
    "       agent convert filebeat FILE\n"
    "\n"
    "  promtail  the same configuration, in the form that is recommended here; Promtail's own\n"
    "            runs unchanged, too. FLAGS are those that Promtail is started with\n"
    "  filebeat  jobs and outputs that ship the documents which Filebeat ships\n"
    "\n"
    "FILE may be -, standard input. The configuration goes to standard output. What has no\n"
    "equivalent, behaves differently, does nothing or is deprecated goes to standard error, with\n"
    "file, line and column.\n"
    "\n"
    "Exit codes:\n"
    "  0  everything was carried over\n"
    "  1  the file cannot be read\n"
    "  2  wrong arguments\n"
    "  3  something has no equivalent; the rest was printed\n";

struct Request {
  std::string kind;
  std::string file;
  Flags flags;  // Of the other program.
};

struct Source {
  std::string_view name;
  bool takes_flags;
  Conversion (*convert)(const Request& request, const std::string& text);
};

Conversion FromPromtail(const Request& request, const std::string& text) {
  return convert::ConvertPromtail(request.file, text, request.flags, CheckStages,
                                  ProcessEnvironment());
}

Conversion FromFilebeat(const Request& request, const std::string& text) {
  return convert::ConvertFilebeat(request.file, text);
}

constexpr std::array kSources = std::to_array<Source>({
    {"filebeat", false, FromFilebeat},
    {"promtail", true, FromPromtail},
});

const Source* FindSource(std::string_view name) {
  const auto* const found = std::ranges::find(kSources, name, &Source::name);
  return found == kSources.end() ? nullptr : found;
}

Result<std::string> ReadAll(const std::string& file) {
  const bool from_stdin = file == "-";
  std::FILE* const stream = from_stdin ? stdin : std::fopen(file.c_str(), "rbe");
  if (stream == nullptr) return ErrnoError(errno, "cannot be read");
  std::string text;
  std::array<char, 65536> piece{};
  std::size_t size = 0;
  errno = 0;
  while (text.size() <= kMaxFileBytes &&
         (size = std::fread(piece.data(), 1, piece.size(), stream)) > 0) {
    text.append(piece.data(), size);
  }
  const int failed = std::ferror(stream) != 0 ? (errno == 0 ? EIO : errno) : 0;
  if (!from_stdin) std::fclose(stream);  // NOLINT(cert-err33-c): it was only read.
  if (failed != 0) return ErrnoError(failed, "cannot be read");
  if (text.size() > kMaxFileBytes) return ErrnoError(EFBIG, "cannot be read");
  return text;
}

// Why the arguments are wrong; empty when they are not.
std::string Parse(std::span<const char* const> arguments, Request& request) {
  std::size_t next = 0;
  for (; next < arguments.size() && std::string_view(arguments[next]) != "--"; ++next) {
    const std::string_view argument = arguments[next];
    if (argument.size() > 1 && argument.starts_with('-')) {
      return "unknown flag " + std::string(argument) +
             "; flags of the other program go behind --\n";
    }
    if (request.kind.empty()) {
      request.kind = argument;
    } else if (request.file.empty()) {
      request.file = argument;
    } else {
      return "one file at a time: what is '" + std::string(argument) + "'?\n";
    }
  }
  const Source* const source = FindSource(request.kind);
  if (source == nullptr) {
    return request.kind.empty() ? "what is to be converted?\n"
                                : "there is no '" + request.kind + "' to convert from\n";
  }
  if (request.file.empty()) return "which file?\n";
  if (next >= arguments.size()) return "";
  if (!source->takes_flags) return "flags are of promtail alone\n";
  ParsedFlags parsed = ParseFlags(arguments.subspan(next + 1));
  request.flags = std::move(parsed.flags);
  return parsed.error;
}

bool AsksForHelp(std::span<const char* const> arguments) {
  return std::any_of(arguments.begin(), arguments.end(), [](const char* argument) {
    const std::string_view text = argument;
    return text == "-help" || text == "--help" || text == "-h";
  });
}

}  // namespace

int RunConvert(std::span<const char* const> arguments) {
  if (AsksForHelp(arguments)) {
    std::fwrite(kHelp.data(), 1, kHelp.size(), stdout);
    return kExitOk;
  }
  Request request;
  const std::string wrong = Parse(arguments, request);
  if (!wrong.empty()) {
    std::fputs((wrong + "Run 'agent convert -help' for what there is\n").c_str(), stderr);
    return kExitFlags;
  }
  const Result<std::string> text = ReadAll(request.file);
  if (!text.ok()) {
    std::fputs((request.file + ": " + text.error().message + "\n").c_str(), stderr);
    return kExitError;
  }
  const Conversion result = FindSource(request.kind)->convert(request, *text);
  if (!result.error.empty()) {
    std::fputs(result.error.c_str(), stderr);
    return kExitError;
  }
  std::fwrite(result.text.data(), 1, result.text.size(), stdout);
  std::fflush(stdout);
  const bool color = UseColor(request.flags, STDERR_FILENO, ProcessEnvironment());
  std::fputs(convert::FormatFindings(request.file, result.findings, color).c_str(), stderr);
  return convert::CountOf(result.findings, FindingKind::kNoEquivalent) > 0 ? kExitNoEquivalent
                                                                           : kExitOk;
}

}  // namespace agent
